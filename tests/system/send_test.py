"""`pake send` and `pake receive`: files, folders, stdin and stdout, texts; what is there already; what cannot be stored."""

import json
import os
import re
import stat
import subprocess
import unittest

from harness import AUTH_FAILED, CUT_SHORT, FAILED, OK, PAKE, UNREACHABLE, USAGE
from sending import Transfers, data

NAMES = (b"plain", b"two words", b"-rf", b"\xc3\xbc", b"\xff\xfe", b"\x1b[31mred", b"new\nline", b"x" * 255)


class Files(Transfers):
    def test_arrive_with_their_bits_and_times(self):
        for size in (0, 1, 262_144, 262_145, 3_000_000):
            self.put(f"files/{size}", data(size))
        os.chmod(self.path("files/1"), 0o755)
        os.chmod(self.path("files/262144"), 0o600)
        os.utime(self.path("files/0"), ns=(10**18, 10**18 + 7))
        paths = [self.path(f"files/{name}") for name in os.listdir(self.path("files"))]
        sender = self.sender(*paths)
        receiver = self.receiver(sender)
        self.assert_ends(sender, receiver, (OK, OK))
        for size in (0, 1, 262_144, 262_145, 3_000_000):
            self.assertEqual(self.read(f"out/{size}"), data(size))
        self.assertTrue(os.stat(self.path("out/1")).st_mode & stat.S_IXUSR)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("out/262144")).st_mode), 0o600)
        self.assertEqual(os.stat(self.path("out/0")).st_mtime_ns, 10**18 + 7)
        self.assertFalse([name for name in os.listdir(self.path("out")) if name.endswith("pake-part")])

    def test_folders_arrive_as_they_are_but_for_links_and_special_files(self):
        self.put("tree/a/b/c", b"c")
        self.put("tree/a-b", b"")
        self.folder("tree/empty")
        os.symlink("/etc/passwd", self.path("tree/link"))
        os.symlink("/etc", self.path("tree/etc"))
        os.mkfifo(self.path("tree/fifo"))
        sender = self.sender(self.path("tree"))
        receiver = self.receiver(sender)
        self.assert_ends(sender, receiver, (OK, OK))
        self.assertEqual(self.names_below("out"), [b"tree", b"tree/a", b"tree/a-b", b"tree/a/b", b"tree/a/b/c", b"tree/empty"])
        self.assertEqual(self.read("out/tree/a/b/c"), b"c")
        self.assertEqual(sender.err.count("note: not sent: "), 3)
        self.assertRegex(sender.err, r"\Athe code is  \S+\non the other side:  pake receive 127\.0\.0\.1:[0-9]+\n")

    def test_names_of_any_bytes_arrive_and_are_shown_escaped(self):
        for name in NAMES:
            with open(os.path.join(os.fsencode(self.folder("tree")), name), "wb") as file:
                file.write(name)
        sender = self.sender(self.path("tree"))
        receiver = self.receiver(sender)
        self.assert_ends(sender, receiver, (OK, OK))
        self.assertEqual(self.names_below("out"), sorted([b"tree"] + [b"tree/" + name for name in NAMES]))
        for program in (sender, receiver):
            self.assertNotIn("\x1b", program.err)
            self.assertIn(r"\x1b[31mred", program.err)
            self.assertIn(r"\xff\xfe", program.err)
            self.assertIn(r"new\nline", program.err)

    def test_what_is_excluded_stays(self):
        for name in ("a.c", "a.o", "build/tmp/x", "build/y"):
            self.put(f"tree/{name}")
        sender = self.sender(self.path("tree"), "--exclude", "*.o", "--exclude", "build/tmp")
        self.assert_ends(sender, self.receiver(sender), (OK, OK))
        self.assertEqual(self.names_below("out/tree"), [b"a.c", b"build", b"build/y"])

    def test_holes_stay_holes(self):
        with open(self.path("sparse"), "wb") as file:
            file.truncate(200 << 20)
            file.seek(100 << 20)
            file.write(b"island")
        sender = self.sender(self.path("sparse"))
        receiver = self.receiver(sender)
        self.assert_ends(sender, receiver, (OK, OK))
        arrived = os.stat(self.path("out/sparse"))
        self.assertEqual(arrived.st_size, 200 << 20)
        self.assertLess(arrived.st_blocks * 512, 4 << 20)
        with open(self.path("out/sparse"), "rb") as file:
            file.seek(100 << 20)
            self.assertEqual(file.read(6), b"island")

    def test_many_small_ones(self):
        for number in range(1500):
            self.put(f"tree/{number % 10}/{number}", str(number).encode())
        sender = self.sender(self.path("tree"), "--quiet")
        receiver = self.receiver(sender, "--quiet")
        self.assert_ends(sender, receiver, (OK, OK))
        for number in range(1500):
            self.assertEqual(self.read(f"out/tree/{number % 10}/{number}"), str(number).encode())
        self.assertEqual(receiver.err, "")


