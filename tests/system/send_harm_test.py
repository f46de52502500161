"""A stranger who knows the code and means harm, at either end of `pake send` and `pake receive`.

The stranger stands on the channel's independent implementation and on docs/files.md alone."""

import os
import stat
import struct
import unittest

from harness import CUT_SHORT, FAILED, OK, PROTOCOL
from sending import (ACCEPT, ASK, DATA, DECLINE, END, ENTRIES, FETCH, FOLDER, HOLE, OFFER, PREFIX, RESULT, STREAM, TEXT,
                     UNREADABLE, VERSION, Transfers, data, entry, message, offer, tree_hash)

EVIL_PATHS = ("/etc/pake-was-here", "../pake-was-here", "a/../../pake-was-here", "..", ".", "a/./b", "a//b", "a/", "",
              "nul\0byte", "x" * 256, "/".join(["d"] * 65), "x.pake-part", "x.pake-part/y", "/".join(["d" * 200] * 25))
SIZE = 1000


class Harm(Transfers):
    def setUp(self):
        super().setUp()
        self.put("precious", b"precious")
        self.folder("out")

    def tearDown(self):
        self.assertEqual(self.read("precious"), b"precious")
        outside = set(os.listdir(self.directory)) - {"out", "precious", "source"}
        self.assertEqual(outside, set(), "something was made outside the folder")
        self.assertFalse(os.path.exists("/etc/pake-was-here"))


