"""`pake pair`: a code typed once leaves both machines with the same key, or neither with any."""

import base64
import contextlib
import os
import shutil
import socket
import stat
import subprocess
import threading
import unittest

from harness import AUTH_FAILED, CUT_SHORT, OK, PAKE, PATIENCE, PROTOCOL, STORE, USAGE, tcp
from serving import ServeCase, wire

STRANGERS = "strangers_meet = true\n[services]\necho = \"echo\"\n"


class Heard:
    """What a pipe hands over."""

    def __init__(self):
        self._bytes, self._changed = b"", threading.Condition()

    def write(self, some):
        with self._changed:
            self._bytes += some
            self._changed.notify_all()

    def flush(self):
        pass

    def wait_for(self, what):
        with self._changed:
            assert self._changed.wait_for(lambda: self._bytes == what, PATIENCE), self._bytes


class PairCase(ServeCase):
    def state(self, side):
        return {"XDG_STATE_HOME": self.path(side)}

    def shows(self, *args, side="a", where=("--listen", "127.0.0.1:0"), **how):
        program = self.start("pair", *args, *where, env=self.state(side), **how)
        program.code_shown = program.wait_for(r"the code is  (\S+)\n", "err")[1]
        program.command = program.wait_for(r"on the other side:  pake (.*)\n", "err")[1].split()
        return program

    def types(self, code, address, *args, side="b", **how):
        return self.start("pair", *args, address, env=self.state(side) | {"PAKE_CODE": code}, **how)

    def file_of(self, side, name):
        return os.path.join(self.path(side), "pake", "pairs", name)

    def key(self, side, name):
        path = self.file_of(side, name)
        self.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.dirname(path)).st_mode), 0o700)
        with open(path) as file:
            line = file.read()
        self.assertTrue(line.endswith("\n"))
        key = base64.b64decode(line, validate=False)
        self.assertEqual((len(key), base64.b64encode(key).decode() + "\n"), (32, line))
        return key

    def left(self, side):
        """Every file below the state directory, whatever it is called."""
        return [name for _, _, files in os.walk(self.path(side)) for name in files]

    def pair(self, *args):
        shows = self.shows("--name", "desktop", *args)
        types = self.types(shows.code_shown, shows.command[-1], "--name", "laptop", *args)
        self.assertEqual((types.wait(), shows.wait()), (OK, OK), types.err + shows.err)
        return self.key("a", "desktop"), self.key("b", "laptop"), shows, types


class Keys(PairCase):
    def test_both_sides_keep_the_same_and_another_each_time(self):
        first, there, shows, types = self.pair()
        self.assertEqual(first, there)
        self.assertEqual((self.left("a"), self.left("b")), (["desktop"], ["laptop"]))
        self.assertIn(f"the key is in {self.file_of('a', 'desktop')}, and the other side has kept it too", shows.err)
        self.assertIn(f"the key is in {self.file_of('b', 'laptop')}, and the other side has kept it too", types.err)
        self.assertEqual(shows.out + types.out, "")
        second, there, _, _ = self.pair("--overwrite")
        self.assertEqual(second, there)
        self.assertNotEqual(first, second)
        self.assertEqual((self.left("a"), self.left("b")), (["desktop"], ["laptop"]))

    def test_the_line_for_the_other_side_is_what_it_types(self):
        shows = self.shows("--name", "desktop")
        self.assertEqual(shows.command[:3], ["pair", "--name", "NAME"])
        types = self.run_pake(*shows.command, env=self.state("b") | {"PAKE_CODE": shows.code_shown})
        self.assertEqual((types.code, shows.wait()), (OK, OK), types.err + shows.err)
        self.assertEqual(self.key("a", "desktop"), self.key("b", "NAME"))

    def test_export_prints_one_for_another_program(self):
        shows = self.shows("--export", "wireguard")
        types = self.types(shows.code_shown, shows.command[-1], "--export", "wireguard")
        self.assertEqual((types.wait(), shows.wait()), (OK, OK), types.err + shows.err)
        self.assertEqual(shows.out, types.out)
        self.assertEqual(len(base64.b64decode(shows.out.strip(), validate=True)), 32)
        self.assertEqual(self.left("a") + self.left("b"), [])

    def test_behind_a_server(self):
        server = self.serve("--config", self.path("pake.toml", STRANGERS))
        shows = self.shows("--name", "desktop", where=("--via", server.address))
        self.assertEqual(shows.command[3:], ["--code-prompt", "--via", server.address])
        types = self.start("pair", "--name", "laptop", "--via", server.address,
                           env=self.state("b") | {"PAKE_CODE": shows.code_shown})
        self.assertEqual((types.wait(), shows.wait()), (OK, OK), types.err + shows.err)
        self.assertEqual(self.key("a", "desktop"), self.key("b", "laptop"))


