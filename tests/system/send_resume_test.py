"""`pake send` and `pake receive` after a cut, after a kill, and after a restart of either side."""

import os
import random
import signal
import time
import unittest

from harness import CUT_SHORT, OK, PATIENCE
from sending import Cutter, Transfers, data

SIZE = 6_000_000


class Resume(Transfers):
    def through(self, sender, *cuts):
        cutter = Cutter(sender.address, cuts)
        self.addCleanup(cutter.close)
        sender.address = cutter.address
        return cutter

    def wait_until(self, holds, what):
        deadline = time.monotonic() + PATIENCE
        while not holds():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.01)

    def part_size(self, name):
        try:
            return os.stat(self.path(f"out/{name}.pake-part")).st_size
        except FileNotFoundError:
            return 0


class Cuts(Resume):
    """Both sides go on by themselves, without the code."""

    def test_three_cuts(self):
        sender = self.sender(self.put("big", data(SIZE)))
        cutter = self.through(sender, 2_000_000, 1_500_000, 1_000_000)
        receiver = self.receiver(sender)
        self.assert_ends(sender, receiver, (OK, OK))
        self.assertEqual(cutter.cuts, 3)
        self.assertEqual(self.read("out/big"), data(SIZE))
        self.assertEqual(os.listdir(self.path("out")), ["big"])
        self.assertEqual(receiver.err.count("note: big goes on behind "), 3, receiver.err)
        self.assertEqual((sender.err.count("connected again"), receiver.err.count("connected again")), (3, 3))

    def test_at_any_byte(self):
        """The handshake of the second channel, its offer, its first answers: whatever the byte, it goes on."""
        seed = int.from_bytes(os.urandom(4), "big")
        choice = random.Random(seed)
        for number in range(6):
            with self.subTest(seed=seed, number=number):
                self.put("tree/a", data(300_000, number))
                self.put("tree/b", data(10, number))
                sender = self.sender(self.path("tree"))
                cutter = self.through(sender, choice.randrange(400, 300_000), choice.randrange(1, 1500),
                                      choice.randrange(1, 1500))
                receiver = self.receiver(sender, "--overwrite")
                self.assert_ends(sender, receiver, (OK, OK))
                self.assertGreaterEqual(cutter.cuts, 1)
                self.assertEqual(self.read("out/tree/a"), data(300_000, number))
                self.assertEqual(self.read("out/tree/b"), data(10, number))

    def test_nothing_is_sent_twice(self):
        for number in range(200):
            self.put(f"tree/{number:03}", data(5000, number))
        sender = self.sender(self.path("tree"), "--json")
        cutter = self.through(sender, 400_000, 300_000)
        receiver = self.receiver(sender, "--json")
        self.assert_ends(sender, receiver, (OK, OK))
        self.assertEqual(cutter.cuts, 2)
        self.assertEqual(receiver.out.count('"event":"stored"'), 200)
        self.assertIn('{"event":"done","stored":200,"unchanged":0,"missing":0}', receiver.out)
        for number in range(200):
            self.assertEqual(self.read(f"out/tree/{number:03}"), data(5000, number))

    def test_without_a_wait_a_cut_is_the_end(self):
        sender = self.sender(self.put("big", data(SIZE)), "--wait", "0")
        self.through(sender, 1_000_000)
        receiver = self.receiver(sender, "--wait", "0")
        self.assert_ends(sender, receiver, (CUT_SHORT, CUT_SHORT))
        self.assertEqual(os.listdir(self.path("out")), ["big.pake-part"])

    def test_a_wait_ends(self):
        sender = self.sender(self.put("big", data(SIZE)), "--wait", "1")
        self.through(sender, 1_000_000)
        receiver = self.receiver(sender, "--wait", "0")
        self.assert_ends(sender, receiver, (CUT_SHORT, CUT_SHORT))
        self.assertIn("did not come back", sender.err)
        self.assertIn("hint: run it again", sender.err)

    def test_the_code_does_not_open_the_second_channel(self):
        sender = self.sender(self.put("big", data(SIZE)), "--wait", "60")
        direct = sender.address
        self.through(sender, 1_000_000)
        receiver = self.receiver(sender, "--wait", "0")
        self.assertEqual(receiver.wait(), CUT_SHORT)
        sender.wait_for("waiting 60 s", "err")
        sender.address = direct
        again = self.receiver(sender)
        self.assertNotEqual(again.wait(), OK)
        self.assertIsNone(sender.process.poll(), "and costs nothing")
        self.assertEqual(sender.stop(), 128 + signal.SIGTERM)

    def test_stdin_is_read_once(self):
        with open(self.put("in", data(SIZE)), "rb") as source:
            sender = self.sender("-", stdin=source)
            self.through(sender, 1_000_000)
            receiver = self.receiver(sender, "--wait", "1")
            self.assert_ends(sender, receiver, (CUT_SHORT, CUT_SHORT))


class Restarts(Resume):
    """A new code goes on with what is there."""

    def interrupted(self, kill_whom, number=signal.SIGKILL):
        """One side is ended once a part of the file has arrived; returns both as they ended."""
        sender = self.sender(self.put("big", data(SIZE)), "--wait", "0")
        cutter = Cutter(sender.address, [1_500_000], stalls=True)
        self.addCleanup(cutter.close)
        sender.address = cutter.address
        before = self.part_size("big")
        receiver = self.receiver(sender, "--wait", "0")
        self.wait_until(lambda: self.part_size("big") > before, "nothing arrives")
        (sender if kill_whom == "sender" else receiver).process.send_signal(number)
        cutter.close()
        sender.wait()
        receiver.wait()
        self.assertTrue(0 < self.part_size("big") < SIZE, "it was not in the middle")
        return sender, receiver

    def test_either_side_is_killed(self):
        for whom in ("sender", "receiver"):
            self.interrupted(whom)
        there = self.part_size("big")
        sender = self.sender(self.path("big"))
        receiver = self.receiver(sender)
        self.assert_ends(sender, receiver, (OK, OK))
        self.assertIn("note: big goes on behind ", receiver.err)
        self.assertGreater(there, 0)
        self.assertEqual(self.read("out/big"), data(SIZE))
        self.assertEqual(os.listdir(self.path("out")), ["big"])

    def test_a_part_of_other_bytes_is_begun_anew(self):
        self.put("out/big.pake-part", b"x" * 1000)
        sender = self.sender(self.put("big", data(SIZE)))
        self.assert_ends(sender, self.receiver(sender), (OK, OK))
        self.assertEqual(self.read("out/big"), data(SIZE))

    def test_a_part_that_is_longer_than_the_file_is_begun_anew(self):
        self.put("out/big.pake-part", data(SIZE) + b"more")
        sender = self.sender(self.put("big", data(SIZE)))
        self.assert_ends(sender, self.receiver(sender), (OK, OK))
        self.assertEqual(self.read("out/big"), data(SIZE))

    def test_a_part_that_is_the_whole_file_only_gets_its_name(self):
        self.put("out/big.pake-part", data(SIZE))
        sender = self.sender(self.put("big", data(SIZE)))
        self.assert_ends(sender, self.receiver(sender), (OK, OK))
        self.assertEqual(self.read("out/big"), data(SIZE))

    def test_signals_leave_the_part_and_nothing_else(self):
        for number in (signal.SIGINT, signal.SIGTERM):
            _, receiver = self.interrupted("receiver", number)
            self.assertEqual(receiver.wait(), 128 + number)
            self.assertEqual(os.listdir(self.path("out")), ["big.pake-part"])


del Resume  # not a group of its own

if __name__ == "__main__":
    unittest.main(verbosity=2)