class Senders(Harm):
    """What a `pake receive` does with them."""

    def offered(self, entries, total=None, count=None, **how):
        """A receiver that has been told these entries; (path, size, ...) or whole bytes."""
        stranger, receiver = self.strange_sender(**how)
        encoded = [one if isinstance(one, bytes) else entry(*one) for one in entries]
        if total is None:
            total = sum(one[1] for one in entries if len(one) > 1 and not isinstance(one, bytes))
        stranger.say(offer(encoded, total, count))
        return stranger, receiver

    def assert_refused(self, stranger, receiver, code=PROTOCOL):
        self.assertEqual(receiver.wait(), code, receiver.err)
        self.assertEqual(receiver.err.count("error: "), 1, receiver.err)
        self.assertEqual(self.names_below("out"), [])
        stranger.close()

    def answer(self, stranger, contents):
        """Sends what is asked for, until the receiver's last word; returns that."""
        while (heard := stranger.hear()) is not None:
            kind, body = heard
            if kind == RESULT:
                stranger.finish()
                return struct.unpack(">IIIB", body)
            if kind == FETCH:
                index, offset = struct.unpack(">IQ", body)
                content = contents[index]
                part = content[offset:]
                stranger.say(*(message(DATA, part[at:at + 200_000]) for at in range(0, len(part), 200_000)),
                             message(END, struct.pack(">I", index) + tree_hash(content)))
            elif kind == ASK:
                index, length = struct.unpack(">IQ", body)
                stranger.say(message(PREFIX, struct.pack(">I", index) + tree_hash(contents[index][:length])))
        return None

    def test_a_good_one_first(self):
        """So that what follows is refused for its lie alone."""
        stranger, receiver = self.offered([("a", 1), ("b", 0, FOLDER), ("b/c", 300_000)])
        self.assertEqual(self.answer(stranger, {0: b"x", 2: data(300_000)}), (2, 0, 0, 0))
        self.assertEqual(receiver.wait(), OK, receiver.err)
        self.assertEqual(self.read("out/b/c"), data(300_000))

    def test_paths_that_leave_the_folder_or_are_none(self):
        for path in EVIL_PATHS:
            with self.subTest(path=path[:40]):
                self.assert_refused(*self.offered([(path, 1)]))

    def test_offers_that_lie(self):
        for name, (entries, total, count) in {
                "twice": ([("a", 1), ("a", 1)], 2, None), "not in order": ([("b", 1), ("a", 1)], 2, None),
                "another total": ([("a", 1)], 2, None), "fewer than told": ([("a", 1), ("b", 1)], 2, 1),
                "a stream among others": ([("a", 1), ("b", 0, STREAM)], 1, None),
                "a text that is too long": ([("a", 65_537, TEXT)], None, None),
                "a folder with a size": ([("a", 1, FOLDER)], None, None), "no kind": ([("a", 1, 9)], None, None),
                "a size beyond all": ([("a", 2**62 + 1)], 2**62, None), "bits that there are not": ([("a", 1, 1, 4)], 1, None),
        }.items():
            with self.subTest(name):
                self.assert_refused(*self.offered(entries, total, count))

    def test_counts_beyond_the_bounds(self):
        for count in (0, 1_000_001, 2**32 - 1):
            stranger, receiver = self.strange_sender()
            stranger.say(message(OFFER, VERSION + struct.pack(">IQ", count, 0)))
            self.assert_refused(stranger, receiver)

    def test_another_version_is_told_as_such(self):
        stranger, receiver = self.strange_sender(version=b"\x01")
        self.assertEqual(receiver.wait(), PROTOCOL)
        self.assertIn("does not speak this version of the transfer of files", receiver.err)
        stranger.close()

    def test_messages_that_are_none(self):
        for name, bytes_ in {"unknown type": message(0x55, b"x"), "too long": bytes([DATA]) + b"\xff\xff\xff" + b"x" * 100,
                             "a request": message(FETCH, bytes(12)), "data before the offer": message(DATA, b"x"),
                             "another version": message(OFFER, b"\1" + struct.pack(">IQ", 1, 0)),
                             "half a message": None}.items():
            with self.subTest(name):
                stranger, receiver = self.strange_sender()
                if bytes_:
                    stranger.say(bytes_)
                else:
                    stranger.say(message(OFFER, bytes(13))[:9])
                    stranger.finish()
                self.assert_refused(stranger, receiver)

    def begun(self, size=SIZE, **how):
        """A receiver that has asked for all of one file."""
        stranger, receiver = self.offered([("a", size)], **how)
        self.assertEqual(stranger.hear(), (ACCEPT, b""))
        self.assertEqual(stranger.hear(), (FETCH, bytes(12)))
        return stranger, receiver

    def test_sizes_that_lie(self):
        end = message(END, bytes(4) + tree_hash(bytes(SIZE)))
        for name, messages in {"more": (message(DATA, bytes(SIZE + 1)),), "less": (message(DATA, bytes(SIZE - 1)), end),
                               "a hole beyond": (message(DATA, b"x"), message(HOLE, struct.pack(">Q", SIZE))),
                               "a hole beyond all": (message(HOLE, struct.pack(">Q", 2**63)),),
                               "nothing": (end,), "another file's end": (message(DATA, bytes(SIZE)), message(END, b"\0\0\0\1" + bytes(32))),
                               "a hash where bytes are due": (message(PREFIX, bytes(36)),)}.items():
            with self.subTest(name):
                stranger, receiver = self.begun()
                stranger.say(*messages)
                self.assertEqual(receiver.wait(), PROTOCOL, receiver.err)
                self.assertNotIn(b"a", self.names_below("out"))
                for part in os.listdir(self.path("out")):
                    os.unlink(self.path(f"out/{part}"))

    def test_bytes_that_are_not_those_that_were_hashed(self):
        stranger, receiver = self.begun()
        stranger.say(message(DATA, bytes(SIZE)), message(END, bytes(4) + tree_hash(b"other")))
        self.assertEqual(stranger.hear(), (RESULT, struct.pack(">IIIB", 0, 0, 1, 4)))
        stranger.finish()
        self.assertEqual(receiver.wait(), CUT_SHORT, receiver.err)
        self.assertEqual(self.names_below("out"), [])

    def test_a_file_that_does_not_come(self):
        for reason, words in ((1, "cannot read it"), (2, "changed at the other side")):
            stranger, receiver = self.begun()
            stranger.say(message(DATA, b"x"), message(UNREADABLE, bytes(4) + bytes([reason])))
            self.assertEqual(stranger.hear(), (RESULT, struct.pack(">IIIB", 0, 0, 1, 4)))
            stranger.finish()
            self.assertEqual(receiver.wait(), CUT_SHORT)
            self.assertIn(words, receiver.err)
            self.assertEqual(self.names_below("out"), [])

    def test_links_in_the_folder_are_not_followed(self):
        os.symlink("..", self.path("out/up"))
        os.symlink("../precious", self.path("out/file"))
        os.symlink("../new", self.path("out/part.pake-part"))
        stranger, receiver = self.offered([("file", 1), ("ok", 1), ("part", 1), ("up", 0, FOLDER), ("up/pwned", 1)])
        self.assertEqual(self.answer(stranger, dict.fromkeys(range(5), b"x"))[:3], (1, 0, 3))
        self.assertEqual(receiver.wait(), FAILED)
        self.assertEqual(self.read("out/ok"), b"x")
        self.assertTrue(os.path.islink(self.path("out/file")))

    def test_a_link_planted_between_check_and_use(self):
        stranger, receiver = self.begun()
        os.rename(self.path("out/a.pake-part"), self.path("out/moved"))
        os.symlink("../precious", self.path("out/a.pake-part"))
        stranger.say(message(DATA, bytes(SIZE)), message(END, bytes(4) + tree_hash(bytes(SIZE))))
        self.assertEqual(stranger.hear()[1][8:12], b"\0\0\0\1")
        stranger.finish()
        self.assertEqual(receiver.wait(), FAILED, receiver.err)
        self.assertFalse(os.path.lexists(self.path("out/a")))

    def test_a_folder_replaced_by_a_link_meanwhile(self):
        stranger, receiver = self.offered([("d", 0, FOLDER)] + [(f"d/{i:03}", 1) for i in range(200)])
        self.assertEqual(stranger.hear(), (ACCEPT, b""))
        stranger.hear()
        os.rename(self.path("out/d"), self.path("out/was"))
        os.symlink("..", self.path("out/d"))
        contents = dict.fromkeys(range(201), b"x")
        stranger.say(message(DATA, b"x"), message(END, struct.pack(">I", 1) + tree_hash(b"x")))
        self.answer(stranger, contents)
        self.assertIn(receiver.wait(), (OK, FAILED))  # into the folder that it had opened, or nowhere

    def test_what_is_there_is_not_replaced_by_any_kind_of_entry(self):
        self.put("out/a", b"mine")
        self.folder("out/b")
        os.mkfifo(self.path("out/c"))
        stranger, receiver = self.offered([("a", 0, FOLDER), ("a/x", 1), ("b", 1), ("c", 1)])
        self.assertEqual(self.answer(stranger, {}), (0, 0, 3, 2))
        self.assertEqual(receiver.wait(), FAILED)
        self.assertEqual(self.read("out/a"), b"mine")
        self.assertTrue(stat.S_ISFIFO(os.stat(self.path("out/c")).st_mode))

    def test_what_is_there_is_not_told(self):
        """The receiver tells lengths; a hash of the sender's that differs shows it nothing of the file."""
        self.put("out/a", b"mine")
        stranger, receiver = self.offered([("a", 4)])
        stranger.hear()
        self.assertEqual(stranger.hear(), (ASK, struct.pack(">IQ", 0, 4)))
        stranger.say(message(PREFIX, bytes(4) + tree_hash(b"evil")))
        self.assertEqual(stranger.hear(), (RESULT, struct.pack(">IIIB", 0, 0, 1, 2)))
        stranger.finish()
        self.assertEqual(receiver.wait(), FAILED)
        self.assertEqual(self.read("out/a"), b"mine")

    def test_two_names_that_are_one_file(self):
        """As on a disk that takes "A" for "a"."""
        stranger, receiver = self.offered([("A", 1), ("a", 1)], )
        stranger.hear()
        self.assertEqual(self.answer(stranger, {0: b"x", 1: b"y"}), (2, 0, 0, 0))
        self.assertEqual(receiver.wait(), OK)
        self.assertEqual((self.read("out/A"), self.read("out/a")), (b"x", b"y"))

    def test_a_bomb_of_small_files_is_shown_and_bounded(self):
        count = 3000
        stranger, receiver = self.offered([(f"{i:05}", 0) for i in range(count)], 0)
        self.assertEqual(self.answer(stranger, dict.fromkeys(range(count), b"")), (count, 0, 0, 0))
        self.assertEqual(receiver.wait(), OK)
        self.assertIn(f"the other side sends {count} files, 0 bytes", receiver.err)

    def test_names_are_shown_escaped(self):
        evil = b"\x1b]0;owned\x07\x1b[2J\xff\xe2\x80\xae"
        stranger, receiver = self.offered([entry(evil, 1)], 1)
        self.assertEqual(self.answer(stranger, {0: b"x"}), (1, 0, 0, 0))
        self.assertEqual(receiver.wait(), OK)
        for raw in ("\x1b", "\x07", "\u202e"):
            self.assertNotIn(raw, receiver.err)
        self.assertEqual(self.names_below("out"), [evil])

    def test_it_leaves_in_the_middle(self):
        stranger, receiver = self.begun(10_000)
        stranger.say(message(DATA, b"half" * 500))
        stranger.close()
        self.assertEqual(receiver.wait(), CUT_SHORT, receiver.err)
        self.assertEqual([name for name in self.names_below("out") if name != b"a.pake-part"], [])


