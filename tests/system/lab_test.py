"""`pake lab`: the laboratory opens recordings of 1992's protocol, and finds nothing in today's."""

import json
import math
import os
import signal
import socket
import time
import unittest
import xml.etree.ElementTree as ElementTree

from harness import AUTH_FAILED, CUT_SHORT, FAILED, OK, PATIENCE, UNREACHABLE, USAGE, Case
from terminal import Terminal

SEED_RUN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "recordings", "seed-1992.trace")
PASSWORD, KS, NC, NS = "12345678", "0005340449", "5440568582", "0352190870"
LINES = ["hello", "how are you?", "this goes in clear"]
# Wrong words under which message 3 of the recording begins with a dash, the second with two.
NEAR_MISSES = ["near000191", "near133018"]
ALL_KEYS = 10**10


class Lab(Case):
    def words(self, *words, count=0):
        """A file of the words, spread over `count` others."""
        others = [f"word{number:05}" for number in range(count)]
        for at, word in enumerate(words):
            others.insert(len(others) * (at + 1) // (len(words) + 1), word)
        return self.path("words", "\n".join(others))

    def crack(self, *args, trace=SEED_RUN):
        return self.run_pake("lab", "crack", trace, *args)

    def crack_json(self, *args, trace=SEED_RUN):
        run = self.crack("--json", *args, trace=trace)
        return run.code, json.loads(run.out)

    def changed_trace(self, change):
        """The recording with every line's object put through `change`."""
        with open(SEED_RUN, encoding="ascii") as trace:
            lines = [json.loads(line) for line in trace]
        change(lines)
        return self.path("changed.trace", "".join(json.dumps(line) + "\n" for line in lines))

    def assert_near(self, measured, expected, of):
        """Within six standard deviations of so many throws, and a word or two."""
        share = max(min(expected / of, 1), 1e-9)
        self.assertLessEqual(abs(measured - expected), 6 * math.sqrt(of * share * (1 - share)) + 2)


class Crack(Lab):
    def test_the_seeds_own_programs_from_ten_thousand_words(self):
        """Password, Ks, NC, NS and the chat; a near miss before the word is not taken for it."""
        words = self.words(*NEAR_MISSES, PASSWORD, count=9_997)
        run = self.crack("--words", words)
        self.assertEqual(run.code, OK, run.err)
        self.assertIn(f"password     {PASSWORD}\n", run.out)
        self.assertIn('"-----BEGIN PUBLIC KEY-----', run.out)
        self.assertIn("the nearest is near133018, with 2 of 27 bytes", run.out)
        self.assertRegex(run.out, r"words?\b.*/s")
        self.assertRegex(run.out, r"decoding of one RSA key takes \d+\.\d us")
        self.assertIn("public key   -----BEGIN PUBLIC KEY-----\n", run.out)
        for name, value in (("Ks", KS), ("NC", NC), ("NS", NS)):
            self.assertRegex(run.out, rf"(?m)^{name}  +{value}$")
        for line in LINES:
            self.assertIn(f"connector: {line}\n", run.out)
            self.assertIn(f"listener: receive {line}\n", run.out)
        self.assertIn("laboratory", run.err)

    def test_near_misses_alone_are_no_password(self):
        code, found = self.crack_json("--words", self.words(*NEAR_MISSES))
        self.assertEqual(code, FAILED)
        self.assertNotIn("password", found)
        self.assertEqual(found["nearest"], {"agrees": 2, "begins": found["nearest"]["begins"], "word": NEAR_MISSES[1]})
        self.assertTrue(found["nearest"]["begins"].startswith("2d 2d "))
        self.assertEqual([line["line"] for line in found["chat"] if line["by"] == "connector"], LINES)

    def test_in_the_mode_that_is_named(self):
        words = self.words(PASSWORD)
        self.assertEqual(self.crack("--words", words, "--mode", "cbc").code, FAILED)
        code, found = self.crack_json("--words", words, "--mode", "gcm", "--word-only")
        self.assertEqual((code, found["password"], found["mode"], found["key_bits"]), (OK, PASSWORD, "gcm", 1024))
        self.assertNotIn("Ks", found)

    def test_hostile_text_of_a_trace_stays_text(self):
        def change(lines):
            lines[0]["bytes"] = b"\x1b]0;owned\x07<script>".hex()
            lines[-1]["bytes"] = b"\x1b[2Jreceive".hex()
            for line in lines:
                line["size"] = len(line["bytes"]) // 2
        run = self.crack("--words", self.words(PASSWORD), "--word-only", trace=self.changed_trace(change))
        self.assertEqual(run.code, OK, run.err)
        self.assertNotIn("\x1b", run.out)
        self.assertIn("\\x1b[2Jreceive", run.out)

    def test_what_is_no_recording_is_said(self):
        words = self.words(PASSWORD)
        def no_yes(lines):
            lines[1].update(bytes=b"no".hex(), size=2)
        self.assertRegex(self.crack("--words", words, trace=self.changed_trace(no_yes)).err,
                         "error: .*did not know the user")
        def no_base64(lines):
            lines[2].update(bytes=b"-----BEGIN".hex(), size=10)
        self.assertRegex(self.crack("--words", words, trace=self.changed_trace(no_base64)).err, "error: .*third message")
        for trace, said in ((words, "line 1"), (self.path("missing"), "No such file")):
            run = self.crack("--words", words, trace=trace)
            self.assertEqual(run.code, FAILED)
            self.assertRegex(run.err, f"error: .*{said}")
        self.assertRegex(self.crack("--words", self.words()).err, "error: .*no word in it")
        self.assertEqual(self.crack().code, USAGE)
        self.assertEqual(self.crack("--words", words, "--without-words").code, USAGE)


class WithoutWords(Lab):
    def test_goes_on_from_its_state(self):
        """Begun 100,000 keys before Ks, as if all before had been tried; the time is told before it begins."""
        state = self.path("state")
        run = self.crack("--words", self.words(PASSWORD), "--state", state)
        self.assertEqual(run.code, OK, run.err)
        with open(state, encoding="ascii") as file:
            kept = json.load(file)
        self.assertLessEqual(kept["next"], int(KS))
        kept["modes"] = "gcm"
        kept["next"] = int(KS) - 100_000
        with open(state, "w", encoding="ascii") as file:
            json.dump(kept, file)
        run = self.crack("--without-words", "--mode", "gcm", "--state", state)
        self.assertEqual(run.code, OK, run.err)
        self.assertRegex(run.err, r"note: Ks: 9,99\d,\d{3},\d{3} of 10,000,000,000 keys are to be tried, which takes ")
        self.assertRegex(run.out, rf"(?m)^Ks  +{KS}$")
        self.assertNotIn("public key", run.out)

    def test_none_fits(self):
        """The last keys alone: Ks is not among them."""
        state = self.path("state")
        self.crack("--words", self.words(PASSWORD), "--state", state)
        with open(state, encoding="ascii") as file:
            kept = json.load(file)
        kept["next"] = ALL_KEYS - 1000
        with open(state, "w", encoding="ascii") as file:
            json.dump(kept, file)
        run = self.crack("--without-words", "--mode", "gcm", "--state", state)
        self.assertEqual(run.code, FAILED)
        self.assertIn("not found", run.out)

    def test_a_state_of_something_else_is_refused(self):
        for text in ("", "[]", '{"recording":"00","modes":"gcm","next":0}', '{"next":-1}', '{"next":99999999999}'):
            with open(self.path("state"), "w", encoding="ascii") as file:
                file.write(text)
            run = self.crack("--without-words", "--mode", "gcm", "--state", self.path("state"))
            self.assertEqual(run.code, FAILED)
            self.assertRegex(run.err, "error: .*state")

    def test_a_state_that_cannot_be_written_is_said_at_once(self):
        run = self.crack("--without-words", "--mode", "gcm", "--state", self.path("missing/state"))
        self.assertEqual(run.code, FAILED)
        self.assertRegex(run.err, "error: cannot write .*missing/state")

    def test_a_signal_ends_it_and_the_state_is_kept(self):
        program = self.start("lab", "crack", SEED_RUN, "--without-words", "--mode", "cbc", "--state", self.path("state"))
        deadline = time.monotonic() + PATIENCE
        while not os.path.exists(self.path("state")) and time.monotonic() < deadline:
            time.sleep(0.02)
        program.process.terminate()
        self.assertIn(program.wait(), (-15, 143))
        with open(self.path("state"), encoding="ascii") as file:
            self.assertIn("next", json.load(file))


class Progress(Lab):
    def test_at_a_terminal_rate_and_time_left(self):
        for columns, line in ((80, r"\d of 10,000,000,000 keys, [\d.,]+( million)?/s, \d+ \w+ left"),
                              (40, r"\r\x1b\[K[\d,]+ of 10,000,000,000 k[^\r]{1,11}\r")):
            terminal = Terminal("lab", "crack", SEED_RUN, "--without-words", "--mode", "cbc", columns=columns)
            self.addCleanup(terminal.close)
            terminal.see(line)
            terminal.send_signal(signal.SIGINT)
            self.assertEqual(terminal.wait(), 130)


class Partitions(Lab):
    def test_a_key_without_pem(self):
        words = self.words(PASSWORD, count=3_999)
        plot = self.path("runs.svg")
        code, found = self.crack_json("--words", words, "--no-pem", "--runs", "6", "-o", plot)
        self.assertEqual(code, OK)
        rows = found["without_pem"]
        self.assertEqual([row["runs"] for row in rows], list(range(7)))
        self.assertEqual((rows[0]["odd"], rows[0]["both"]), (4000, 4000))
        for row in rows[1:]:
            self.assert_near(row["odd"], row["expected_odd"], 4000)
            self.assert_near(row["both"], row["expected_both"], 4000)
            self.assertEqual(row["odd"], rows[1]["odd"])  # gcm: the same bit in every run
        self.assertGreaterEqual(rows[-1]["both"], 1)  # the word itself always fits
        drawing = ElementTree.parse(plot).getroot()
        self.assertEqual(drawing.tag, "{http://www.w3.org/2000/svg}svg")
        self.assertIsNotNone(drawing.find("{http://www.w3.org/2000/svg}title"))


class Residues(Lab):
    def attack(self, *args, words):
        program = self.start("lab", "residues", "127.0.0.1:0", "--words", words, *args)
        return program, program.wait_for(r"listening on (.*)\n", "err")[1]

    def be_lured(self, address, password):
        run = self.run_pake("eke", "connect", address, "--form", "paper", env={"PAKE_PASSWORD": password})
        self.assertEqual(run.code, AUTH_FAILED, run.err)

    def test_a_third_of_the_words_a_run(self):
        """As many words are left as the modulus lets expect; the password is always among them."""
        words = self.words(PASSWORD, count=2_999)
        plot = self.path("runs.svg")
        program, address = self.attack("--runs", "8", "--json", "-o", plot, words=words)
        for _ in range(8):
            self.be_lured(address, PASSWORD)
        self.assertEqual(program.wait(), FAILED, program.err)
        rows = [json.loads(line) for line in program.out.splitlines()]
        self.assertEqual([row["run"] for row in rows], list(range(9)))
        for run, row in enumerate(rows):
            expected = 1 + 2999 * (1 - (1 - 3**-8) / 3)**run
            self.assertAlmostEqual(row["expected"], expected, delta=0.001)
            self.assert_near(row["left"], expected, 3000)
        self.assertEqual(ElementTree.parse(plot).getroot().tag, "{http://www.w3.org/2000/svg}svg")

    def test_the_last_word_is_the_password(self):
        program, address = self.attack("--runs", "200", "--mode", "gcm", words=self.words(PASSWORD, count=3))
        runs = 0
        while program.process.poll() is None and runs < 200:
            run = self.run_pake("eke", "connect", address, "--form", "paper", env={"PAKE_PASSWORD": PASSWORD})
            self.assertIn(run.code, (AUTH_FAILED, CUT_SHORT, UNREACHABLE), run.err)
            runs += 1
        self.assertEqual(program.wait(), OK, program.err)
        self.assertTrue(program.out.endswith(f"password: {PASSWORD}\n"), program.out)

    def test_who_speaks_something_else_shows_nothing(self):
        program, address = self.attack("--runs", "1", words=self.words(PASSWORD, count=9))
        host, port = address.rsplit(":", 1)
        with socket.create_connection((host, int(port))) as connection:
            connection.sendall(b"server")
            connection.recv(1024)
            connection.sendall(b"<" * 172)
        program.wait_for("showed nothing", "err")
        self.be_lured(address, PASSWORD)
        self.assertIn(program.wait(), (OK, FAILED))
        self.assertNotIn("run   2", program.out)

    def test_on_this_machine_alone(self):
        words = self.words(PASSWORD)
        for address in ("0.0.0.0:0", "[::]:0", ":0", "example.org:1", "192.0.2.1:0", f"unix:{self.path('socket')}"):
            run = self.run_pake("lab", "residues", address, "--words", words)
            self.assertEqual(run.code, USAGE, address)
            self.assertIn("127.0.0.1", run.err)


class Today(Lab):
    """Today's first message, caught from the real programs, and the same words."""

    def first_message(self, *args, env):
        with socket.create_server(("127.0.0.1", 0)) as server:
            server.settimeout(PATIENCE)
            address = "127.0.0.1:%d" % server.getsockname()[1]
            program = self.start(*[arg.replace("ADDRESS", address) for arg in args], env=env)
            connection, _ = server.accept()
            with connection:
                connection.settimeout(PATIENCE)
                hello = connection.recv(8192)
        program.wait()
        line = {"us": 0, "passed": "sent", "frame": "client_hello", "size": len(hello), "bytes": hello.hex()}
        return self.path("today.trace", json.dumps(line) + "\n")

    def assert_every_word_fits(self, trace, word):
        words = self.words(word, count=299)
        code, found = self.crack_json("--words", words, trace=trace)
        self.assertEqual((code, found["words"]["in_list"], found["words"]["fit"]), (FAILED, 300, 300))
        self.assertNotIn("password", found)
        run = self.crack("--words", words, trace=trace)
        self.assertRegex(run.out, "words  +300 tried, 300 fit, 0 are ruled out")
        self.assertIn("prime order", run.out)
        self.assertIn("one word a connection", run.out)
        self.assertEqual(self.crack("--without-words", trace=trace).code, USAGE)

    def test_every_word_fits_a_code(self):
        trace = self.first_message("dial", "ADDRESS", env={"PAKE_CODE": "fragile-traffic-60"})
        self.assert_every_word_fits(trace, "fragile-traffic-60")

    def test_every_word_fits_a_login(self):
        trace = self.first_message("connect", "alice@ADDRESS", env={"PAKE_PASSWORD": PASSWORD})
        self.assert_every_word_fits(trace, PASSWORD)


if __name__ == "__main__":
    unittest.main()
