"""What a person sees: a terminal whose screen is drawn, by pyte (Debian's python3-pyte)."""

import select
import time

import pyte

from harness import PATIENCE
from terminal import Terminal


class Screen(Terminal):
    def __init__(self, *args, columns=80, **how):
        self._screen = pyte.Screen(columns, 24)
        self._stream = pyte.ByteStream(self._screen)
        super().__init__(*args, columns=columns, **how)

    def _read(self):
        data = super()._read()
        self._stream.feed(data)
        return data

    def resize(self, columns, rows=24):
        self._screen.resize(rows, columns)
        super().resize(columns, rows)

    def rows(self):
        return [row.rstrip() for row in self._screen.display if row.strip()]

    def drawn(self):
        """The line that is being typed, behind its prompt: its rows put together."""
        rows = self._screen.display
        first = max((n for n, row in enumerate(rows) if row.startswith("> ")), default=0)
        return "".join(rows[first:]).rstrip()

    def settle(self):
        """Draws what comes until nothing has come for a moment."""
        while select.select([self._master], [], [], 0.3)[0]:
            self._seen += self._read()

    def wait_for_rows(self, *wanted):
        """Until the last rows are these."""
        self.wait_for(lambda rows: rows[-len(wanted):] == list(wanted))

    def wait_for(self, condition):
        """Until `condition` holds of the rows."""
        deadline = time.monotonic() + PATIENCE / 4
        while not condition(self.rows()):
            assert select.select([self._master], [], [], max(0, deadline - time.monotonic()))[0], "\n".join(self.rows())
            self._seen += self._read()
