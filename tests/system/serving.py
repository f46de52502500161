"""A running `pake serve`, and clients of it that share no line with it. Debian's python3-cryptography and -argon2."""

import glob
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time
import unittest

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

    def __init__(self, address, name="alice", password=PASSWORD, ticket=None, service=b"echo", source=None, device=None,
                 argument=b"", keeps_ticket=True):
        self.connection = socket.create_connection(tcp(address), PATIENCE, source_address=source and (source, 0))
        client = wire.ByTicket(*ticket) if ticket else wire.ByPassword(name.encode(), password.encode(), device=device)
        if not keeps_ticket:
            client.extensions = wire.NO_DEVICE_PLACE.to_bytes(2, "big") + wire.lp2(b"")
        suites = None if ticket else (wire.OPAQUE_RISTRETTO255, wire.OPAQUE_P256)
        self.keys, finish = wire.client_handshake(self.connection, client, AEADS, suites=suites)
        self.pipe = wire.Pipe(self.connection, self.keys, True, finish, service=service, argument=argument)
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
                if kind == wire.RESET and stream not in self.pipe.refused:
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


class Publisher(Session):
    """A client that brings a service: whatever comes on a stream that the server opens goes back as `answer` makes it."""

    def __init__(self, address, service, name="alice", answer=bytes.upper, refuse_with=None):
        super().__init__(address, name, service=b"pake:publish", argument=service)
        self.service, self.answer, self.refuse_with = service, answer, refuse_with
        self.told, self.visitors, self.resets = b"", [], {}  # on stream 1; users; stream -> code
        self.streams = {}  # by number: credit, what is not sent yet, whether the visitor has ended his half
        self.changed = threading.Condition()
        self.closed_with = None
        threading.Thread(target=self._serve, daemon=True).start()

    def wait(self, done):
        with self.changed:
            if not self.changed.wait_for(done, PATIENCE):
                raise AssertionError(f"told {self.told}, visitors {self.visitors}, resets {self.resets}")

    def wait_until_published(self):
        self.wait(lambda: self.told == b"\1" or self.resets)
        return not self.resets

    def _serve(self):
        try:
            while self.closed_with is None:
                self._take(wire.read_frame(self.connection, (wire.DATA, wire.CLOSE), wire.MAX_PLAINTEXT + 16))
        except (OSError, wire.Truncated):
            pass

    def _take(self, record):
        plaintext = self.pipe.opener.open(record)
        with self.changed:
            if record[0] == wire.CLOSE:
                self.closed_with = plaintext[0]
                self.pipe.send_record(wire.CLOSE, b"\0")
            else:
                reader = wire.Reader(plaintext)
                while reader.at < len(plaintext):
                    kind, size, stream = reader.number(1), reader.number(3), reader.number(4)
                    self._on_frame(kind, stream, reader.take(size))
            self.changed.notify_all()

    def _on_frame(self, kind, stream, payload):
        if kind == wire.PING:
            self.pipe.send_frames((wire.PONG, 0, payload))
        elif kind == wire.RESET:
            self.resets[stream] = payload[0]
        elif stream == 1 and kind == wire.STREAM_DATA:
            self.told += payload
        elif stream % 2 == 0 and kind == wire.OPEN:
            if not payload.startswith(wire.lp1(self.service)):
                raise wire.ProtocolError(f"opened under {payload}")
            self.visitors.append(payload[1 + len(self.service):])
            self.streams[stream] = [wire.OWN_CREDIT, b"", False]
            if self.refuse_with is not None:
                self.pipe.send_frames((wire.RESET, stream, bytes([self.refuse_with])))
        elif stream and stream % 2 == 0 and kind == wire.STREAM_DATA and self.refuse_with is None:
            self.pipe.send_frames((wire.WINDOW, stream, len(payload).to_bytes(4, "big")))
            self.streams[stream][1] += self.answer(payload)
            self._flush(stream)
        elif stream in self.streams and kind == wire.WINDOW:
            self.streams[stream][0] += int.from_bytes(payload, "big")
            self._flush(stream)
        elif stream in self.streams and kind == wire.FIN:
            self.streams[stream][2] = True
            self._flush(stream)

    def _flush(self, stream):
        credit, unsent, is_over = self.streams[stream]
        part = unsent[:credit]
        self.streams[stream][:2] = credit - len(part), unsent[len(part):]
        while part:
            self.pipe.send_frames((wire.STREAM_DATA, stream, part[:wire.MAX_PLAINTEXT - 8]))
            part = part[wire.MAX_PLAINTEXT - 8:]
        if is_over and not self.streams[stream][1]:
            self.pipe.send_frames((wire.FIN, stream, b""))
            del self.streams[stream]


