#!/usr/bin/python3
"""One pairing of RSA-EKE peers in one mode, checked by the lines that both sides print.

    test_rsa_eke.py --pake build/dev/bin/pake --listener cpp --connector python --mode gcm

PAKE_INTEROP_RUNS: how many whole sessions, each with fresh keys and nonces; 2 unless set.
Exit code 77: skipped, because the peers' Python module is missing (a failure where PAKE_REQUIRE_PEERS is set).
"""

import argparse
import importlib.util
import os
import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "support"))
from programs import Program  # noqa: E402

SKIPPED = 77

PEM = r"-----BEGIN PUBLIC KEY-----\n(?:[A-Za-z0-9+/=]{1,64}\n)+-----END PUBLIC KEY-----\n"
LINES = ["hello", "how  are you?", "schöne Grüße, 你好", "quit it", "x" * 1016]


class Pairing:
    def __init__(self, options):
        self.options = options
        self.port = None

    def listen(self):
        mode = ["--mode", self.options.mode]
        if self.options.listener == "cpp":
            listener = Program([self.options.pake, "eke", "listen", "127.0.0.1:0", *mode])
        else:
            listener = Program([sys.executable, HERE / "rsa_eke_listener.py", "--port", "0", *mode])
        self.port = int(listener.wait_for(r"127\.0\.0\.1:(\d+)", "stderr").group(1))
        return listener

    def connect(self, user="server", password="12345678", mode=None, bits=1024):
        mode = ["--mode", mode or self.options.mode]
        if self.options.connector == "cpp":
            return Program([self.options.pake, "eke", "connect", f"127.0.0.1:{self.port}", "--user", user, *mode,
                            "--bits", bits],
                           env={**os.environ, "PAKE_PASSWORD": password})
        return Program([sys.executable, HERE / "rsa_eke_connector.py", "--port", self.port, "--user", user,
                        "--password", password, *mode])


def check(condition, what, *programs):
    if not condition:
        raise AssertionError(what + "\n" + "\n".join(str(program) for program in programs))


def listener_lines(said):
    """What the listening side prints of one whole session (Figure 1)."""
    return re.compile(r"Connected From \('127\.0\.0\.1', \d+\)\nuser is server\n"
                      rf"pk: (?P<pk>{PEM})Ks: (?P<Ks>\d{{10}})\nNC: (?P<NC>\d{{10}})\n"
                      r"N2 is equal to NS\nAuthentication success\n"
                      + "".join(re.escape(f"User server say: {line}\n") for line in said)
                      + r"User server quit!\n")


def connector_lines(said):
    """What the connecting side prints of one whole session (Figure 2); a prompt may stand before any line of the chat."""
    return re.compile(rf"pk: (?P<pk>{PEM})Ks: (?P<Ks>\d{{10}})\nNC: (?P<NC>\d{{10}})\n"
                      r"N1_2: (?P<N1_2>\d{20})\nAuthentication success\n"
                      + "".join(rf"(?:> )?{re.escape(f'Server say: receive {line}')}\n" for line in said)
                      + "(?:> )?")


def whole_session(pairing, listener, **connect):
    before = len(listener.stdout)
    with pairing.connect(**connect) as connector:
        if pairing.options.connector == "python":  # as naive as the seed's: its first line must not ride behind message 7
            listener.wait_for("^Authentication success$", since=before)
        connector.send(*LINES, "quit")
        check(connector.finish() == 0, "the connecting side failed", connector, listener)
        listener.wait_for("^User server quit!$", since=before)

        theirs = connector_lines(LINES).fullmatch(connector.stdout)
        ours = listener_lines(LINES).fullmatch(listener.stdout[before:])
        check(theirs, "the connecting side printed something else", connector)
        check(ours, "the listening side printed something else", listener)
        for value in ("pk", "Ks", "NC"):
            check(ours[value] == theirs[value], f"the two sides print another {value}", connector, listener)
        check(theirs["N1_2"].startswith(theirs["NC"]), "N1_2 does not begin with NC", connector)


def larger_key(pairing, listener):
    if pairing.options.connector == "cpp":  # a Python listener reads 1,024 bytes and no more: 2048 bits fit
        whole_session(pairing, listener, bits=4096 if pairing.options.listener == "cpp" else 2048)


def refused(pairing, listener, what, listener_says="user is server", **connect):
    """A connection that must not authenticate on either side."""
    before = len(listener.stdout)
    with pairing.connect(**connect) as connector:
        check(connector.finish() != 0, f"{what}: the connecting side reports success", connector, listener)
        listener.wait_for(f"^{listener_says}$", since=before)
        both = connector.stdout + listener.stdout[before:]
        check("Authentication success" not in both, f"{what}: authenticated", connector, listener)
        return connector.stdout


def unknown_user(pairing, listener):
    said = refused(pairing, listener, "unknown user", listener_says="user error", user="nobody")
    check(said.endswith("connect error\n"), f"unknown user: no `connect error` but {said!r}")


def vanished_peer(pairing, listener):
    before = len(listener.stdout)
    with pairing.connect() as connector:
        connector.wait_for("^Authentication success$")
        listener.wait_for("^Authentication success$", since=before)
        connector.process.kill()
        listener.wait_for("^User Abnormal Exit$", since=before)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pake", help="the program to test")
    parser.add_argument("--listener", choices=("cpp", "python"), required=True)
    parser.add_argument("--connector", choices=("cpp", "python"), required=True)
    parser.add_argument("--mode", choices=("gcm", "cbc"), required=True)
    return parser.parse_args()


def main():
    options = parse_options()
    if "python" in (options.listener, options.connector) and not importlib.util.find_spec("Cryptodome"):
        print(f"SKIPPED: {sys.executable} has no module Cryptodome (Debian: python3-pycryptodome)")
        return 1 if os.environ.get("PAKE_REQUIRE_PEERS") else SKIPPED

    runs = int(os.environ.get("PAKE_INTEROP_RUNS", "2"))
    pairing = Pairing(options)
    with pairing.listen() as listener:
        for _ in range(runs):
            whole_session(pairing, listener)
        larger_key(pairing, listener)
        unknown_user(pairing, listener)
        refused(pairing, listener, "wrong password", password="87654321")
        refused(pairing, listener, "the other mode", mode={"gcm": "cbc", "cbc": "gcm"}[options.mode])
        vanished_peer(pairing, listener)
        whole_session(pairing, listener)  # and the listener still serves
    print(f"{options.listener} listens, {options.connector} connects, {options.mode}: {runs + 1} whole sessions, "
          "an unknown user, a wrong password, the other mode and a vanished peer, as they should be")
    return 0


if __name__ == "__main__":
    sys.exit(main())