class Refusals(PairCase):
    def test_a_wrong_code_leaves_nothing(self):
        shows = self.shows("--name", "desktop")
        types = self.types("copper-copper-11", shows.command[-1], "--name", "laptop")
        self.assertEqual((types.wait(), shows.wait()), (AUTH_FAILED, AUTH_FAILED))
        self.assertIn("pake pair", types.err)
        self.assertEqual(self.left("a") + self.left("b"), [])

    def test_a_name_that_is_taken_is_refused_before_anything_is_sent(self):
        before, _, _, _ = self.pair()
        again = self.run_pake("pair", "--name", "desktop", "--listen", "127.0.0.1:0", env=self.state("a"))
        self.assertEqual(again.code, STORE)
        self.assertNotIn("the code is", again.err)
        self.assertIn("--overwrite", again.err)
        shows = self.shows("--name", "other", side="c")
        taken = self.types(shows.code_shown, shows.command[-1], "--name", "laptop")
        self.assertEqual(taken.wait(), STORE)
        types = self.types(shows.code_shown, shows.command[-1], "--name", "second")  # the code is still good
        self.assertEqual((types.wait(), shows.wait()), (OK, OK), types.err + shows.err)
        self.assertEqual(self.key("a", "desktop"), before)

    def test_a_name_that_is_taken_meanwhile_stays(self):
        shows = self.shows("--name", "desktop")
        with open(self.file_of("a", "desktop"), "w") as file:
            file.write("somebody's\n")
        types = self.types(shows.code_shown, shows.command[-1], "--name", "laptop")
        self.assertEqual(shows.wait(), STORE)
        self.assertEqual(types.wait(), CUT_SHORT)
        has_kept = os.path.exists(self.file_of("b", "laptop"))  # the other side's failure may come before its own turn
        self.assertIn("the other side may have none" if has_kept else "this side has kept no key", types.err)
        with open(self.file_of("a", "desktop")) as file:
            self.assertEqual(file.read(), "somebody's\n")

    def test_what_cannot_be_kept_is_told_before_a_code_is_at_stake(self):
        self.path("broken", "a file, in which nothing can be made\n")
        shows = self.shows("--name", "desktop")
        for words in (("--listen", "127.0.0.1:0"), (shows.command[-1],)):
            broken = self.run_pake("pair", "--name", "laptop", *words,
                                   env={**self.state("broken"), "PAKE_CODE": shows.code_shown} if len(words) == 1 else self.state("broken"))
            self.assertEqual(broken.code, STORE, broken.err)
            self.assertIn("error: cannot keep the key in", broken.err)
            self.assertNotIn("the code is", broken.err)
        types = self.types(shows.code_shown, shows.command[-1], "--name", "laptop")  # the code is still good
        self.assertEqual((types.wait(), shows.wait()), (OK, OK), types.err + shows.err)

    def test_a_directory_that_goes_meanwhile_is_told_on_both_sides(self):
        shows = self.shows("--name", "desktop")
        shutil.rmtree(os.path.dirname(self.file_of("a", "desktop")))
        types = self.types(shows.code_shown, shows.command[-1], "--name", "laptop")
        self.assertEqual((shows.wait(), types.wait()), (STORE, CUT_SHORT), shows.err + types.err)
        self.assertIn("error: cannot keep the key in", shows.err)
        self.assertIn("could not write", types.err)

    def test_a_full_stdout_is_told_on_both_sides(self):
        with open("/dev/full", "w") as full:
            shows = self.shows("--export", "x", stdout=full)
            types = self.types(shows.code_shown, shows.command[-1], "--export", "x")
            self.assertEqual((shows.wait(), types.wait()), (1, CUT_SHORT), shows.err + types.err)
        # The other side's failure may come before its own turn to print.
        self.assertIn("do not use this one" if types.out else "this side has kept no key", types.err)

    def test_sides_that_want_different_things_get_nothing(self):
        for here, there in ((("--name", "desktop"), ("--export", "x")), (("--export", "y"), ("--export", "x"))):
            with self.subTest(here=here, there=there):
                shows = self.shows(*here)
                types = self.types(shows.code_shown, shows.command[-1], *there)
                self.assertEqual((types.wait(), shows.wait()), (USAGE, USAGE), types.err + shows.err)
                self.assertEqual(self.left("a") + self.left("b") + [shows.out, types.out], ["", ""])

    def test_another_command_gets_nothing(self):
        shows = self.shows("--name", "desktop")
        dial = self.start("dial", shows.command[-1], env={"PAKE_CODE": shows.code_shown})
        self.assertEqual(shows.wait(), PROTOCOL, shows.err)
        self.assertNotEqual(dial.wait(), OK)
        self.assertEqual(self.left("a"), [])

    def test_what_does_not_fit_together(self):
        for args in ((), ("--name", "a", "--export", "x"), ("--name", "../a"), ("--name", ".a"), ("--name", "a/b"),
                     ("--name", ""), ("--name", "a" * 65), ("--export", "x", "--overwrite"),
                     ("--name", "a", "--listen", "0", "127.0.0.1:1"), ("--name", "a", "--listen", "0", "--via", "box"),
                     ("--name", "a", "--listen", "0", "--code-file", "/dev/null"), ("--name", "a", "127.0.0.1:1", "--via", "box"),
                     ("--name", "a", "violin-harvest-42"), ("--name", "a", "--code", "violin-harvest-42"),
                     ("--name", "a", "--password", "violin-harvest-42")):
            with self.subTest(args=args):
                refused = self.run_pake("pair", *args, env=self.state("a"))
                self.assertEqual(refused.code, USAGE, refused.err)
                self.assertNotIn("the code is  ", refused.err)


