"""`pake listen` and `pake dial`: two people and a code. The Python peer, written from docs/wire.md alone, stands in for either."""

import contextlib
import json
import os
import random
import select
import signal
import socket
import subprocess
import sys
import threading
import time
import unittest

from harness import (AUTH_FAILED, CUT_SHORT, FAILED, OK, PAKE, PATIENCE, PROTOCOL, UNREACHABLE, USAGE, Case, needs_ipv6,
                     reset, tcp)

THROTTLED = 5
PEER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "interop", "channel", "channel_peer.py")
SIZES = (0, 1, 16_385, 3_000_000)
RUNS = int(os.environ.get("PAKE_PIPE_RUNS", 16))  # scripts/soak has hundreds


def data(size):
    return random.Random(size).randbytes(size)


class Pipe(Case):
    def host(self, *args, **how):
        """A `pake listen` that shows its code, which is also where it listens."""
        program = self.start("listen", "127.0.0.1:0", *args, **how)
        program.code_shown = program.wait_for(r"the code is  (\S+)\n", "err")[1]
        program.address = program.wait_for(r"pake dial (127\.0\.0\.1:[0-9]+)\n", "err")[1]
        return program

    def dial(self, address, code, *args, **how):
        return self.start("dial", address, *args, env={"PAKE_PASSWORD": code}, **how)

    def file(self, name, size):
        with open(self.path(name), "wb") as file:
            file.write(data(size))
        return open(self.path(name), "rb")

    def sink(self, name):
        return open(self.path(name), "wb")

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def python_peer(self, role, *args, stdin, stdout):
        peer = subprocess.Popen([sys.executable, PEER, role, *args], stdin=stdin, stdout=stdout, stderr=subprocess.PIPE)
        self.addCleanup(peer.stderr.close)
        self.addCleanup(peer.wait)
        self.addCleanup(peer.kill)
        return peer


class Bytes(Pipe):
    def test_arrive_both_ways_and_both_end_well(self):
        for there, back in zip(SIZES, reversed(SIZES)):
            with self.subTest(there=there, back=back):
                with self.file("a", there) as a, self.file("b", back) as b, self.sink("x") as x, self.sink("y") as y:
                    host = self.host(stdin=a, stdout=x)
                    caller = self.dial(host.address, host.code_shown, stdin=b, stdout=y)
                    self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
                self.assertEqual(self.read("y"), data(there))
                self.assertEqual(self.read("x"), data(back))

    def arrive_over(self, address):
        with self.file("a", 70_000) as a, self.file("b", 1) as b, self.sink("x") as x, self.sink("y") as y:
            host = self.start("listen", address, stdin=a, stdout=x)
            code = host.wait_for(r"the code is  (\S+)\n", "err")[1]
            caller = self.dial(host.wait_for(r"pake dial (\S+)\n", "err")[1], code, stdin=b, stdout=y)
            self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
        self.assertEqual((self.read("y"), self.read("x")), (data(70_000), data(1)))

    @needs_ipv6
    def test_arrive_over_ipv6(self):
        self.arrive_over("[::1]:0")

    def test_arrive_over_a_unix_socket(self):
        self.arrive_over(f"unix:{self.path('socket')}")
        self.assertFalse(os.path.exists(self.path("socket")), "its path goes with it")

    def test_a_full_disk_is_said_on_both_sides(self):
        with self.file("a", 300_000) as a, open("/dev/full", "wb") as full:
            host = self.host(stdin=a)
            caller = self.dial(host.address, host.code_shown, stdout=full)
            self.assertEqual((caller.wait(), host.wait()), (FAILED, CUT_SHORT))
        self.assertIn("error: cannot write to stdout: No space left on device", caller.err)

    def test_a_trace_that_cannot_be_kept_holds_nothing_up(self):
        with self.file("a", 300_000) as a, self.sink("y") as y:
            host = self.host("--trace", "/dev/full", stdin=a)
            caller = self.dial(host.address, host.code_shown, stdout=y)
            self.assertEqual((caller.wait(), host.wait()), (OK, FAILED), caller.err + host.err)
        self.assertEqual(self.read("y"), data(300_000))
        self.assertIn("error: cannot write the trace /dev/full: No space left on device", host.err)

    def test_a_trace_that_cannot_be_kept_does_not_hide_how_it_ended(self):
        host = self.host("--trace", "/dev/full")
        caller = self.dial(host.address, "copper-copper-11", "--trace", "/dev/full")
        self.assertEqual((caller.wait(), host.wait()), (AUTH_FAILED, AUTH_FAILED), caller.err + host.err)
        for program in (caller, host):
            self.assertIn("error: cannot write the trace /dev/full: No space left on device", program.err)

    def test_a_trace_tells_every_frame(self):
        trace = self.path("trace")
        host = self.host()
        caller = self.dial(host.address, host.code_shown, "--trace", trace)
        self.assertEqual((caller.wait(), host.wait()), (OK, OK))
        with open(trace) as file:
            frames = [json.loads(line) for line in file]
        self.assertEqual([frame["frame"] for frame in frames[:3]], ["client_hello", "server_hello", "client_finish"])
        self.assertEqual(frames[-1]["frame"], "close")
        for frame in frames:
            self.assertEqual(len(bytes.fromhex(frame["bytes"])), frame["size"])
        self.assertNotIn(host.code_shown.encode().hex(), "".join(frame["bytes"] for frame in frames))


