"""Drives the programs under test: starts them, waits for what they print, and leaves none behind."""

import re
import subprocess
import threading

DEADLINE = 60  # seconds for anything to be printed or to end; generous, because sanitized builds are slow


class Program:
    """A running program whose output is collected as it comes."""

    def __init__(self, argv, **popen):
        self.argv = [str(word) for word in argv]
        self.process = subprocess.Popen(
            self.argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **popen)
        self._grown = threading.Condition()
        self._output = {"stdout": "", "stderr": ""}
        self._pumps = [threading.Thread(target=self._pump, args=(name,), daemon=True) for name in self._output]
        for pump in self._pumps:
            pump.start()

    def _pump(self, name):
        for line in iter(getattr(self.process, name).readline, b""):
            with self._grown:
                self._output[name] += line.decode("utf-8", "replace")
                self._grown.notify_all()

    @property
    def stdout(self):
        return self._output["stdout"]

    @property
    def stderr(self):
        return self._output["stderr"]

    def wait_for(self, pattern, stream="stdout", since=0):
        """Waits until `pattern` has been printed at or after offset `since`; returns the match."""
        expression = re.compile(pattern, re.MULTILINE)
        with self._grown:
            match = self._grown.wait_for(lambda: expression.search(self._output[stream], since), DEADLINE)
        if not match:
            raise AssertionError(f"no {pattern!r} on {stream} within {DEADLINE} s\n{self}")
        return match

    def send(self, *lines):
        for line in lines:
            self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def end_input(self):
        self.process.stdin.close()

    def finish(self):
        """Waits for the program to end by itself; returns its exit code."""
        self.end_input()
        try:
            code = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {DEADLINE} s\n{self}") from None
        for pump in self._pumps:
            pump.join(DEADLINE)
        return code

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        for pump in self._pumps:
            pump.join(DEADLINE)
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            try:
                stream.close()
            except BrokenPipeError:
                pass

    def __str__(self):
        return f"$ {' '.join(self.argv)}\n--- stdout\n{self.stdout}--- stderr\n{self.stderr}---"