class Cuts(PairCase):
    """The other side is none of ours, and hangs up where it likes."""

    def pairs_up_to(self, code, address, says, hears):
        """Says so many bytes of the pairing, reads so many, then is gone."""
        connection = socket.create_connection(tcp(address), PATIENCE)
        self.addCleanup(connection.close)
        keys, finish = wire.client_handshake(connection, wire.ByCode(code.encode()), (wire.CHACHA20_POLY1305,))
        pipe, heard = wire.Pipe(connection, keys, True, finish, service=b"pair"), Heard()

        def read():
            with contextlib.suppress(wire.ProtocolError, wire.Truncated, OSError):
                pipe.read_all(heard)
        thread = threading.Thread(target=read, daemon=True)
        thread.start()
        pipe.write(says)
        heard.wait_for(hears)
        connection.shutdown(socket.SHUT_RDWR)
        thread.join(PATIENCE)

    def test_before_the_other_side_is_ready_nothing_is_kept(self):
        shows = self.shows("--name", "desktop")
        self.pairs_up_to(shows.code_shown, shows.command[-1], b"", b"\x01")
        self.assertEqual(shows.wait(), CUT_SHORT, shows.err)
        self.assertIn("this side has kept no key", shows.err)
        self.assertEqual(self.left("a"), [])

    def test_between_ready_and_done_it_is_said_that_the_other_side_may_have_none(self):
        shows = self.shows("--name", "desktop")
        self.pairs_up_to(shows.code_shown, shows.command[-1], b"\x01", b"\x01\x02")
        self.assertEqual(shows.wait(), CUT_SHORT, shows.err)
        self.assertIn(f"the key is in {self.file_of('a', 'desktop')}, but the other side may have none: pair again, with --overwrite",
                      shows.err)
        self.key("a", "desktop")
        self.assertEqual(self.left("a"), ["desktop"])

    def test_what_has_no_place_in_a_pairing_leaves_nothing(self):
        shows = self.shows("--name", "desktop")
        self.pairs_up_to(shows.code_shown, shows.command[-1], b"\x02", b"\x01")
        self.assertIn(shows.wait(), (PROTOCOL, CUT_SHORT), shows.err)  # the cut may be seen first
        self.assertEqual(self.left("a"), [])

    def test_a_full_disk_is_told_before_a_code_is_at_stake(self):
        if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
            self.skipTest("no file system can be mounted here")
        os.makedirs(self.path("a"))
        full = 'mount -t tmpfs -o size=4k none "$1" && head -c 4096 /dev/zero > "$1/filler" && shift && exec "$@"'
        shows = self.start("--mount", "sh", "-c", full, "sh", self.path("a"), PAKE, "pair", "--name", "desktop", "--listen", "127.0.0.1:0",
                           program="unshare", env=self.state("a"))
        self.assertEqual(shows.wait(), STORE, shows.err)
        self.assertIn("No space left on device", shows.err)
        self.assertNotIn("the code is", shows.err)


if __name__ == "__main__":
    unittest.main()
