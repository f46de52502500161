"""What cannot be fetched is tried once a run, and leaves nothing in the home directory."""

import os
import pathlib
import shutil
import socket
import tempfile
import threading
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

    @unittest.skipUnless(shutil.which("npm") and shutil.which("node"), "there is no npm")
    def test_a_registry_that_is_out_of_reach_is_asked_once(self):
        """One that refuses, and one that takes connections and says nothing. Of two peers the second does not ask again."""
        scripts = sorted(pathlib.Path(__file__).parent.glob("*/node/peer.js"))
        self.assertGreater(len(scripts), 1)
        self.addCleanup(setattr, peers, "REACH", peers.REACH)
        peers.REACH = 2
        home = self.work.parent / "home"
        home.mkdir()
        silent = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        asked = []

        def take():
            while True:
                asked.append(silent.accept()[0])

        threading.Thread(target=take, daemon=True).start()
        with socket.create_server(("127.0.0.1", 0)) as gone:
            ports = gone.getsockname()[1], silent.getsockname()[1]
        for port in ports:
            before = dict(os.environ)
            os.environ.update(HOME=str(home), npm_config_registry=f"http://127.0.0.1:{port}", PAKE_RUN=str(port))
            for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "npm_config_cache"):
                os.environ.pop(name, None)
            try:
                reasons, counts = [], []
                for script in scripts:
                    with self.assertRaises(peers.Missing) as caught:
                        peers.node_peer(script, self.work / script.parent.parent.name)
                    reasons.append(str(caught.exception))
                    counts.append(len(asked))
            finally:
                os.environ.clear()
                os.environ.update(before)
            self.assertEqual(len(set(reasons)), 1, reasons)
            self.assertRegex(reasons[0], "^npm: ")
            self.assertEqual(len(set(counts)), 1)  # nobody has asked once more
        self.assertGreater(len(asked), 0)
        self.assertEqual(os.listdir(home), [])


if __name__ == "__main__":
    unittest.main()
