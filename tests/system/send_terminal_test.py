"""`pake send` and `pake receive` at terminals: the code's prompt, the offer, progress, and Ctrl-C at every stage."""

import os
import signal
import time
import unittest

from harness import CUT_SHORT, FAILED, OK, PATIENCE
from sending import Cutter, Transfers, data
from terminal import Terminal

SIZE = 3_000_000


class AtTerminals(Transfers):
    def terminal(self, *args, **how):
        terminal = Terminal(*args, **how)
        self.addCleanup(terminal.close)
        return terminal

    def asked(self, *paths, args=(), address=None):
        """A sender, and a receiver at a terminal that has been shown the offer."""
        sender = self.sender(*paths, "--wait", "0")
        receiver = self.terminal("receive", address or sender.address, "--out", self.path("out"), "--wait", "0", *args)
        receiver.see("Code: ")
        receiver.type(sender.code_shown + "\r")
        receiver.see("connected: both sides know the code")
        return sender, receiver

    def assert_sane_end(self, terminal, code):
        self.assertEqual(terminal.wait(), code)
        self.assertEqual(terminal.modes(), terminal.modes_before, "the terminal is as it was")


class Offer(AtTerminals):
    def test_is_shown_and_accepted(self):
        for answer in ("y", "yes", "Y"):
            sender, receiver = self.asked(self.put("tree/\x1b[31mred", data(SIZE)), self.put("note.txt", b"12345"))
            receiver.see(r"the other side offers 2 files, 3\.0 MB:\r\n")
            receiver.see(r"  \\x1b\[31mred  3\.0 MB\r\n  note\.txt  5 bytes\r\n")
            receiver.see(r"Accept\? \[y/N\] ")
            receiver.type(answer + "\r")
            receiver.see("files stored|unchanged")
            self.assert_sane_end(receiver, OK)
            self.assertEqual(sender.wait(), OK, sender.err)
            self.assertEqual(self.read("out/note.txt"), b"12345")

    def test_is_declined_by_anything_else(self):
        for answer in ("n", "", "no", "yy"):
            sender, receiver = self.asked(self.put("a", b"x"))
            receiver.see(r"Accept\? \[y/N\] ")
            receiver.type(answer + "\r")
            receiver.see("error: declined: nothing was stored")
            self.assert_sane_end(receiver, FAILED)
            self.assertEqual(sender.wait(), CUT_SHORT)
            self.assertIn("error: the other side declined: nothing was sent", sender.err)
            self.assertEqual(os.listdir(self.path("out")), [])

    def test_ctrl_c_at_each_question(self):
        sender = self.sender(self.put("a", b"x"), "--wait", "0")
        receiver = self.terminal("receive", sender.address, "--out", self.path("out"))
        receiver.see("Code: ")
        receiver.type("\x03")
        self.assert_sane_end(receiver, 128 + signal.SIGINT)
        receiver = self.terminal("receive", sender.address, "--out", self.path("out"), "--wait", "0")
        receiver.see("Code: ")
        receiver.type(sender.code_shown + "\r")
        receiver.see(r"Accept\? \[y/N\] ")
        receiver.type("\x03")
        self.assert_sane_end(receiver, 128 + signal.SIGINT)
        self.assertEqual(sender.wait(), CUT_SHORT)
        self.assertEqual(os.listdir(self.path("out")), [])


class Progress(AtTerminals):
    def test_ctrl_c_while_it_passes_leaves_the_part_alone(self):
        sender = self.sender(self.put("big", data(SIZE)), "--wait", "0")
        cutter = Cutter(sender.address, [1_500_000], stalls=True)
        self.addCleanup(cutter.close)
        receiver = self.terminal("receive", cutter.address, "--out", self.path("out"), "--yes", "--wait", "0")
        receiver.see("Code: ")
        receiver.type(sender.code_shown + "\r")
        receiver.see(r"\r\x1b\[K *[0-9]+%  .* of 3\.0 MB")
        deadline = time.monotonic() + PATIENCE
        part = self.path("out/big.pake-part")
        while not (os.path.exists(part) and os.stat(part).st_size) and time.monotonic() < deadline:
            time.sleep(0.01)
        receiver.type("\x03")
        self.assert_sane_end(receiver, 128 + signal.SIGINT)
        self.assertEqual(os.listdir(self.path("out")), ["big.pake-part"])
        cutter.close()
        self.assertEqual(sender.wait(), CUT_SHORT)

    def test_the_sender_draws_one_line_and_can_be_interrupted(self):
        sender = self.terminal("send", "--listen", "127.0.0.1:0", "--wait", "0", self.put("big", data(SIZE)))
        code = sender.see(r"the code is  \S+\r\n").split()[-1]
        address = sender.see(r"127\.0\.0\.1:[0-9]+\r\n").strip()
        cutter = Cutter(address, [1_500_000], stalls=True)
        self.addCleanup(cutter.close)
        receiver = self.start("receive", cutter.address, "--out", self.path("out"), "--yes", "--wait", "0",
                              env={"PAKE_CODE": code})
        sender.see(r"\r\x1b\[K *[0-9]+%  ")
        sender.type("\x03")
        self.assert_sane_end(sender, 128 + signal.SIGINT)
        cutter.close()
        self.assertEqual(receiver.wait(), CUT_SHORT)

    def test_a_sender_that_waits_can_be_interrupted(self):
        sender = self.terminal("send", "--listen", "127.0.0.1:0", self.put("a"))
        sender.see("pake receive ")
        sender.type("\x03")
        self.assert_sane_end(sender, 128 + signal.SIGINT)


if __name__ == "__main__":
    unittest.main(verbosity=2)
