#!/usr/bin/python3
"""One pairing of OPAQUE peers: registrations and logins, and the lies that must not pass.

    PAKE_INTEROP_WORK=build/dev/interop test_opaque.py --pake build/dev/bin/opaque_peer --client node --server pake \
        --suite ristretto255 --ksf small

PAKE_INTEROP_RUNS: how many logins with the cheap KSF, each with fresh randomness; 5 unless set.
Exit code 77: skipped, because a peer cannot be had: its toolchain or its registry is not there.
"""

import argparse
import os
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from peers import Peer, Refused, cargo_peer, main_of, node_peer, work_directory  # noqa: E402

PASSWORDS = ["correct horse battery staple", "p", "Grüße, 你好 🐎", "x" * 1000]


def check(condition, what):
    if not condition:
        raise AssertionError(what)


def must_refuse(what, step):
    try:
        step()
    except Refused:
        return
    raise AssertionError(f"{what}: not refused")


def flip(message, bit):
    changed = bytearray.fromhex(message)
    changed[bit // 8] ^= 1 << bit % 8
    return changed.hex()


class Account:
    """A user as both sides know it."""

    def __init__(self, password, name, client_identity="", server_identity="", context=""):
        self.password = password
        self.credential_identifier = name
        self.names = {"client_identity": client_identity, "server_identity": server_identity}
        self.context = context
        self.record = self.export_key = None


class Pairing:
    def __init__(self, options, client, server):
        self.common = {"suite": options.suite}
        self.ksf = options.ksf
        self.client, self.server = client, server
        self.public_key = self.of_server("server_setup")["public_key"]

    def of_client(self, op, **fields):
        return self.client.ask(op, **self.common, **fields)

    def of_server(self, op, **fields):
        return self.server.ask(op, **self.common, **fields)

    def register(self, account):
        request = self.of_client("registration_request", password=account.password)["message"]
        response = self.of_server("registration_response", message=request,
                                  credential_identifier=account.credential_identifier)["message"]
        done = self.of_client("registration_record", message=response, password=account.password, ksf=self.ksf,
                              **account.names)
        check(done["public_key"] == self.public_key, "the client registered with another server")
        account.record, account.export_key = done["message"], done["export_key"]
        return account

    def start(self, account, password=None):
        return self.of_client("ke1", password=password or account.password)["message"]

    def answer(self, account, ke1, **other):
        return self.of_server("ke2", **{"message": ke1, "record": account.record, "context": account.context,
                                        "credential_identifier": account.credential_identifier, **account.names,
                                        **other})["message"]

    def prove(self, account, ke2, **other):
        return self.of_client("ke3", **{"message": ke2, "password": account.password, "ksf": self.ksf,
                                        "context": account.context, **account.names, **other})

    def finish(self, account, ke3):
        return self.of_server("finish", message=ke3, context=account.context, **account.names)["session_key"]

    def login(self, account):
        ours = self.prove(account, self.answer(account, self.start(account)))
        theirs = self.finish(account, ours["message"])
        check(ours["session_key"] == theirs, "the sides have different session keys")
        check(ours["export_key"] == account.export_key, "the export key is not that of the registration")
        check(ours["public_key"] == self.public_key, "the client logged in to another server")
        return theirs


def logins(pairing, runs):
    keys = set()
    for i in range(runs):
        keys.add(pairing.login(pairing.register(Account(PASSWORDS[i % len(PASSWORDS)], f"user {i}"))))
    named = pairing.register(Account(PASSWORDS[0], "named", client_identity="alice", server_identity="example.org"))
    keys.update(pairing.login(named) for _ in range(runs))
    check(len(keys) == 2 * runs, "session keys repeat")


def context(pairing):
    account = pairing.register(Account(PASSWORDS[0], "context", context="an application"))
    pairing.login(account)
    ke2 = pairing.answer(account, pairing.start(account))
    must_refuse("another context", lambda: pairing.prove(account, ke2, context="another one"))


def lies(pairing):
    account = pairing.register(Account(PASSWORDS[0], "lied to", client_identity="alice", server_identity="example.org"))
    wrong = "correct horse battery stable"
    ke2 = pairing.answer(account, pairing.start(account, wrong))
    must_refuse("a wrong password", lambda: pairing.prove(account, ke2, password=wrong))
    for field in ("client_identity", "server_identity"):
        ke2 = pairing.answer(account, pairing.start(account))
        must_refuse(f"another {field}", lambda: pairing.prove(account, ke2, **{field: "mallory"}))
    ke2 = pairing.answer(account, pairing.start(account), record=None)
    must_refuse("the fake record of an unknown user", lambda: pairing.prove(account, ke2))
    ke2 = pairing.answer(account, pairing.start(account), credential_identifier="another name")
    must_refuse("another credential_identifier", lambda: pairing.prove(account, ke2))
    bits = 8 * len(bytes.fromhex(ke2))
    for bit in range(3, bits, bits // 16):  # every field of KE2 is hit
        ke2 = pairing.answer(account, pairing.start(account))
        must_refuse(f"KE2 with bit {bit} flipped", lambda: pairing.prove(account, flip(ke2, bit)))
    for bit in (0, 77, -1):
        ke3 = pairing.prove(account, pairing.answer(account, pairing.start(account)))["message"]
        must_refuse(f"KE3 with bit {bit} flipped",
                    lambda: pairing.finish(account, flip(ke3, bit % (8 * len(bytes.fromhex(ke3))))))
    pairing.login(account)


def start_peer(name, options):
    if name == "pake":
        return Peer([options.pake])
    if name == "node":
        return node_peer(HERE / "node" / "peer.js", work_directory() / "opaque-node")
    if name == "rust":
        return cargo_peer(HERE / "rust" / "Cargo.toml", "opaque_ke_peer", work_directory() / "cargo")
    raise AssertionError(name)


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pake", required=True, help="the program opaque_peer")
    parser.add_argument("--client", choices=("pake", "node", "rust"), required=True)
    parser.add_argument("--server", choices=("pake", "node", "rust"), required=True)
    parser.add_argument("--suite", choices=("ristretto255", "p256"), required=True)
    parser.add_argument("--ksf", choices=("identity", "small", "rfc9106-2"), required=True)
    return parser.parse_args()


def test():
    options = parse_options()
    with start_peer(options.client, options) as client, start_peer(options.server, options) as server:
        pairing = Pairing(options, client, server)
        if options.ksf == "rfc9106-2":  # a second each: the lies below do not depend on it
            logins(pairing, 1)
        else:
            logins(pairing, int(os.environ.get("PAKE_INTEROP_RUNS", "5")))
            lies(pairing)
            if "node" not in (options.client, options.server):  # the npm packages have no context
                context(pairing)


if __name__ == "__main__":
    main_of(test)