class Codes(Pipe):
    def test_a_wrong_one_ends_both(self):
        host = self.host()
        caller = self.dial(host.address, "copper-copper-11")
        self.assertEqual((caller.wait(), host.wait()), (AUTH_FAILED, AUTH_FAILED))
        self.assertEqual(host.out + caller.out, "")

    def test_a_typing_error_costs_nothing(self):
        host = self.host()
        caller = self.dial(host.address, "coppr-copper-11")
        self.assertEqual(caller.wait(), USAGE)
        self.assertIn("nothing was sent", caller.err)
        again = self.dial(host.address, host.code_shown.upper().replace("-", "  "))
        self.assertEqual((again.wait(), host.wait()), (OK, OK))

    def test_that_nobody_can_see_is_none(self):
        with open("/dev/full", "w") as full:
            program = subprocess.run([PAKE, "listen", "127.0.0.1:0"], stderr=full, timeout=PATIENCE)
        self.assertEqual(program.returncode, FAILED)

    def test_on_the_command_line_it_is_refused(self):
        caller = self.start("dial", "127.0.0.1:1", "copper-copper-11")
        self.assertEqual(caller.wait(), USAGE)
        self.assertIn("hint: use --code-file", caller.err)

    def test_nobody_there(self):
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        self.assertEqual(self.dial(f"127.0.0.1:{port}", "copper-copper-11").wait(), UNREACHABLE)


class Strangers(Pipe):
    def test_scanners_and_silent_ones_cost_nothing(self):
        host = self.host()
        silent = [socket.create_connection(tcp(host.address)) for _ in range(80)]
        for words in (b"", b"GET / HTTP/1.1\r\n\r\n", b"\x01\x00\x00\x10pake", os.urandom(5000)):
            with socket.create_connection(tcp(host.address)) as scanner:
                scanner.sendall(words)
        caller = self.dial(host.address, host.code_shown)
        self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
        for connection in silent:
            connection.close()

    def test_a_second_one_waits_while_the_first_is_answered(self):
        host = self.host()
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)
        answered, go_on = threading.Event(), threading.Event()

        def hold_the_finish():
            near, far = listener.accept()[0], socket.create_connection(tcp(host.address))
            with near, far:
                far.sendall(near.recv(4096))
                reply = far.recv(4096)
                answered.set()
                go_on.wait(PATIENCE)
                near.sendall(reply)
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=copy, args=(source, sink), daemon=True).start()
                caller.wait()

        relay = threading.Thread(target=hold_the_finish)
        caller = self.dial(f"127.0.0.1:{listener.getsockname()[1]}", host.code_shown)
        relay.start()
        self.assertTrue(answered.wait(PATIENCE))
        second = self.dial(host.address, host.code_shown)
        self.assertEqual(second.wait(), THROTTLED)
        self.assertIn("error: somebody else is trying this code: ask for a new one\n", second.err)
        go_on.set()
        self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
        relay.join()


