"""Runs the real `pake` and what stands between two of them. Python's standard library alone.

PAKE names the binary. Whatever a test starts ends with it; a sanitizer's report in any output fails the test.
"""

import contextlib
import os
import re
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

PAKE = os.path.abspath(os.environ["PAKE"])
PATIENCE = 60  # seconds for what should come at once; a test that waits so long has failed

OK, FAILED, USAGE, AUTH_FAILED, UNREACHABLE, CUT_SHORT, PROTOCOL, STORE = 0, 1, 2, 3, 4, 6, 7, 9

PEM = r"-----BEGIN PUBLIC KEY-----\n(?:[A-Za-z0-9+/=]+\n)+-----END PUBLIC KEY-----\n"


def has_ipv6():
    """Whether this machine has ::1; many a container has not."""
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
        return True
    except OSError:
        return False


needs_ipv6 = unittest.skipUnless(has_ipv6(), "this machine has no ::1")


def as_shells_say(code):
    """Python's exit code as a shell says it: 128 and the signal's number, for a program that a signal ended."""
    return 128 - code if code < 0 else code


class Program:
    """A running program whose output can be waited for."""

    def __init__(self, *args, program=PAKE, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=None, pass_fds=(), has_terminal=True):
        """`has_terminal` is false for a program that shall find none, even if these tests run at one."""
        environment = {k: v for k, v in os.environ.items() if k not in ("PAKE_PASSWORD", "PAKE_NEW_PASSWORD", "PAKE_CODE")} | (env or {})
        self.process = subprocess.Popen([program, *args], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE,
                                        env=environment, pass_fds=pass_fds, start_new_session=not has_terminal)
        self._changed = threading.Condition()
        self._text = {"out": b"", "err": b""}
        self._readers = [threading.Thread(target=self._read, args=(name, pipe), daemon=True)
                         for name, pipe in (("out", self.process.stdout), ("err", self.process.stderr)) if pipe]
        for reader in self._readers:
            reader.start()

    def _read(self, name, pipe):
        with pipe:
            while chunk := pipe.read1(65536):
                with self._changed:
                    self._text[name] += chunk
                    self._changed.notify_all()

    @property
    def out(self):
        return self._text["out"].decode(errors="surrogateescape")

    @property
    def err(self):
        return self._text["err"].decode(errors="surrogateescape")

    def wait_for(self, pattern, where="out"):
        """Waits until the output has a match of `pattern`, and returns it."""
        with self._changed:
            found = self._changed.wait_for(lambda: re.search(pattern, getattr(self, where)), PATIENCE)
        assert found, f"no {pattern!r} in std{where}:\n{getattr(self, where)}"
        return found

    def wait_for_end_of_output(self):
        """Waits until the program has closed its stdout; it may go on."""
        self._readers[0].join(PATIENCE)
        assert not self._readers[0].is_alive(), "stdout stays open"

    def write(self, text):
        self.process.stdin.write(text.encode(errors="surrogateescape"))
        self.process.stdin.flush()

    def wait(self, timeout=PATIENCE):
        """Waits for the program's own end, its stdin closed; returns its exit code."""
        if self.process.stdin:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        code = self.process.wait(timeout)
        for reader in self._readers:
            reader.join()
        return as_shells_say(code)

    def stop(self, signal_number=signal.SIGTERM):
        self.process.send_signal(signal_number)
        return self.wait()

    def open_files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))


