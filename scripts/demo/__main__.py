"""The show of ./demo: a conversation by the protocol of 1992, the same done right, a server with a page behind it, a
file by a code, and what an eavesdropper sees of each.

    scripts/demo build/release/bin/pake

Ends with 0 when every line, every exit code and every byte on the way was as it should be, with 1 otherwise. Leaves nothing
running.
"""

import os
import pathlib
import signal
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "support"))
import files  # noqa: E402
import pipe  # noqa: E402
import seed  # noqa: E402
import server  # noqa: E402
from stage import print_item, print_title, styled  # noqa: E402

VERDICT = [
    "By the protocol of 1992 the eavesdropper read every line of the chat, and found the password at home, by trying words on "
    "what it had written down.",
    "By pake listen and pake dial the same eavesdropper, in the same place, got sizes and times: not one line, not the code, "
    "and nothing on which to try codes at home.",
    "A wrong password, an unknown user and a wrong code were refused, on both sides. A wrong code was used up by the one try.",
    "A server without a certificate let in alice, who had chosen her password by an invitation, and her browser reached a page "
    "behind it at localhost. Nobody on the way saw the page or the password, and the server never had the password either.",
    "A file went to the one who typed the code, whole, and neither its name nor a byte of it was to be read on the way.",
]


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # so that every `with` still ends its program
    for name in ("PAKE_PASSWORD", "PAKE_NEW_PASSWORD", "PAKE_CODE"):
        os.environ.pop(name, None)  # a scene says itself whether it gives one
    pake, wrong = sys.argv[1], []
    for part in (seed, pipe, server, files):  # in the order in which they are shown
        try:
            wrong += part.show(pake)
        except (AssertionError, OSError) as what:  # something was not printed in time, or a program did not end
            wrong.append(str(what))
    print()
    if wrong:
        for what in wrong:
            print(styled(f"wrong: {what}", 31))
        print(styled("The demonstration did NOT go as it should: please report the lines above.", 31))
        return 1
    print_title("WHAT YOU HAVE SEEN")
    for item in VERDICT:
        print_item(item)
    print("\n" + styled("Everything went as it should: pake works on this machine.", 32))
    print(f"\nTo try it by hand, in two terminals:\n\n  {pake} listen\n  {pake} dial\n\nor, with a file,\n\n  {pake} send FILE\n  {pake} receive\n\ndocs/tutorial.md has the "
          "server, on two machines.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