class Meeting:
    """A connection of somebody who comes to meet another one."""

    CREATE, JOIN, RESUME, KEEP = 1, 2, 3, 4
    WAITING, JOINED = 1, 2

    def __init__(self, address, action, tries=0, selector=0, token=bytes(16), source=None):
        self.connection = socket.create_connection(tcp(address), PATIENCE, source_address=source and (source, 0))
        self.connection.sendall(self.frame(action, tries, selector, token))

    @staticmethod
    def frame(action, tries=0, selector=0, token=bytes(16)):
        return wire.frame(wire.MEET, b"pake" + bytes([wire.VERSION, action, tries]) + selector.to_bytes(4, "big") + token)

    def met(self):
        """event, selector, token; or an Alert raised."""
        whole = wire.read_frame(self.connection, (wire.MET,), 22)
        reader = wire.Reader(whole[4:])
        version, event, selector, token = reader.number(1), reader.number(1), reader.number(4), reader.take(16)
        if version != wire.VERSION:
            raise wire.ProtocolError(f"version {version}")
        return event, selector, token

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


class Postgresql:
    """A PostgreSQL server of the tests' own: in a fresh directory, under its own user, on a unix socket alone. It writes
    to the disk if `durable`."""

    def __init__(self, directory, durable=False):
        self.durable = durable
        binaries = sorted(glob.glob("/usr/lib/postgresql/*/bin"))
        if not binaries:
            raise unittest.SkipTest("there is no PostgreSQL server here (Debian's package postgresql)")
        self.binaries, self.directory = binaries[-1], os.path.join(directory, "postgresql")
        os.mkdir(self.directory)
        self.is_root = os.geteuid() == 0
        if self.is_root:
            os.chmod(directory, 0o711)
            shutil.chown(self.directory, "postgres")
        self.url = f"postgresql://pake@/postgres?host={self.directory}"
        self._run("initdb", "--no-sync", "-A", "trust", "-U", "pake", "-E", "UTF8", "--no-locale", "-D", self._data)
        self.start()

    @property
    def _data(self):
        return os.path.join(self.directory, "data")

    def _run(self, program, *args):
        as_whom = ("runuser", "-u", "postgres", "--") if self.is_root else ()
        subprocess.run([*as_whom, os.path.join(self.binaries, program), *args], cwd="/", check=True, timeout=PATIENCE,
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def start(self):
        options = f"-k {self.directory} -c listen_addresses='' -c fsync={'on' if self.durable else 'off'} -c max_connections=60"
        self._run("pg_ctl", "-w", "-t", "30", "-D", self._data, "-l", os.path.join(self.directory, "log"), "-o", options,
                  "start")

    def stop(self):
        self._run("pg_ctl", "-w", "-t", "30", "-m", "immediate", "-D", self._data, "stop")


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

    def left(self, name="alice"):
        """How many guesses at the account are left, as the operator sees it."""
        return json.loads(self.pake("user", "show", name, "--json").out)["guesses_left"]

    def wait_until_left(self, count):
        deadline = time.monotonic() + PATIENCE
        while self.left() != count:
            self.assertLess(time.monotonic(), deadline, f"{self.left()} left, not {count}")

    def add_user(self, name="alice", password=PASSWORD):
        self.pake("user", "add", name, env={"PAKE_PASSWORD": password})

    def refused(self, call, code=wire.REFUSED):
        """The Alert with which `call` ends."""
        with self.assertRaises(wire.Alert) as caught:
            call()
        self.assertEqual(caught.exception.code, code)
        return caught.exception
