"""Every command of docs/lesson.md, in its order and as it stands there; and the drawings that the page shows."""

import os
import re
import signal
import unittest

from harness import FAILED, OK, PAKE, Case

DOCS = os.path.join(os.path.dirname(os.path.abspath(__file__)), os.pardir, os.pardir, "docs")


def commands():
    """(what the block is, its lines) of each: `listening` ones go on while the next ones run, `fails` ones end with 1."""
    with open(os.path.join(DOCS, "lesson.md"), encoding="utf-8") as page:
        return re.findall(r"^```sh ?(\w*)\n(.*?)^```$", page.read(), re.S | re.M)


class Lesson(Case):
    def setUp(self):
        super().setUp()
        os.symlink(PAKE, self.path("pake"))
        self.room = self.path("room")
        os.mkdir(self.room)
        self.code = None

    def bash(self, text):
        """One terminal's commands, in the lesson's directory."""
        env = {"PATH": self.directory + os.pathsep + os.environ["PATH"], "XDG_STATE_HOME": self.path("state")}
        if self.code:
            env["PAKE_CODE"] = self.code  # what a reader types
        return self.start("-euo", "pipefail", "-c", f"cd {self.room}\n{text}", program="bash", env=env, has_terminal=False)

    def test_every_command_works(self):
        said, listening = "", []
        for kind, text in commands():
            self.assertIn(kind, ("", "listening", "fails"))
            if kind == "listening":
                shell = self.bash("exec " + text)
                self.code = shell.wait_for(r"listening on|the code is  (\S+)\n", "err")[1]
                listening.append((shell, text))
                continue
            shell = self.bash(text)
            self.assertEqual(shell.wait(), FAILED if kind else OK, text + shell.out + shell.err)
            said += shell.out
        for shell, text in listening:
            self.assertEqual(shell.stop(signal.SIGTERM) if "pake serve" in text else shell.wait(), OK, text + shell.err)
        self.assertIn("otter\n", said)  # found from its hash
        self.assertIn("Server say: receive hello\n", said)
        self.assertIn("password     otter\n", said)  # and from the recording of 1992
        self.assertIn("4 tried, 4 fit, 0 are ruled out", said)  # not from today's
        for name in re.findall(r"-o (\S+)", "".join(text for _, text in commands())):
            self.assertGreater(os.path.getsize(os.path.join(self.room, name)), 1000, name)

    def test_its_drawings_are_what_the_program_draws(self):
        for name in ("1992", "today"):
            drawn = self.run_pake("draw", os.path.join(DOCS, "lesson", name + ".jsonl"), "--eavesdropper")
            self.assertEqual(drawn.code, OK, drawn.err)
            with open(os.path.join(DOCS, "lesson", name + ".svg"), encoding="utf-8") as file:
                self.assertEqual(drawn.out, file.read(), "make it anew: pake draw %s.jsonl --eavesdropper -o %s.svg" % (name, name))


if __name__ == "__main__":
    unittest.main()