class Streams(Transfers):
    def test_stdin_to_stdout(self):
        for size in (0, 1, 1_000_000):
            with self.subTest(size=size):
                with open(self.put("in", data(size)), "rb") as source, open(self.path("got"), "wb") as sink:
                    sender = self.sender("-", stdin=source)
                    receiver = self.receiver(sender, out="-", stdout=sink)
                    self.assert_ends(sender, receiver, (OK, OK))
                self.assertEqual(self.read("got"), data(size))

    def test_stdin_becomes_a_file_of_a_chosen_name(self):
        with open(self.put("in", b"text"), "rb") as source:
            sender = self.sender("-", "--name", "notes.txt", stdin=source)
            self.assert_ends(sender, self.receiver(sender), (OK, OK))
        self.assertEqual(self.read("out/notes.txt"), b"text")

    def test_a_file_to_stdout(self):
        sender = self.sender(self.put("photo", data(300_000)))
        with open(self.path("got"), "wb") as sink:
            self.assert_ends(sender, self.receiver(sender, out="-", stdout=sink), (OK, OK))
        self.assertEqual(self.read("got"), data(300_000))

    def test_several_files_do_not_go_to_stdout(self):
        sender = self.sender(self.put("a"), self.put("b"))
        receiver = self.receiver(sender, out="-")
        self.assert_ends(sender, receiver, (CUT_SHORT, FAILED))
        self.assertIn("hint: pake receive ADDRESS --out DIR", receiver.err)

    def test_a_text_is_shown_and_stored_nowhere(self):
        sender = self.sender("--text", "meet at 9\n")
        receiver = self.receiver(sender)
        self.assert_ends(sender, receiver, (OK, OK))
        self.assertEqual(receiver.out, "meet at 9\n")
        self.assertEqual(os.listdir(self.path("out")), [])


class There(Transfers):
    """What the receiver has already."""

    def test_the_same_bytes_are_not_sent_again(self):
        self.put("tree/a", data(500_000))
        self.put("tree/b", b"")
        self.put("tree/c", b"new")
        self.put("out/tree/a", data(500_000))
        self.put("out/tree/b", b"")
        sender = self.sender(self.path("tree"), "--json")
        receiver = self.receiver(sender, "--json")
        self.assert_ends(sender, receiver, (OK, OK))
        events = [json.loads(line) for line in receiver.out.splitlines()]
        self.assertEqual(events[-1], {"event": "done", "stored": 1, "unchanged": 2, "missing": 0})
        self.assertNotIn('"path":"tree/a"', sender.out)
        self.assertEqual(json.loads(sender.out.splitlines()[0]),
                         {"event": "waiting", "code": sender.code_shown, "address": sender.address})

    def test_other_bytes_are_not_replaced_unasked(self):
        for theirs, ours in ((b"theirs", b"mine"), (b"theirs", b"yours!")):
            with self.subTest(ours=ours):
                self.put("tree/a", theirs)
                self.put("tree/z", b"z")
                self.put("out/tree/a", ours)
                sender = self.sender(self.path("tree"))
                receiver = self.receiver(sender)
                self.assert_ends(sender, receiver, (CUT_SHORT, FAILED))
                self.assertEqual(self.read("out/tree/a"), ours)
                self.assertEqual(self.read("out/tree/z"), b"z", "the others arrive")
                self.assertIn("error: tree/a: another file has this name", receiver.err)
                self.assertIn("did not store 1 of 2 files", sender.err)
                sender = self.sender(self.path("tree"))
                self.assert_ends(sender, self.receiver(sender, "--overwrite"), (OK, OK))
                self.assertEqual(self.read("out/tree/a"), theirs)

    def test_a_folder_where_a_file_belongs_stays(self):
        self.folder("out/a")
        sender = self.sender(self.put("a", b"x"))
        self.assert_ends(sender, self.receiver(sender, "--overwrite"), (CUT_SHORT, FAILED))
        self.assertTrue(os.path.isdir(self.path("out/a")))