class Impostors(Pipe):
    """What answers the one who dials is no `pake listen`."""

    def dialled(self, answer, *args):
        """The caller, at a server that says `answer` and then nothing, or closes where it is None."""
        with socket.create_server(("127.0.0.1", 0)) as server:
            caller = self.dial("127.0.0.1:%d" % server.getsockname()[1], "copper-copper-11", *args)
            with server.accept()[0] as connection:
                connection.recv(4096)
                if answer is None:
                    connection.close()
                else:
                    connection.sendall(answer)
                caller.wait()
        self.assertEqual(caller.out, "")
        return caller

    def test_silence_ends_at_the_deadline(self):
        for answer in (b"", b"\x03\0\0\x68\1"):
            with self.subTest(answer=answer):
                began = time.monotonic()
                caller = self.dialled(answer, "--deadline", "1")
                self.assertEqual(caller.wait(), CUT_SHORT)
                self.assertIn("error: the handshake broke off: ", caller.err)
                self.assertTrue(1 <= time.monotonic() - began < 9, "10 s unless told otherwise")

    def test_a_closed_door(self):
        self.assertEqual(self.dialled(None).wait(), CUT_SHORT)

    def test_another_protocol(self):
        for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"SSH-2.0-OpenSSH_9.2\r\n", bytes(200), b"\x03\xff\xff\xff"):
            with self.subTest(answer=answer):
                self.assertEqual(self.dialled(answer).wait(), PROTOCOL)

    def test_an_alert_is_told(self):
        for code, exit_code, words in ((1, AUTH_FAILED, "wrong code, or somebody is in between"), (2, THROTTLED, "try again in 7 s"), (3, PROTOCOL, "unavailable"),
                                       (5, PROTOCOL, "unsupported")):
            with self.subTest(code=code):
                seconds = bytes([0, 0, 0, 7 if code == 2 else 0])
                caller = self.dialled(b"\x05\0\0\x05" + bytes([code]) + seconds)
                self.assertEqual(caller.wait(), exit_code)
                self.assertIn(words, caller.err)


class Silence(Pipe):
    @unittest.skipUnless(os.environ.get("PAKE_FULL"), "takes 45 s: PAKE_FULL=1")
    def test_a_side_that_stands_still_is_given_up(self):
        host = self.host(stdin=subprocess.PIPE)
        caller = self.dial(host.address, host.code_shown, stdin=subprocess.PIPE)
        host.wait_for("connected", "err")
        caller.wait_for("connected", "err")
        host.process.send_signal(signal.SIGSTOP)
        began = time.monotonic()
        self.assertEqual(caller.process.wait(PATIENCE), CUT_SHORT)
        self.assertIn("silent for too long", caller.err)
        print(f"after {time.monotonic() - began:.1f} s", file=sys.stderr)
        host.process.send_signal(signal.SIGCONT)
        self.assertEqual(host.wait(), CUT_SHORT)


def copy(source, sink):
    try:
        while chunk := source.recv(65536):
            sink.sendall(chunk)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass


CLOSE_HEADER, CLOSE_SIZE = b"\x11\0\0\x11", 21