class Receivers(Harm):
    """What a `pake send` does with them: it gives nothing but what it offers, and does not take their word for it."""

    def offering(self, *content, wait="0"):
        for number, one in enumerate(content or (data(SIZE),)):
            self.put(f"source/{number}", one)
        sender = self.sender(self.path("source"), "--wait", wait)
        stranger = self.strange_receiver(sender)
        kind, body = stranger.hear()
        self.assertEqual((kind, body[0]), (OFFER, VERSION[0]))
        self.assertEqual(stranger.hear()[0], ENTRIES)
        return sender, stranger

    def assert_refuses(self, *messages, code=PROTOCOL):
        sender, stranger = self.offering()
        stranger.say(*messages)
        self.assertEqual(sender.wait(), code, sender.err)
        self.assertEqual(sender.err.count("error: "), 1, sender.err)
        stranger.close()

    def test_a_good_one_first(self):
        sender, stranger = self.offering()
        stranger.say(message(ACCEPT), message(ASK, struct.pack(">IQ", 1, 10)), message(FETCH, struct.pack(">IQ", 1, 10)))
        self.assertEqual(stranger.hear(), (PREFIX, b"\0\0\0\1" + tree_hash(data(SIZE)[:10])))
        self.assertEqual(stranger.hear(), (DATA, data(SIZE)[10:]))
        self.assertEqual(stranger.hear(), (END, b"\0\0\0\1" + tree_hash(data(SIZE))))
        stranger.say(message(RESULT, struct.pack(">IIIB", 1, 0, 0, 0)))
        stranger.finish()
        self.assertEqual(sender.wait(), OK, sender.err)

    def test_requests_that_it_has_no_right_to(self):
        accept = message(ACCEPT)
        for name, messages in {
                "before it has accepted": (message(FETCH, struct.pack(">IQ", 1, 0)),),
                "what was not offered": (accept, message(FETCH, struct.pack(">IQ", 2, 0))),
                "far beyond": (accept, message(FETCH, struct.pack(">IQ", 2**32 - 1, 0))),
                "a folder": (accept, message(FETCH, struct.pack(">IQ", 0, 0))),
                "beyond the end": (accept, message(ASK, struct.pack(">IQ", 1, SIZE + 1))),
                "not asked about": (accept, message(FETCH, struct.pack(">IQ", 1, 5))),
                "twice": (accept, message(FETCH, struct.pack(">IQ", 1, 0)), message(FETCH, struct.pack(">IQ", 1, 0))),
                "a hash of nothing": (accept, message(ASK, struct.pack(">IQ", 1, 0))),
                "accepted twice": (accept, accept), "a sender's message": (accept, message(DATA, b"x")),
                "unknown": (message(0x33, b""),), "too long": (message(ACCEPT, b"x"),)}.items():
            with self.subTest(name):
                self.assert_refuses(*messages)

    def test_it_says_that_it_has_what_it_was_not_sent(self):
        for stored, unchanged, missing in ((1, 0, 0), (0, 1, 0), (0, 0, 0), (5, 0, 0)):
            with self.subTest(stored=stored, unchanged=unchanged, missing=missing):
                self.assert_refuses(message(ACCEPT), message(RESULT, struct.pack(">IIIB", stored, unchanged, missing, 0)))

    def test_it_declines(self):
        for reason in (1, 2, 3):
            self.assert_refuses(message(DECLINE, bytes([reason])), code=CUT_SHORT)

    def test_it_leaves(self):
        sender, stranger = self.offering(data(3_000_000))
        stranger.say(message(ACCEPT), message(FETCH, struct.pack(">IQ", 1, 0)))
        stranger.hear()
        stranger.close()
        self.assertEqual(sender.wait(), CUT_SHORT)

    def test_another_version(self):
        self.put("source/0", b"x")
        sender = self.sender(self.path("source"))
        stranger = self.strange_receiver(sender, version=b"\x01")
        self.assertEqual(sender.wait(), PROTOCOL)
        self.assertIn("does not speak this version of the transfer of files", sender.err)
        stranger.close()

    def test_a_file_that_changes_while_it_is_sent(self):
        for change in ("grows", "shrinks", "is replaced by a link"):
            with self.subTest(change):
                sender, stranger = self.offering(data(3_000_000), b"other")
                if change == "grows":
                    with open(self.path("source/0"), "ab") as file:
                        file.write(b"more")
                elif change == "shrinks":
                    os.truncate(self.path("source/0"), 1000)
                else:
                    os.unlink(self.path("source/0"))
                    os.symlink("../precious", self.path("source/0"))
                stranger.say(message(ACCEPT), message(FETCH, struct.pack(">IQ", 1, 0)), message(FETCH, struct.pack(">IQ", 2, 0)))
                heard = [stranger.hear()]
                while heard[-1][0] == DATA:
                    heard.append(stranger.hear())
                self.assertEqual(heard[-1], (UNREADABLE, b"\0\0\0\1\2"))
                self.assertNotIn(b"precious", b"".join(body for _, body in heard))
                self.assertEqual(stranger.hear(), (DATA, b"other"))
                self.assertEqual(stranger.hear()[0], END)
                stranger.say(message(RESULT, struct.pack(">IIIB", 1, 0, 1, 4)))
                stranger.finish()
                self.assertEqual(sender.wait(), FAILED)
                self.assertIn("it changed while it was sent", sender.err)
                if os.path.islink(self.path("source/0")):
                    os.unlink(self.path("source/0"))


del Harm  # not a group of its own

if __name__ == "__main__":
    unittest.main(verbosity=2)
