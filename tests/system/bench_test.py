"""pake bench: figures for every kind of handshake and both ciphers, for people and as JSON."""

import json
import unittest

from harness import OK, Case


class Bench(Case):
    def test_every_line_has_a_figure(self):
        program = self.run_pake("bench", "--seconds", "0", "--json", "--quiet")
        self.assertEqual((program.code, program.err), (OK, ""))
        lines = [json.loads(line) for line in program.out.splitlines()]
        self.assertEqual([line.get("handshake") or line["stream"] for line in lines],
                         ["login", "login_p256", "code", "resume", "aes_256_gcm", "chacha20_poly1305"])
        for line in lines:
            figures = [value for name, value in line.items() if name.endswith("_per_second")]
            self.assertEqual(len(figures), 2 if "handshake" in line else 1, line)
            self.assertTrue(all(figure > 0 for figure in figures), line)


if __name__ == "__main__":
    unittest.main(verbosity=2)
