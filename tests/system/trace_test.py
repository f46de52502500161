"""`--trace` of every command: what an observer sees, in the one format of docs/traces.md, and no secret among it."""

import json
import os
import stat
import subprocess
import unittest

from harness import AUTH_FAILED, FAILED, OK, Case
from serving import PASSWORD, ServeCase

KINDS = {"public", "password", "session", "clear"}


def read_trace(test, path, role, protocol="pake/2", secrets=()):
    """The frames of a trace, once it has been held to what docs/traces.md says."""
    test.assertEqual(stat.S_IMODE(os.stat(path).st_mode), 0o600)
    with open(path, encoding="ascii") as file:
        text = file.read()
    frames = [json.loads(line) for line in text.splitlines()]
    test.assertEqual([frame["us"] for frame in frames], sorted(frame["us"] for frame in frames))
    everything = b""
    for frame in frames:
        content = bytes.fromhex(frame["bytes"])
        test.assertEqual((frame["role"], frame["protocol"], frame["size"]), (role, protocol, len(content)))
        test.assertIn(frame["passed"], ("sent", "received"))
        at = 0
        for field in frame["fields"]:
            test.assertEqual(field["at"], at, frame)
            test.assertIn(field["kind"], KINDS)
            at += field["size"]
        test.assertEqual(at, frame["size"], frame)
        everything += content
    for secret in secrets:
        test.assertNotIn(secret, text)
        test.assertNotIn(secret.encode(), everything)
        test.assertNotIn(secret.encode().hex(), text)
    return frames


def names(frames, direction=None):
    return [frame["frame"] for frame in frames if direction in (None, frame["passed"])]


def field(frame, name):
    found, = (each for each in frame["fields"] if each["name"] == name)
    return bytes.fromhex(frame["bytes"])[found["at"]:found["at"] + found["size"]], found["kind"]


def mirrored(frames):
    """What the other side has seen."""
    return [("received" if frame["passed"] == "sent" else "sent", frame["frame"], frame["bytes"]) for frame in frames]


def as_seen(frames):
    return [(frame["passed"], frame["frame"], frame["bytes"]) for frame in frames]


class Eke(Case):
    SAID = ["user_name", "user_answer", "public_key", "session_key", "challenge", "response_and_challenge", "response",
            "line", "answer", "quit"]

    def converse(self, *args, password="12345678", listener_password="12345678", code=OK):
        here, there = self.path("here"), self.path("there")
        listener = self.listen("--once", "--trace", there, "--password-file", self.path("p", listener_password), *args)
        connector = self.connect(listener.address, "--trace", here, "--password-file", self.path("q", password), *args,
                                 lines="hello\n")
        self.assertEqual((connector.code, listener.wait()), (code, code), connector.err + listener.err)
        return (listener, read_trace(self, here, "client", "rsa-eke", (password,)),
                read_trace(self, there, "server", "rsa-eke", (listener_password,)))

    def assert_shows(self, listener, frames):
        """The trace has what the run's figures say: nothing of them in it but the chat, which is in clear."""
        self.assertEqual(names(frames), self.SAID)
        kinds = [frame["fields"][0]["kind"] for frame in frames]
        self.assertEqual(kinds, ["clear"] * 2 + ["password"] * 2 + ["session"] * 3 + ["clear"] * 3)
        self.assertEqual([bytes.fromhex(frames[i]["bytes"]) for i in (0, 1, 7, 8, 9)],
                         [b"server", b"yes", b"hello", b"receive hello", b"quit"])
        self.assertEqual([frame["size"] for frame in frames[2:7]], [364, 236, 24, 44, 24])
        everything = b"".join(bytes.fromhex(frame["bytes"]) for frame in frames)
        for figure in (r"Ks: (\d{10})", r"NC: (\d{10})"):
            self.assertNotIn(listener.wait_for(figure)[1].encode(), everything)

    def test_both_sides_tell_the_same(self):
        listener, here, there = self.converse()
        self.assert_shows(listener, here)
        self.assertEqual(mirrored(here), as_seen(there))

    def test_a_wrong_password_is_told_as_far_as_it_came(self):
        _, here, there = self.converse(password="wrong", code=AUTH_FAILED)
        self.assertEqual(names(here), self.SAID[:3])
        self.assertEqual(mirrored(here), as_seen(there))

    def test_each_caller_has_a_number(self):
        trace = self.path("trace")
        listener = self.listen("--trace", trace)
        for _ in range(2):
            self.assertEqual(self.connect(listener.address).code, OK)
            listener.wait_for("quit!")
        listener.stop()
        frames = read_trace(self, trace, "server", "rsa-eke")
        self.assertEqual(sorted({frame["conn"] for frame in frames}), [1, 2])

    def test_the_papers_own_form_has_messages_of_its_own(self):
        here = self.path("here")
        attack = self.start("lab", "residues", "127.0.0.1:0", "--runs", "1", "--words", self.path("words", "a\nb\nc\n"))
        address = attack.wait_for(r"listening on (.*)\n", "err")[1]
        run = self.run_pake("eke", "connect", address, "--form", "paper", "--trace", here, env={"PAKE_PASSWORD": "b"})
        self.assertEqual(run.code, AUTH_FAILED, run.err)
        frames = read_trace(self, here, "client", "rsa-eke-paper")
        self.assertEqual(names(frames)[:3], ["user_name", "public_key", "session_key"])
        self.assertEqual([(each["name"], each["size"], each["kind"]) for each in frames[1]["fields"]],
                         [("n", 172, "public"), ("E_pw(e)", 172, "password")])

    def test_one_that_cannot_be_opened_is_said_at_once(self):
        listener = self.run_pake("eke", "listen", "127.0.0.1:0", "--trace", self.path("nowhere") + "/trace")
        self.assertEqual(listener.code, FAILED)
        self.assertIn("error: cannot write the trace", listener.err)