class Meddler:
    """A relay that carries `after` bytes that `side` (caller or host) sends, and then cuts both connections with FIN or RST,
    or flips a bit of the next byte and carries on."""

    def __init__(self, host, side, after, how):
        self.carried_a_hello = self.carried_all = self.flipped = False  # all: to the counted side's Close
        self._host, self._side, self._left, self._how = tcp(host.address), side, after, how
        self._bit, self._hello, self._last = after % 8, b"", b""
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    def join(self):
        self._thread.join(PATIENCE)

    def _relay(self):
        near, far = self._server.accept()[0], socket.create_connection(self._host)
        self._server.close()
        with near, far, contextlib.suppress(OSError):  # a side that goes by itself ends it
            self._carry(near, far)
            for connection in (near, far):
                if self._how == "RST":
                    reset(connection)
                else:
                    with contextlib.suppress(OSError):  # that side may have gone already
                        connection.shutdown(socket.SHUT_RDWR)

    def _carry(self, near, far):
        sinks = {near: far, far: near}
        counted = near if self._side == "caller" else far
        while self._left > 0 or self._how == "flip":  # one thread for both ways: a socket that another one waits on does not close
            for source in select.select(list(sinks), (), ())[0]:
                chunk = source.recv(min(self._left, 65536) if source is counted and self._left else 65536)
                if not chunk:
                    raise ConnectionError
                if source is counted and not self._left and not self.flipped:
                    chunk, self.flipped = bytes([chunk[0] ^ 1 << self._bit]) + chunk[1:], True
                sinks[source].sendall(chunk)
                self._note(chunk, source is near, source is counted)

    def _note(self, chunk, of_the_caller, is_counted):
        if of_the_caller and len(self._hello) < 1000:
            self._hello += chunk
            self.carried_a_hello = len(self._hello) >= 4 + int.from_bytes(self._hello[1:4], "big") > 4
        if is_counted:
            self._left = max(0, self._left - len(chunk))
            self._last = (self._last + chunk)[-CLOSE_SIZE:]
            self.carried_all = self._last.startswith(CLOSE_HEADER)


class Cuts(Pipe):
    def say_how_it_went(self, side, after, how, size):
        """A side that ends well has everything; the one that was to read on reports the cut."""
        with self.file("a", size) as a, self.file("b", size) as b, self.sink("x") as x, self.sink("y") as y:
            host = self.host(stdin=a, stdout=x)
            cut = Meddler(host, side, after, how)
            caller = self.dial(cut.address, host.code_shown, stdin=b, stdout=y)
            caller.wait()
        cut.join()
        if not cut.carried_a_hello:
            self.assertIn(caller.wait(), (CUT_SHORT, UNREACHABLE))  # an early RST meets connect()
            self.assertEqual(host.stop(), 128 + signal.SIGTERM)  # nothing was proved or tried: it waits on
        host.wait()
        for program, output in ((host, "x"), (caller, "y")):
            if program.wait() == OK:
                self.assertEqual(self.read(output), data(size))
        reader = host if side == "caller" else caller
        if cut.carried_a_hello and not cut.carried_all:
            self.assertIn(reader.wait(), (CUT_SHORT, AUTH_FAILED) if reader is host else (CUT_SHORT,), reader.err)
            self.assertIn("error: ", reader.err)
        return f"{how} after {after} bytes of the {side}'s, {size} to say: caller {caller.wait()}, host {host.wait()}"

    def test_are_never_taken_for_an_end(self):
        seed = int.from_bytes(os.urandom(4), "big")
        print("seed", seed, file=sys.stderr)
        choice = random.Random(seed)
        for number in range(RUNS):
            size = choice.choice((0, 1, 20_000, 600_000))
            plan = choice.choice(("caller", "host")), choice.randrange(size + 300), choice.choice(("FIN", "RST")), size
            with self.subTest(seed=seed, number=number, plan=plan):
                print(self.say_how_it_went(*plan), file=sys.stderr)

    def test_a_signal_ends_it_and_the_other_side_says_so(self):
        host = self.host(stdin=subprocess.PIPE)
        caller = self.dial(host.address, host.code_shown, stdin=subprocess.PIPE)
        host.wait_for("connected", "err")
        caller.stop(signal.SIGINT)
        self.assertEqual((caller.wait(), host.wait()), (128 + signal.SIGINT, CUT_SHORT))