class Full(Transfers):
    """A disk that is full: a limit on the size of files stands for it, whose error means the same here."""

    def test_is_told_on_both_sides_and_what_was_whole_stays(self):
        self.put("tree/a", b"whole")
        self.put("tree/b", data(2_000_000))
        self.put("tree/c", b"after")
        sender = self.sender(self.path("tree"))
        receiver = self.start("--fsize=1000000", PAKE, "receive", sender.address, "--out", self.path("out"), "--yes",
                              program="/usr/bin/prlimit", env={"PAKE_CODE": sender.code_shown})
        self.assert_ends(sender, receiver, (CUT_SHORT, FAILED))
        self.assertEqual(self.read("out/tree/a"), b"whole")
        self.assertFalse(os.path.exists(self.path("out/tree/b")))
        self.assertIn("error: tree/b: File too large", receiver.err)
        self.assertIn("its disk is full", sender.err)

    def test_of_stdout_is_told_on_both_sides(self):
        sender = self.sender(self.put("a", data(300_000)))
        with open("/dev/full", "wb") as full:
            receiver = self.receiver(sender, out="-", stdout=full)
            self.assert_ends(sender, receiver, (CUT_SHORT, FAILED))
        self.assertIn("cannot write to stdout: No space left on device", receiver.err)
        self.assertIn("its disk is full", sender.err)

    def test_what_cannot_be_read_or_written_costs_no_code(self):
        with open("/dev/null", "wb") as unreadable, open("/dev/null", "rb") as unwritable:
            sender = self.run_pake("send", "-", "--listen", "127.0.0.1:0", stdin=unreadable)
            self.assertEqual(sender.code, FAILED, sender.err)
            self.assertIn("error: cannot read stdin: Bad file descriptor", sender.err)
            self.assertNotIn("the code is", sender.err)
            sender = self.sender(self.put("a", data(1000)))
            for out, stdout, words in (("-", unwritable, "error: cannot write to stdout: Bad file descriptor"),
                                       ("/proc/self", subprocess.PIPE, "error: cannot write into /proc/self: ")):
                receiver = self.receiver(sender, out=out, stdout=stdout)
                self.assertEqual(receiver.wait(), FAILED, receiver.err)
                self.assertIn(words, receiver.err)
                self.assertNotIn("connected", receiver.err)
            self.assert_ends(sender, self.receiver(sender), (OK, OK))

    def test_of_a_stdout_for_the_steps_the_files_arrive_and_it_is_said(self):
        with open("/dev/full", "wb") as full:
            sender = self.sender(self.put("a", data(300_000)), "--json", stdout=full)
            receiver = self.receiver(sender, "--json", stdout=full)
            self.assert_ends(sender, receiver, (FAILED, FAILED))
        self.assertEqual(self.read("out/a"), data(300_000))
        for program in (sender, receiver):
            self.assertIn("error: cannot write to stdout: No space left on device", program.err)


