"""How a scene is shown: what two programs print side by side, held row by row against what they should print.

A scene is a table of what each side prints: patterns, None where a side is silent, Typed where a person types. Where both
sides have the same pattern they must print the same text: that is how they are seen to agree.
"""

import os
import re
import shutil
import sys
import textwrap

COLUMN = 47  # two of them, and what stands between, in 100


class Typed(str):
    """A line that the demo types at this side, shown behind a prompt."""


def styled(text, code):
    return f"\x1b[{code}m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text


def print_title(text):
    print(f"\n{styled(text, 1)}\n")


def print_text(text):
    print(textwrap.fill(text, _width(), initial_indent="  ", subsequent_indent="  "))


def print_item(text):
    print(textwrap.fill(text, _width(), initial_indent="  - ", subsequent_indent="    "))


def print_said(line):
    """What a program said, whole, folded at words."""
    print(textwrap.fill(line, _width(), initial_indent="  ", subsequent_indent="    ", break_long_words=False, break_on_hyphens=False))


def print_way(*steps):
    """Who talks to whom, a line for each: name and what it does."""
    for name, what in steps:
        print(f"{name + ':':<14} {what}")
    print()


def _width():
    return min(2 * COLUMN, shutil.get_terminal_size((2 * COLUMN, 24)).columns)


def print_row(left, right):
    lefts, rights = _wrapped(left), _wrapped(right)
    for row in range(max(len(lefts), len(rights))):
        one, other = (cells[row] if row < len(cells) else "" for cells in (lefts, rights))
        print(f"{one:<{COLUMN}} | {other}".rstrip())


def print_rows(left, right):
    for row in range(max(len(left), len(right))):
        print_row(left[row] if row < len(left) else "", right[row] if row < len(right) else "")


def print_heading(left, right):
    print_row(left, right)
    print_row("-" * COLUMN, "-" * COLUMN)


def complaints(stderr):
    """What a side said of how it went wrong, folded to the column."""
    lines = [line for line in stderr.splitlines() if line.startswith(("error:", "hint:"))]
    return [part for line in lines for part in textwrap.wrap(line, COLUMN, subsequent_indent="  ")]


def _wrapped(line):
    """At words; what has none, as a key, is cut."""
    if len(line) <= COLUMN:
        return [line]
    parts = textwrap.wrap(line, COLUMN, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False)
    return [part if len(part) <= COLUMN else part[:COLUMN - 2] + ".." for part in parts]


class Table:
    """Holds a scene's rows against the lines that each side printed; `wrong` collects what was not as it should be."""

    def __init__(self, rows, left, right):
        self._rows, self._left, self._right = rows, list(left), list(right)
        self.wrong = []

    def _take(self, side, lines, pattern):
        if pattern is None:
            return ""
        if isinstance(pattern, Typed):
            return f"> {pattern}"
        if lines and re.fullmatch(pattern, lines[0]):
            return lines.pop(0)
        self.wrong.append(f"the {side} side should print {pattern!r}, not {lines[0] if lines else 'nothing'!r}")
        return ""

    def show(self):
        for left, right in self._rows:
            shown_left, shown_right = self._take("left", self._left, left), self._take("right", self._right, right)
            if left == right and not isinstance(left, Typed) and not isinstance(right, Typed) and shown_left != shown_right:
                self.wrong.append(f"the two sides do not agree: {shown_left!r} and {shown_right!r}")
            print_row(shown_left, shown_right)
        for side, lines in (("left", self._left), ("right", self._right)):
            self.wrong += [f"the {side} side should not print {line!r}" for line in lines]
