"""What cannot be fetched is tried once a run, and leaves nothing in the home directory."""

import os
import pathlib
import tempfile
import unittest

import peers


class MadeOnce(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.work = pathlib.Path(directory.name) / "work"
        self.source = pathlib.Path(directory.name) / "lock.json"
        self.source.write_text("1")
        self.calls = 0
        before = os.environ.get("PAKE_RUN")
        self.addCleanup(lambda: os.environ.pop("PAKE_RUN", None) if before is None else os.environ.update(PAKE_RUN=before))
        os.environ["PAKE_RUN"] = "one"

    def fails(self):
        self.calls += 1
        raise peers.Missing("the registry is out of reach")

    def works(self):
        self.calls += 1

    def test_a_failure_is_not_repeated_in_the_same_run(self):
        for _ in range(3):
            with self.assertRaisesRegex(peers.Missing, "out of reach"):
                peers.made_once(self.work, [self.source], self.fails)
        self.assertEqual(self.calls, 1)
        os.environ["PAKE_RUN"] = "two"
        peers.made_once(self.work, [self.source], self.works)
        self.assertEqual(self.calls, 2)

    def test_what_was_made_is_made_again_for_other_sources_alone(self):
        peers.made_once(self.work, [self.source], self.works)
        peers.made_once(self.work, [self.source], self.works)
        self.assertEqual(self.calls, 1)
        self.source.write_text("2")
        peers.made_once(self.work, [self.source], self.works)
        self.assertEqual(self.calls, 2)

    def test_a_command_that_fails_says_one_line(self):
        with self.assertRaises(peers.Missing) as caught:
            peers.run_or_miss("npm ci", ["sh", "-c", "echo progress; echo 'npm ERR! code ENOTFOUND' >&2; echo more >&2; exit 1"])
        self.assertEqual(str(caught.exception), "npm ci: npm ERR! code ENOTFOUND")
        with self.assertRaisesRegex(peers.Missing, "no end after"):
            peers.run_or_miss("npm ci", ["sleep", "60"], timeout=0.2)


if __name__ == "__main__":
    unittest.main()
