"""The show of ./demo: the conversation that the project began from, the same done right, and what an eavesdropper sees of each.

    scripts/demo build/release/bin/pake

Ends with 0 when every line, every exit code and every byte on the way was as it should be, with 1 otherwise. Leaves nothing
running.
"""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "support"))
import pipe  # noqa: E402
import seed  # noqa: E402
from stage import styled  # noqa: E402


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # so that every `with` still ends its program
    os.environ.pop("PAKE_PASSWORD", None)  # a scene says itself whether it gives one
    pake, wrong = sys.argv[1], []
    for half in (seed, pipe):
        try:
            wrong += half.show(pake)
        except (AssertionError, OSError) as what:  # something was not printed in time, or a program did not end
            wrong.append(str(what))
    print()
    for what in wrong:
        print(styled(f"wrong: {what}", 31))
    print(styled("demo: not as it should be", 31) if wrong else styled("demo: all as it should be", 32))
    print(f"\nTo play by hand, in two terminals:\n\n  {pake} listen\n  {pake} dial\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