class Channel(ServeCase):
    def test_two_people_and_a_code(self):
        here, there = self.path("here"), self.path("there")
        host = self.start("listen", "127.0.0.1:0", "--trace", there)
        code = host.wait_for(r"the code is  (\S+)\n", "err")[1]
        caller = self.start("dial", host.wait_for(r"pake dial (\S+)\n", "err")[1], "--trace", here, env={"PAKE_CODE": code},
                            stdin=subprocess.PIPE)
        caller.write("what is said\n")
        self.assertEqual((caller.wait(), host.wait()), (OK, OK), caller.err + host.err)
        frames = read_trace(self, here, "client", secrets=(code, "what is said"))
        self.assertEqual(names(frames)[:3], ["client_hello", "server_hello", "client_finish"])
        self.assertEqual([field(frames[0], "Ya")[1], field(frames[1], "Tb")[1], field(frames[2], "Ta")[1]],
                         ["public", "session", "session"])
        seen = as_seen(read_trace(self, there, "server", secrets=(code, "what is said")))
        self.assertEqual(seen[:3], mirrored(frames)[:3])

    def test_files(self):
        here, there = self.path("here"), self.path("there")
        sender = self.start("send", "--listen", "127.0.0.1:0", "--trace", there, self.path("a", "what is sent"))
        code = sender.wait_for(r"the code is  (\S+)\n", "err")[1]
        receiver = self.run_pake("receive", sender.wait_for(r"pake receive (\S+)\n", "err")[1], "--trace", here, "--yes",
                                 "--out", self.path("out"), env={"PAKE_CODE": code})
        self.assertEqual((receiver.code, sender.wait()), (OK, OK), receiver.err + sender.err)
        for path, role in ((here, "client"), (there, "server")):
            frames = read_trace(self, path, role, secrets=(code, "what is sent"))
            self.assertEqual(names(frames)[:3], ["client_hello", "server_hello", "client_finish"])

    def test_a_server_and_its_users(self):
        there, here, new = self.path("there"), self.path("here"), "another password"
        server = self.serve("--trace", there)
        alice = f"alice@{server.address}"
        code = self.pake("user", "invite", "alice").out.strip()
        chosen = self.path("chosen", PASSWORD)
        for args, secrets in (
                (("enroll", alice, "--ksf-floor", "small", "--code-file", self.path("code", code)), (code, PASSWORD)),
                (("connect", alice), (PASSWORD,)),
                (("passwd", alice, "--ksf-floor", "small", "--new-password-file", self.path("new", new)), (PASSWORD, new))):
            run = self.run_pake(*args, "--password-file", chosen, "--trace", here)
            self.assertEqual(run.code, OK, run.err)
            frames = read_trace(self, here, "client", secrets=secrets)
            self.assertEqual(names(frames)[:3], ["client_hello", "server_hello", "client_finish"])
            if args[0] != "enroll":
                self.assertEqual(field(frames[0], "name"), (b"alice", "clear"))
                self.assertEqual(field(frames[0], "blinded_message")[1], "public")
                self.assertEqual(field(frames[1], "masked_response")[1], "password")
                self.assertEqual(len(field(frames[1], "masked_response")[0]), 128)
        self.assertEqual(server.stop(), OK)
        frames = read_trace(self, there, "server", secrets=(code, PASSWORD, new))
        self.assertEqual({frame["conn"] for frame in frames}, {1, 2, 3})


if __name__ == "__main__":
    unittest.main()
