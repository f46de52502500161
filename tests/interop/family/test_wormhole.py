"""magic-wormhole's SPAKE2 against python-spake2: A, B and symmetric.

test_wormhole.py PEER [RUNS]
"""

import secrets
import sys

from ours import Ours

try:
    import spake2
except ImportError:
    print("skipped: python3-spake2 is not installed")
    sys.exit(77)


def main():
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 60
    with Ours(sys.argv[1]) as ours:
        for run in range(runs):
            password = secrets.token_bytes(1 + run % 40)
            idA, idB, idSymmetric = (secrets.token_bytes(run % n) for n in (3, 5, 7))
            names = {"idA": idA, "idB": idB, "idSymmetric": idSymmetric}
            for side in "ABS":
                if side == "A":
                    theirs = spake2.SPAKE2_B(password, idA=idA, idB=idB)
                elif side == "B":
                    theirs = spake2.SPAKE2_A(password, idA=idA, idB=idB)
                else:
                    theirs = spake2.SPAKE2_Symmetric(password, idSymmetric=idSymmetric)
                wrong = run % 10 == 9
                used = password + b"x" if wrong else password
                message = ours.ask("wormhole-start", side=side, password=used, **names)["message"]
                key = ours.ask("wormhole-finish", message=theirs.start())["key"]
                assert (theirs.finish(message) == key) != wrong, (side, password)
    print(f"{3 * runs} runs as A, B and symmetric agree with python-spake2")


main()
