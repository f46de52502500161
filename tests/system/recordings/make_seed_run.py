#!/usr/bin/python3
"""Makes a trace (seed-1992.trace): the seed's two programs (tests/interop), with the demonstration's eavesdropper between them.

It plays runs until one has a Ks that begins with three zeros, so that the search for Ks in a test is over in a second.
"""

import contextlib
import io
import json
import pathlib
import socket
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path[:0] = [str(ROOT / "tests" / "interop"), str(ROOT / "scripts" / "demo")]

import rsa_eke_connector  # noqa: E402
import rsa_eke_listener  # noqa: E402
from Cryptodome.PublicKey import RSA  # noqa: E402
from eavesdropper import Eavesdropper, tcp  # noqa: E402

USER, PASSWORD, MODE = b"server", b"12345678", "gcm"
LINES = ["hello", "how are you?", "this goes in clear"]


def play(address, key):
    """One run by the connecting program, and its chat; returns what it prints."""
    printed = io.StringIO()
    with socket.create_connection(tcp(address)) as connection, contextlib.redirect_stdout(printed):
        connection.send(USER)
        assert connection.recv(1024) == b"yes"
        rsa_eke_connector.authenticate(connection, PASSWORD, MODE, key)
        if "Ks: 000" in printed.getvalue():
            for line in LINES:
                connection.send(line.encode())
                connection.recv(1024)
        connection.send(b"quit")
    return printed.getvalue()


def main():
    server = socket.create_server(("127.0.0.1", 0))

    def serve():
        while True:
            connection, _ = server.accept()
            threading.Thread(target=rsa_eke_listener.serve, args=(connection, {USER: PASSWORD}, MODE),
                             daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    key = RSA.generate(1024)
    with Eavesdropper("127.0.0.1:%d" % server.getsockname()[1]) as eavesdropper:
        while "Ks: 000" not in play(eavesdropper.address, key):
            pass
        with open(sys.argv[1], "w", encoding="ascii") as trace:
            for to_listener, data in eavesdropper.recordings[-1].chunks:  # it notes no times
                line = {"us": 0, "protocol": "rsa-eke", "role": "client", "conn": 1,
                        "passed": "sent" if to_listener else "received", "frame": "message", "size": len(data),
                        "bytes": data.hex()}
                print(json.dumps(line, separators=(",", ":")), file=trace)


if __name__ == "__main__":
    main()
