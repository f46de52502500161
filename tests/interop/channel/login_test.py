"""Logins over sockets: our server and client (login_peer) and the Python ones in every pairing, with a recorder between them.

LOGIN_PEER names the binary; the arguments are the server, the client (cpp or python) and what unittest takes. Python
against Python, which scripts/interop runs, shows that the peer is sound.
"""

import os
import random
import signal
import socket
import subprocess
import sys
import threading
import unittest

LOGIN_PEER = os.environ["LOGIN_PEER"]
PYTHON_PEER = [sys.executable, os.path.join(os.path.dirname(os.path.abspath(__file__)), "channel_peer.py")]
SERVER, CLIENT = sys.argv.pop(1), sys.argv.pop(1)
PATIENCE = 60
NAME, PASSWORD, SERVER_NAME = "alice", "correct horse", "login.example"

OK, AUTH_FAILED, THROTTLED, PROTOCOL = 0, 3, 5, 7
CLIENT_HELLO, RETRY, SERVER_HELLO, CLIENT_FINISH, ALERT, DATA, CLOSE = 1, 2, 3, 4, 5, 0x10, 0x11
RISTRETTO255, P256, X25519 = 1, 2, 0x21
SUITES = {"ristretto255": RISTRETTO255, "p256": P256}
AES_256_GCM, CHACHA20_POLY1305 = 1, 2
TEXT = random.Random(1).randbytes(300_000)


def frames(data):
    """Type and body of each whole frame, and an assertion that nothing is left."""
    found = []
    while data:
        size = 4 + int.from_bytes(data[1:4], "big")
        assert len(data) >= size, "half a frame"
        found.append((data[0], bytes(data[4:size])))
        data = data[size:]
    return found


class Recorder:
    """Stands between a client and the server, and keeps what each of them sent, connection by connection."""

    def __init__(self, server_port):
        self._server_port, self._listener = server_port, socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._heard, self._threads, self._sockets = [], [], []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                near = self._listener.accept()[0]
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", self._server_port))
            self._sockets += near, far
            self._heard.append((bytearray(), bytearray()))
            for source, sink, kept in ((near, far, self._heard[-1][0]), (far, near, self._heard[-1][1])):
                self._threads.append(threading.Thread(target=self._copy, args=(source, sink, kept), daemon=True))
                self._threads[-1].start()

    @staticmethod
    def _copy(source, sink, kept):
        try:
            while chunk := source.recv(65536):
                kept += chunk
                sink.sendall(chunk)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def finish(self):
        """The frames of each connection: the client's, the server's."""
        self._listener.close()
        for thread in self._threads:
            thread.join(PATIENCE)
        for connection in self._sockets:
            connection.close()
        return [tuple(frames(data) for data in both) for both in self._heard]