class Words(Transfers):
    """What is refused before anything is sent, and how that is said."""

    def test_a_code_as_an_argument(self):
        for words in (("receive", "copper-copper-11"), ("receive", "copper", "copper", "11"),
                      ("receive", "127.0.0.1:1", "copper-copper-11"), ("receive", "127.0.0.1:1", "--code", "copper-copper-11"),
                      ("send", "copper-copper-11")):
            with self.subTest(words=words):
                program = self.run_pake(*words)
                self.assertEqual(program.code, USAGE, program.err)
                self.assertRegex(program.err, r"\nhint: ")

    def test_no_terminal_and_no_yes(self):
        sender = self.sender(self.put("a"))
        receiver = self.start("-w", PAKE, "receive", sender.address, "--out", self.path("out"),
                              program="/usr/bin/setsid", env={"PAKE_CODE": sender.code_shown})
        self.assertEqual(receiver.wait(), USAGE)
        self.assertIn("hint: --yes accepts", receiver.err)
        self.assert_ends(sender, self.receiver(sender), (OK, OK))

    def test_a_wrong_code_ends_both(self):
        sender = self.sender(self.put("a"))
        sender_code, sender.code_shown = sender.code_shown, "copper-copper-11"
        receiver = self.receiver(sender)
        self.assert_ends(sender, receiver, (AUTH_FAILED, AUTH_FAILED))
        self.assertIn("pake send", receiver.err)
        self.assertNotIn(sender_code, receiver.err)
        self.assertEqual(os.listdir(self.path("out")), [])

    def test_nobody_is_there(self):
        program = self.run_pake("receive", "127.0.0.1:1", "--yes", "--out", self.path("out"), env={"PAKE_CODE": "copper-copper-11"})
        self.assertEqual(program.code, UNREACHABLE)
        self.assertIn("pake send", program.err)

    def test_what_cannot_be_sent(self):
        self.put("x/a")
        self.put("y/a")
        for words, code in (((self.path("missing"),), FAILED), (("/",), FAILED), ((self.path("x/a"), self.path("y/a")), FAILED),
                            ((), USAGE), (("-", self.path("x/a")), USAGE), (("--text", "x", self.path("x")), USAGE)):
            with self.subTest(words=words):
                program = self.run_pake("send", "--listen", "127.0.0.1:0", *words)
                self.assertEqual(program.code, code, program.err)
                self.assertNotIn("the code is", program.err)

    def test_where_nothing_can_be_stored(self):
        blocked = self.put("file")
        program = self.run_pake("receive", "127.0.0.1:1", "--yes", "--out", blocked, env={"PAKE_CODE": "copper-copper-11"})
        self.assertEqual(program.code, FAILED)
        self.assertIn("error: cannot write into", program.err)

    def test_the_pipes_other_side_wants_no_files(self):
        host = self.start("listen", "127.0.0.1:0")
        host.code_shown = host.wait_for(r"the code is  (\S+)\n", "err")[1]
        host.address = host.wait_for(r"pake dial (\S+)\n", "err")[1]
        receiver = self.receiver(host)
        self.assertNotEqual(receiver.wait(), OK)
        self.assertNotEqual(host.wait(), OK)
        sender = self.sender(self.put("a"))
        caller = self.start("dial", sender.address, env={"PAKE_CODE": sender.code_shown})
        self.assertNotEqual(caller.wait(), OK)
        self.assertNotEqual(sender.wait(), OK)
        self.assertIn("pake receive ADDRESS", sender.err)


class Keep(Transfers):
    def test_several_receivers_each_with_a_code_of_its_own(self):
        program = self.start("send", "--listen", "127.0.0.1:0", "--keep", "2", self.put("a", b"x"))
        codes = []
        for number in range(2):
            program.wait_for(rf"(?:the code is  \S+\n[^$]*?){{{number + 1}}}", "err")
            program.wait_for(rf"(?:pake receive \S+\n[^$]*?){{{number + 1}}}", "err")
            program.code_shown = re.findall(r"the code is  (\S+)\n", program.err)[-1]
            program.address = re.findall(r"pake receive (\S+)\n", program.err)[-1]
            codes.append(program.code_shown)
            receiver = self.receiver(program, out=self.path(f"out{number}"))
            self.assertEqual(receiver.wait(), OK, receiver.err)
            self.assertEqual(self.read(f"out{number}/a"), b"x")
        self.assertEqual(program.wait(), OK, program.err)
        self.assertNotEqual(*codes)


if __name__ == "__main__":
    unittest.main(verbosity=2)
