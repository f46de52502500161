"""The promise of exit code 0, and what a run needs before a code is at stake."""

import io
import os
import signal
import socket
import subprocess
import time
import unittest

from harness import CUT_SHORT, FAILED, OK, PAKE
from pipe_network_test import shake_hands
from pipe_test import Pipe, data

import wire  # noqa: E402  the path is pipe_network_test's

IS_SANITIZED = b"__asan_init" in open(PAKE, "rb").read()


class Delivery(Pipe):
    """Whoever ends with 0 knows that the other side has stored everything."""

    def test_a_reader_that_goes_away(self):
        reader = subprocess.Popen(["sleep", "1"], stdin=subprocess.PIPE)
        host = self.host(stdout=reader.stdin)
        reader.stdin.close()
        with self.file("zeros", 200_000) as zeros:
            caller = self.dial(host.address, host.code_shown, stdin=zeros)
            self.assertEqual((caller.wait(), host.wait()), (CUT_SHORT, FAILED), caller.err + host.err)
        self.assertIn("could not write all", caller.err)
        reader.wait()

    def test_a_file_that_fills_up_near_the_end(self):
        size = 300_000
        for limit in (size - 1, size - 1000, size - 70_000, 1):
            for receiver in ("host", "caller"):
                with self.subTest(limit=limit, receiver=receiver), self.file("a", size) as a, self.sink("x") as x:
                    limited = {"program": "/usr/bin/prlimit", "stdout": x}
                    words = (f"--fsize={limit}", PAKE)
                    if receiver == "host":
                        host = self.start(*words, "listen", "127.0.0.1:0", **limited)
                    else:
                        host = self.start("listen", "127.0.0.1:0", stdin=a)
                    code = host.wait_for(r"the code is  (\S+)\n", "err")[1]
                    address = host.wait_for(r"pake dial (127\.0\.0\.1:[0-9]+)\n", "err")[1]
                    if receiver == "host":
                        caller = self.dial(address, code, stdin=a)
                        self.assertEqual((caller.wait(), host.wait()), (CUT_SHORT, FAILED), caller.err + host.err)
                    else:
                        caller = self.start(*words, "dial", address, env={"PAKE_CODE": code}, **limited)
                        self.assertEqual((host.wait(), caller.wait()), (CUT_SHORT, FAILED), caller.err + host.err)

    def test_a_slow_reader_is_waited_for_and_that_is_said(self):
        # More than a pipe holds, and no more beyond that than a stream's first window: all of it can be sent.
        reading, writing = os.pipe()
        host = self.host(stdout=writing)
        os.close(writing)
        with self.file("a", 70_000) as a:
            caller = self.dial(host.address, host.code_shown, stdin=a)
            caller.wait_for("note: the other side has not stored everything yet", "err")
            self.assertIsNone(caller.process.poll())
            with open(reading, "rb") as slow:
                self.assertEqual(slow.read(), data(70_000))
            self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)

    def test_that_wait_ends_on_a_signal(self):
        reading, writing = os.pipe()
        host = self.host(stdout=writing)
        os.close(writing)
        with self.file("a", 70_000) as a:
            caller = self.dial(host.address, host.code_shown, stdin=a)
            caller.wait_for("note: the other side has not stored everything yet", "err")
            caller.stop(signal.SIGINT)
            self.assertIn(caller.wait(), (128 + signal.SIGINT, -signal.SIGINT))
        os.close(reading)
        self.assertNotEqual(host.wait(), OK)


class Needs(Pipe):
    """What is missing is found out before the code is at stake."""

    def is_told_first(self, limits, *words):
        """`pake WORDS` under these limits ends with one error line and code 1."""
        program = self.start(*limits, PAKE, *words, program="/usr/bin/prlimit", env={"PAKE_CODE": "copper-copper-11"})
        self.assertEqual(program.wait(), FAILED, program.err)
        self.assertEqual(program.err.count("error: "), 1, program.err)
        self.assertNotIn("terminate called", program.err)
        self.assertNotIn("the code is", program.err)
        self.assertNotIn("connected", program.err)

    @unittest.skipIf(IS_SANITIZED, "without a descriptor UBSan takes every object for one of another type")
    def test_descriptors(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(0.2)
            for files in range(5, 18):
                with self.subTest(files=files):
                    self.is_told_first((f"--nofile={files}:{files}",), "listen", "127.0.0.1:0")
                    self.is_told_first((f"--nofile={files}:{files}",), "dial", "127.0.0.1:%d" % server.getsockname()[1])
            with self.assertRaises(TimeoutError):
                server.accept()

    @unittest.skipIf(IS_SANITIZED, "a sanitizer needs more memory than any limit")
    def test_memory(self):
        for megabytes in (30, 45, 60):
            with self.subTest(megabytes=megabytes):
                program = self.start(f"--as={megabytes << 20}", PAKE, "listen", "127.0.0.1:0", program="/usr/bin/prlimit")
                time.sleep(0.5)
                if program.process.poll() is None:
                    self.assertIn("the code is", program.err)
                    program.stop()
                else:
                    self.assertNotIn("terminate called", program.err)
                    self.assertNotIn("the code is", program.err)

    def test_an_input_that_cannot_be_read(self):
        """nohup's stdin is open for writing alone."""
        with open("/dev/null", "wb") as unreadable:
            for words in (("listen", "127.0.0.1:0"), ("dial", "127.0.0.1:1")):
                program = self.start(*words, stdin=unreadable, env={"PAKE_CODE": "copper-copper-11"})
                self.assertEqual(program.wait(), FAILED)
                self.assertIn("error: cannot read stdin: Bad file descriptor\nhint: `< /dev/null` says", program.err)
                self.assertNotIn("the code is", program.err)

    def test_an_output_that_cannot_be_written(self):
        with open("/dev/null", "rb") as unwritable:
            program = self.start("listen", "127.0.0.1:0", stdout=unwritable)
            self.assertEqual(program.wait(), FAILED)
            self.assertIn("error: cannot write to stdout: Bad file descriptor\n", program.err)


class Streams(Pipe):
    def test_those_after_the_pipes_one_are_refused(self):
        host = self.host(stdin=subprocess.PIPE)
        connection, keys, finish = shake_hands(host.address, host.code_shown)
        with connection:
            pipe = wire.Pipe(connection, keys, True, finish)
            for stream in (3, 5):
                pipe.send_frames((wire.OPEN, stream, wire.lp1(b"pipe")))
            refused = {}
            original = pipe.on_frame

            def on_frame(kind, stream, payload, output):
                if stream in (3, 5):
                    refused[stream] = (kind, payload)
                    if len(refused) == 2:
                        raise ConnectionError
                    return None
                return original(kind, stream, payload, output)

            pipe.on_frame = on_frame
            connection.settimeout(30)
            try:
                pipe.read_all(io.BytesIO())
            except ConnectionError:
                pass
        self.assertEqual(refused, {stream: (wire.RESET, b"\x05") for stream in (3, 5)})


if __name__ == "__main__":
    unittest.main(verbosity=2)