class Logins(unittest.TestCase):
    def start(self, command):
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(lambda: [pipe.close() for pipe in (process.stdin, process.stdout, process.stderr)])
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def serve(self, suite="ristretto255", aes=True, connections=1):
        """A server of alice's, with echo on its streams."""
        if SERVER == "cpp":
            server = self.start([LOGIN_PEER, "serve", "127.0.0.1:0", f"suite={suite}", f"aes={'yes' if aes else 'no'}"])
        else:
            server = self.start([*PYTHON_PEER, "listen", "--kind", "login", "--user", NAME, "--secret", PASSWORD, "--server-name", SERVER_NAME,
                                 "--suites", suite, "--ksf", "4", "--service", "echo", "--echo", "--connections", str(connections),
                                 *([] if aes else ["--no-aes"])])
        server.port = int(server.stderr.readline().decode().rsplit(":", 1)[1])
        return server

    def connect(self, port, user=NAME, password=PASSWORD, suites="ristretto255,p256", aes=True, resume="no", text=TEXT):
        """A client that says `text` and hears it again: its exit code and what it heard."""
        if CLIENT == "cpp":
            command = [LOGIN_PEER, "connect", f"127.0.0.1:{port}", f"user={user}", f"password={password}", f"suites={suites}",
                       f"aes={'yes' if aes else 'no'}", f"resume={resume}"]
        else:
            command = [*PYTHON_PEER, "dial", "--kind", "login", "--port", str(port), "--user", user, "--secret", password,
                       "--server-name", SERVER_NAME, "--suites", suites, "--service", "echo",
                       *([] if aes else ["--no-aes"]), *{"no": [], "yes": ["--resume"], "device": ["--device"]}[resume]]
        client = self.start(command)
        heard, said = client.communicate(text, PATIENCE)
        self.assertNotIn(b"Sanitizer", said)
        return client.returncode, heard

    def finish(self, server):
        """Ends the server; its exit code."""
        if SERVER == "cpp":
            server.send_signal(signal.SIGTERM)
        _, said = server.communicate(None, PATIENCE)
        self.assertNotIn(b"Sanitizer", said)
        self.assertNotIn(b"Traceback", said)
        self.server_said = said
        return server.returncode

    def run_once(self, server_is, client_is):
        """One client against a server of its own: the client's exit code, what it heard, and the frames of each connection."""
        server = self.serve(**server_is)
        recorder = Recorder(server.port)
        code, heard = self.connect(recorder.port, **client_is)
        return code, heard, self.finish(server), recorder.finish()

    def assert_channel(self, sent, suite, aead, retried=False):
        """Hello, Retry where there is one, and then records to the Close on both sides."""
        client, server = sent
        client_types, server_types = [kind for kind, _ in client], [kind for kind, _ in server]
        self.assertEqual(client_types[:2 + retried], [CLIENT_HELLO] * (1 + retried) + [CLIENT_FINISH])
        self.assertEqual(server_types[:1 + retried], [RETRY] * retried + [SERVER_HELLO])
        self.assertEqual(tuple(server[retried][1][:3]), (2, suite, aead))
        for records in (client_types[2 + retried:], server_types[1 + retried:]):
            self.assertEqual(set(records[:-1]), {DATA})
            self.assertEqual(records[-1], CLOSE)

    def test_every_suite_and_aead(self):
        plans = [(wanted, offered, True, True) for wanted in SUITES for offered in ("ristretto255,p256", "p256,ristretto255", wanted)]
        plans += [(wanted, wanted, *aes) for wanted in SUITES for aes in ((True, False), (False, True))]
        for wanted, offered, server_aes, client_aes in plans:
            with self.subTest(wanted=wanted, offered=offered, server_aes=server_aes, client_aes=client_aes):
                code, heard, server_code, sent = self.run_once(
                    {"suite": wanted, "aes": server_aes}, {"suites": offered, "aes": client_aes})
                self.assertEqual((code, server_code, heard == TEXT), (OK, OK, True))
                aead = AES_256_GCM if server_aes and client_aes else CHACHA20_POLY1305
                self.assert_channel(sent[0], SUITES[wanted], aead, retried=not offered.startswith(wanted))

    def test_nothing_to_say(self):
        code, heard, server_code, sent = self.run_once({}, {"text": b""})
        self.assertEqual((code, server_code, heard), (OK, OK, b""))
        self.assert_channel(sent[0], RISTRETTO255, AES_256_GCM)

    def test_a_ticket_resumes(self):
        for suite in SUITES:
            for aes in (True, False):
                with self.subTest(suite=suite, aes=aes):
                    code, heard, server_code, sent = self.run_once(
                        {"suite": suite, "aes": aes, "connections": 2}, {"resume": "yes"})
                    self.assertEqual((code, server_code, heard == TEXT + TEXT), (OK, OK, True))
                    aead = AES_256_GCM if aes else CHACHA20_POLY1305
                    self.assertEqual(len(sent), 2)
                    self.assert_channel(sent[0], SUITES[suite], aead, retried=suite == "p256")
                    self.assert_channel(sent[1], X25519, aead)

    def test_a_login_shows_the_device(self):
        for suite in SUITES:
            with self.subTest(suite=suite):
                code, heard, server_code, sent = self.run_once({"suite": suite, "connections": 2}, {"resume": "device"})
                self.assertEqual((code, server_code, heard == TEXT + TEXT), (OK, OK, True))
                for frames_of_login in sent:
                    self.assert_channel(frames_of_login, SUITES[suite], AES_256_GCM, retried=suite == "p256")
                self.assertIn(b"known device", self.server_said)

    def test_a_wrong_password_and_an_unknown_user_look_alike(self):
        for suite in SUITES:
            seen = []
            for who in ({"password": "correct house"}, {"user": "alyce"}):
                with self.subTest(suite=suite, who=who):
                    code, heard, server_code, sent = self.run_once({"suite": suite}, {"suites": suite, **who})
                    self.assertEqual((code, heard), (AUTH_FAILED, b""))
                    self.assertEqual(server_code, OK if SERVER == "cpp" else AUTH_FAILED)
                    seen.append([[(kind, len(body)) for kind, body in side] for side in sent[0]])
                    self.assertEqual([kind for kind, _ in sent[0][0]], [CLIENT_HELLO, ALERT])
                    self.assertEqual(sent[0][0][1][1], b"\1" + bytes(4))
            self.assertEqual(seen[0], seen[1])

    def test_a_suite_that_only_one_side_has(self):
        code, heard, _, sent = self.run_once({"suite": "p256"}, {"suites": "ristretto255"})
        self.assertEqual((code, heard), (PROTOCOL, b""))
        self.assertEqual(sent[0][1], [(ALERT, b"\5" + bytes(4))])

    if SERVER == "cpp":  # the Python server counts no guesses

        def test_guesses_are_counted_and_a_login_costs_none(self):
            server = self.serve()
            codes = [self.connect(server.port, password=password, text=b"hi")[0]
                     for password in ("a", PASSWORD, "b", PASSWORD, "c", PASSWORD)]
            self.assertEqual(codes, [AUTH_FAILED, OK, AUTH_FAILED, OK, AUTH_FAILED, THROTTLED])
            self.assertEqual(self.finish(server), OK)


if __name__ == "__main__":
    unittest.main(verbosity=2)