class Case(unittest.TestCase):
    """A test that ends what it started, and looks at how that ended."""

    def setUp(self):
        self.directory = tempfile.mkdtemp(prefix="pake-system-")
        self.addCleanup(shutil.rmtree, self.directory)
        self._programs = []
        self.addCleanup(self._end_programs)

    def _end_programs(self):
        for program in self._programs:
            if program.process.poll() is None:
                program.process.kill()
            program.wait()
            self.assertNotRegex(program.err, "Sanitizer|runtime error")

    def path(self, name, content=None):
        path = os.path.join(self.directory, name)
        if content is not None:
            with open(path, "w", opener=lambda p, f: os.open(p, f, 0o600)) as file:
                file.write(content)
        return path

    def start(self, *args, **how):
        program = Program(*args, **how)
        self._programs.append(program)
        return program

    def run_pake(self, *args, **how):
        """Runs to the end; returns the program, whose `code` is its exit code."""
        program = self.start(*args, **how)
        program.code = program.wait()
        return program

    def listen(self, *args, address="127.0.0.1:0", **how):
        """A listener that is ready; `address` is where."""
        listener = self.start("eke", "listen", address, *args, **how)
        listener.address = listener.wait_for(r"listening on (.*)\n", "err")[1]
        return listener

    def connect(self, address, *args, lines="", **how):
        """A whole session of `pake eke connect` that sends `lines`."""
        connector = self.start("eke", "connect", address, *args, stdin=subprocess.PIPE, **how)
        try:
            connector.write(lines)
        except BrokenPipeError:
            pass
        connector.code = connector.wait()
        return connector

    def assert_serves(self, listener, *args):
        """The listener still does what it is there for."""
        connector = self.connect(listener.address, *args, lines="still there?\n")
        self.assertEqual((connector.code, connector.err.count("error:")), (OK, 0), connector.err)
        self.assertIn("Server say: receive still there?\n", connector.out)

    def assert_files_return_to(self, listener, count):
        """No descriptor of a connection that has ended stays open."""
        deadline = time.monotonic() + PATIENCE
        while listener.open_files() > count and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertLessEqual(listener.open_files(), count)


def tcp(address):
    host, port = address.rsplit(":", 1)
    return host.strip("[]"), int(port)


def reset(connection):
    """Closes with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RD)  # a thread that waits for bytes would hold the connection open
    connection.close()


# The handshake's messages with the seed's user and a key of 1024 bits: who sends them, and how long they are.
TO_LISTENER, TO_CONNECTOR = "to the listener", "to the connector"
MESSAGES = {1: (TO_LISTENER, 6), 2: (TO_CONNECTOR, 3), 3: (TO_LISTENER, 364), 4: (TO_CONNECTOR, 236),
            5: (TO_LISTENER, 24), 6: (TO_CONNECTOR, 44), 7: (TO_LISTENER, 24)}


class Relay:
    """Stands between a connector and the listener, and may do to each handshake message what `edit` says.

    edit(number, data) gives what happens instead of passing `data` on: bytes to pass on, numbers of seconds to wait,
    "fin" or "rst" to break both connections off, or "stop" to let nothing more pass in this direction. The chat that
    follows is passed on as it is.
    """

    def __init__(self, listener_address, edit):
        self._listener_address = tcp(listener_address)
        self._edit = edit
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.close()

    def _serve(self):
        while True:
            try:
                connector, _ = self._server.accept()
            except OSError:
                return
            threading.Thread(target=self._relay, args=(connector,), daemon=True).start()

    def _relay(self, connector):
        listener = socket.create_connection(self._listener_address)
        for side in (connector, listener):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            for number, (direction, size) in MESSAGES.items():
                source, target = (connector, listener) if direction == TO_LISTENER else (listener, connector)
                data = self._read(source, size)
                for action in self._edit(number, data):
                    if action in ("fin", "rst", "stop"):
                        return self._end(action, connector, listener)
                    if isinstance(action, bytes):
                        target.sendall(action)
                    else:
                        time.sleep(action)
            self._pass_on(connector, listener)
        except OSError:  # a side has closed: so do we
            pass
        finally:
            connector.close()
            listener.close()

    @staticmethod
    def _read(source, size):
        data = b""
        while len(data) < size:
            chunk = source.recv(size - len(data))
            if not chunk:
                raise ConnectionError
            data += chunk
        return data

    @staticmethod
    def _end(how, connector, listener):
        if how == "stop":
            connector.settimeout(PATIENCE)
            while connector.recv(4096):
                pass
        for side in (connector, listener):
            if how == "rst":
                reset(side)

    @staticmethod
    def _pass_on(connector, listener):
        with selectors.DefaultSelector() as ready:
            ready.register(connector, selectors.EVENT_READ, listener)
            ready.register(listener, selectors.EVENT_READ, connector)
            while ready.get_map():
                for key, _ in ready.select():
                    data = key.fileobj.recv(4096)
                    if data:
                        key.data.sendall(data)
                    else:
                        ready.unregister(key.fileobj)
                        key.data.shutdown(socket.SHUT_WR)
