"""A running `pake serve`, and clients of it that share no line with it. Debian's python3-cryptography and -argon2."""

import os
import re
import secrets
import socket
import subprocess
import sys
import threading
import time

from harness import Case, PATIENCE, tcp

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, "interop", "channel"))
import pakes  # noqa: E402
import wire  # noqa: E402

PASSWORD = "correct horse battery"
AEADS = (wire.CHACHA20_POLY1305,)
SERVER_HELLO_SIZE = 4 + 4 + 2 + 2 + 320  # of a login in ristretto255


class Sink:
    """What `Pipe.read_all` writes to."""

    def __init__(self):
        self.data = b""

    def write(self, data):
        self.data += data

    def flush(self):
        pass


class Guess:
    """A login that has its ServerHello, from somebody who does not know the password and need not stretch it."""

    def __init__(self, address, name="alice", source=None, server_name=b"", device=None, hello=None):
        self.connection = socket.create_connection(tcp(address), PATIENCE, source_address=source and (source, 0))
        client = wire.ByPassword(name.encode(), b"a wrong guess", device=device)
        self.hello = hello or wire.make_hello(client, secrets.token_bytes(32), AEADS, (wire.OPAQUE_RISTRETTO255,), server_name, b"")
        self.connection.sendall(self.hello)

    def answer(self):
        """The frame that came: a ServerHello, or an Alert raised."""
        return wire.read_frame(self.connection, (wire.SERVER_HELLO,), wire.MAX_HELLO)

    def finish(self):
        """Proves nothing. Returns the Alert."""
        try:
            self.connection.sendall(wire.frame(wire.CLIENT_FINISH, secrets.token_bytes(64)))
            wire.read_frame(self.connection, (), 0)
        except wire.Alert as alert:
            return alert
        finally:
            self.connection.close()
        raise AssertionError("no alert")

    def hang_up(self):
        self.connection.close()


def spend(address, name="alice", source=None, device=None):
    """One guess to its end. A guess that is not yet committed still holds its slot: then again, a moment later."""
    deadline = time.monotonic() + PATIENCE
    while True:
        guess = Guess(address, name, source, device=device)
        try:
            guess.answer()
            return guess.finish()
        except wire.Alert as alert:
            guess.hang_up()
            if alert.retry_after > 60 or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


class Session:
    """A channel of somebody who knows the password, or has a ticket."""

    def __init__(self, address, name="alice", password=PASSWORD, ticket=None, service=b"echo", source=None, device=None):
        self.connection = socket.create_connection(tcp(address), PATIENCE, source_address=source and (source, 0))
        client = wire.ByTicket(*ticket) if ticket else wire.ByPassword(name.encode(), password.encode(), device=device)
        suites = None if ticket else (wire.OPAQUE_RISTRETTO255, wire.OPAQUE_P256)
        self.keys, finish = wire.client_handshake(self.connection, client, AEADS, suites=suites)
        self.pipe = wire.Pipe(self.connection, self.keys, True, finish, service=service)
        self.sink = Sink()

    def say(self, text):
        """Sends all of it, reads to the end, and closes; returns what came."""
        def write():
            self.pipe.write(text)
            self.pipe.finish_writing()

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        self.pipe.read_all(self.sink)
        writer.join()
        self.connection.close()
        return self.sink.data

    @property
    def ticket(self):
        return self.pipe.ticket and (self.pipe.ticket, self.keys.resumption)

    def read_until(self, done):
        """Handles frames as they come until done() holds."""
        while not done():
            record = wire.read_frame(self.connection, (wire.DATA, wire.CLOSE), wire.MAX_PLAINTEXT + 16)
            plaintext = self.pipe.opener.open(record)
            if record[0] == wire.CLOSE:
                raise Closed(plaintext[0])
            reader = wire.Reader(plaintext)
            while reader.at < len(plaintext):
                kind, size, stream = reader.number(1), reader.number(3), reader.number(4)
                payload = reader.take(size)
                if kind == wire.RESET:
                    raise WasReset(payload[0])
                self.pipe.on_frame(kind, stream, payload, self.sink)

    def echo(self, line):
        """One line there and back; the channel goes on."""
        before = len(self.sink.data)
        self.pipe.write(line + b"\n")
        expected = b"receive " + line + b"\n"
        self.read_until(lambda: len(self.sink.data) >= before + len(expected))
        return self.sink.data[before:] == expected

    def hang_up(self):
        self.connection.close()


class Closed(Exception):
    """The server has closed the channel; `code` is how."""

    def __init__(self, code):
        self.code = code
        super().__init__(f"closed with {code}")


class WasReset(Exception):
    def __init__(self, code):
        self.code = code
        super().__init__(f"reset with {code}")


class ServeCase(Case):
    """Tests of a server on a fresh store."""

    def setUp(self):
        super().setUp()
        self.data = os.path.join(self.directory, "data")

    def serve(self, *args, address="127.0.0.1:0", data=None, **how):
        """A server that listens; `address` is where."""
        server = self.start("serve", address, "--data", data or self.data, "--ksf", "small", *args, **how)
        server.address = server.wait_for(r"listening on (\S+)\n", "err")[1]
        return server

    def pake(self, *args, code=0, **how):
        """Runs a command on the store to its end, and holds it to its exit code."""
        program = self.run_pake(*args, "--data", self.data, **how)
        self.assertEqual(program.code, code, program.err)
        return program

    def add_user(self, name="alice", password=PASSWORD):
        self.pake("user", "add", name, env={"PAKE_PASSWORD": password})

    def refused(self, call, code=wire.REFUSED):
        """The Alert with which `call` ends."""
        with self.assertRaises(wire.Alert) as caught:
            call()
        self.assertEqual(caught.exception.code, code)
        return caught.exception