class Harm(Pipe):
    def say_how_it_went(self, side, after, size):
        """Nobody takes a run with a flipped bit for a good one, nor shows anything that was not said."""
        with self.file("a", size) as a, self.file("b", size) as b, self.sink("x") as x, self.sink("y") as y:
            host = self.host(stdin=a, stdout=x)
            meddler = Meddler(host, side, after, "flip")
            caller = self.dial(meddler.address, host.code_shown, stdin=b, stdout=y)
            caller.wait()
        meddler.join()
        try:
            host.process.wait(3)
        except subprocess.TimeoutExpired:  # what it heard was no hello: it waits on
            self.assertEqual(host.stop(), 128 + signal.SIGTERM)
            self.assertNotIn("connected", host.err)
        for program, output in ((host, "x"), (caller, "y")):
            self.assertTrue(data(size).startswith(self.read(output)))
            if program.wait() == OK:
                self.assertEqual(len(self.read(output)), size)
        reader = host if side == "caller" else caller
        if meddler.flipped:
            self.assertIn(reader.wait(), (AUTH_FAILED, CUT_SHORT, PROTOCOL, 128 + signal.SIGTERM), reader.err)
        return f"bit flipped behind {after} bytes of the {side}'s, {size} to say: caller {caller.wait()}, host {host.wait()}"

    def test_a_flipped_bit_is_noticed(self):
        seed = int.from_bytes(os.urandom(4), "big")
        print("seed", seed, file=sys.stderr)
        choice = random.Random(seed)
        for number in range(RUNS):
            size = choice.choice((1, 20_000, 600_000))
            plan = choice.choice(("caller", "host")), choice.randrange(size + 200), size
            with self.subTest(seed=seed, number=number, plan=plan):
                print(self.say_how_it_went(*plan), file=sys.stderr)


class Python(Pipe):
    """The peer that shares no line of code with us."""

    def test_it_dials(self):
        for more in ((), ("--no-aes",)):
            with self.subTest(more), self.file("a", 300_000) as a, self.file("b", 200_000) as b, self.sink("x") as x, self.sink("y") as y:
                host = self.host(stdin=a, stdout=x)
                port = str(tcp(host.address)[1])
                peer = self.python_peer("dial", "--port", port, "--secret", host.code_shown, *more, stdin=b, stdout=y)
                self.assertEqual((peer.wait(PATIENCE), host.wait()), (OK, OK), host.err)
            self.assertEqual((self.read("y"), self.read("x")), (data(300_000), data(200_000)))

    def test_it_listens(self):
        code = "copper-copper-11"
        for more in ((), ("--no-aes",)):
            with self.subTest(more), self.file("a", 300_000) as a, self.file("b", 200_000) as b, self.sink("x") as x, self.sink("y") as y:
                peer = self.python_peer("listen", "--secret", code, *more, stdin=a, stdout=x)
                where = peer.stderr.readline().decode().split()[-1]
                caller = self.dial(where, code, stdin=b, stdout=y)
                self.assertEqual((peer.wait(PATIENCE), caller.wait()), (OK, OK), caller.err)
            self.assertEqual((self.read("y"), self.read("x")), (data(300_000), data(200_000)))

    def test_a_wrong_code(self):
        host = self.host()
        port = str(tcp(host.address)[1])
        peer = self.python_peer("dial", "--port", port, "--secret", "copper-copper-11", stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self.assertEqual((peer.wait(PATIENCE), host.wait()), (AUTH_FAILED, AUTH_FAILED), host.err)


if __name__ == "__main__":
    unittest.main(verbosity=2)
