#!/usr/bin/python3
"""The show of ./demo: two programs prove to each other that they know a password, side by side as in the seed's figures.

    scripts/demo.py build/release/bin/pake

Ends with 0 when every line and every exit code was as it should be, with 1 otherwise. Leaves nothing running.
"""

import os
import pathlib
import re
import signal
import sys
import textwrap

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "tests" / "support"))
from programs import Program  # noqa: E402

COLUMN = 47  # two of them, and what stands between, in 100
INDENT = {"initial_indent": "  ", "subsequent_indent": "  "}

# A scene is a table of what each side prints, row by row: patterns, None where a side is silent, Typed where a person
# types. Where both sides have the same pattern they must print the same text: that is how they are seen to agree.


class Typed(str):
    """A line that the demo types at the connecting side, shown behind its prompt."""


PEM = [r"pk: -----BEGIN PUBLIC KEY-----", *[r"[A-Za-z0-9+/]{64}"] * 3, r"[A-Za-z0-9+/=]{24}", r"-----END PUBLIC KEY-----"]
CONNECTED = [(r"Connected From \('127\.0\.0\.1', \d+\)", None)]
KNOWN = [*CONNECTED, ("user is server", None)]
AUTHENTICATED = [*zip(PEM, PEM), (r"Ks: \d{10}",) * 2, (r"NC: \d{10}",) * 2, ("N2 is equal to NS", r"N1_2: \d{20}"),
                 ("Authentication success",) * 2]


def line_of_chat(line):
    return [(f"User server say: {re.escape(line)}", Typed(line)), (None, f"Server say: receive {re.escape(line)}")]


SCENES = [
    ("1. Both know the password", {}, 0,
     [*KNOWN, *AUTHENTICATED, *line_of_chat("hello"), *line_of_chat("how are you?"),
      *line_of_chat("this goes in clear"), ("User server quit!", Typed("quit"))]),
    ("2. A wrong password", {"password": "87654321"}, 3,
     [*KNOWN, *((None, line) for line in PEM)]),
    ("3. A user that the listening side does not know", {"user": "mallory"}, 3,
     [*CONNECTED, *((None, line) for line in PEM), ("user error", "connect error")]),
]


def styled(text, code):
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def shortened(line):
    return line if len(line) <= COLUMN else line[:COLUMN - 2] + ".."


def print_row(left, right):
    print(f"{shortened(left):<{COLUMN}} | {shortened(right)}".rstrip())


def words_of(stderr):
    """What a side said of this run, folded to the column; the warning that both begin with is shown once, above all."""
    lines = [line for line in stderr.splitlines() if line.startswith(("error:", "hint:"))]
    return [part for line in lines for part in textwrap.wrap(line, COLUMN, subsequent_indent="  ")]


class Table:
    """Holds a scene's table against what was printed, row by row; `wrong` collects what was not as it should be."""

    def __init__(self, rows, listener, connector):
        self.left, self.right = listener.splitlines(), connector.splitlines()
        self.rows = rows
        self.wrong = []

    def _take(self, side, lines, pattern):
        if pattern is None:
            return ""
        if isinstance(pattern, Typed):
            return f"> {pattern}"
        if lines and re.fullmatch(pattern, lines[0]):
            return lines.pop(0)
        self.wrong.append(f"{side} should print {pattern!r}, not {lines[0] if lines else 'nothing'!r}")
        return ""

    def show(self):
        for left, right in self.rows:
            shown_left = self._take("the listening side", self.left, left)
            shown_right = self._take("the connecting side", self.right, right)
            if left == right and shown_left != shown_right:
                self.wrong.append(f"the two sides do not agree: {shown_left!r} and {shown_right!r}")
            print_row(shown_left, shown_right)
        for line in self.left:
            self.wrong.append(f"the listening side should not print {line!r}")
        for line in self.right:
            self.wrong.append(f"the connecting side should not print {line!r}")


def play(scene, pake, address, listener):
    title, given, expected_code, rows = scene
    name_options = ["--user", given["user"]] if "user" in given else []
    password = {"PAKE_PASSWORD": given["password"]} if "password" in given else {}
    out, err = len(listener.stdout), len(listener.stderr)

    with Program([pake, "eke", "connect", address, *name_options], env={**os.environ, **password}) as connector:
        connector.send(*(right for _, right in rows if isinstance(right, Typed)))
        code = connector.finish()
    last_of_listener = [left for left, _ in rows if left][-1]
    listener.wait_for(f"^{last_of_listener}$", since=out)
    if expected_code != 0:
        listener.wait_for("^error: ", "stderr", since=err)

    environment = "".join(f"{name}={value} " for name, value in password.items())
    print(f"\n{styled(title, 1)}\n")
    print(f"listening:   pake eke listen {address}")
    print(f"connecting:  {' '.join([f'{environment}pake eke connect', address, *name_options])}\n")
    print_row("listening", "connecting")
    print_row("-" * COLUMN, "-" * COLUMN)
    table = Table(rows, listener.stdout[out:], connector.stdout)
    table.show()
    left, right = words_of(listener.stderr[err:]), words_of(connector.stderr) + [f"(exit code {code})"]
    for row in range(max(len(left), len(right))):
        print_row(left[row] if row < len(left) else "", right[row] if row < len(right) else "")
    if code != expected_code:
        table.wrong.append(f"the connecting side's exit code should be {expected_code}, not {code}")
    return table.wrong


def main():
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda *_: sys.exit(1))  # so that every `with` below still ends its program
    pake = sys.argv[1]
    wrong = []
    with Program([pake, "eke", "listen", "127.0.0.1:0"]) as listener:
        address = listener.wait_for(r"127\.0\.0\.1:\d+", "stderr")[0]
        warning = listener.wait_for("^.*insecure.*$", "stderr")[0]
        print(f"\nBoth sides begin with a warning on stderr:\n\n{textwrap.fill(warning, 2 * COLUMN, **INDENT)}")
        for scene in SCENES:
            try:
                wrong += play(scene, pake, address, listener)
            except AssertionError as what:  # something was not printed in time, or a program did not end
                wrong.append(str(what))
    print()
    for what in wrong:
        print(styled(f"wrong: {what}", 31))
    print(styled("demo: not as it should be", 31) if wrong else styled("demo: all three as they should be", 32))
    print(f"\nTo play by hand, in two terminals:\n\n  {pake} eke listen\n  {pake} eke connect\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
