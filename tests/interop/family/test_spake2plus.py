#!/usr/bin/python3
"""SPAKE2+ over P-256 (RFC 9383) against other implementations, as prover and as verifier.

    PAKE_INTEROP_WORK=build/dev/interop test_spake2plus.py PEER boring|pakery

PAKE_INTEROP_RUNS: how many runs in each role, with random inputs of random sizes; 25 unless set. PEER is family_peer.
Exit code 77: skipped, because the peer cannot be had: its toolchain or its registry is not there.
"""

import os
import pathlib
import random
import sys

from ours import Ours, Refused

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import peers  # noqa: E402

P256_SHA256_HMAC = 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551


class Theirs:
    def __init__(self, peer):
        self.peer = peer

    def ask(self, op, **fields):
        del fields["suite"]  # it has the one
        try:
            answer = self.peer.ask(op, **{name: value.hex() for name, value in fields.items()})
        except peers.Refused as refused:
            raise Refused(str(refused)) from None
        return {name: bytes.fromhex(value) for name, value in answer.items()}


def run(prover, verifier, of_prover, of_verifier, change=lambda what, value: value):
    suite = {"suite": P256_SHA256_HMAC}
    shareP = prover.ask("plus-start", **suite, **of_prover)["shareP"]
    answer = verifier.ask("plus-respond", **suite, **of_verifier, shareP=change("shareP", shareP))
    finished = prover.ask("plus-finish", **suite, shareV=change("shareV", answer["shareV"]),
                          confirmV=change("confirmV", answer["confirmV"]))
    at_verifier = verifier.ask("plus-check", **suite, confirmP=change("confirmP", finished["confirmP"]))
    return finished["K"], at_verifier["K"]


def refused(what, *arguments):
    try:
        run(*arguments)
    except Refused:
        return
    raise AssertionError(f"{what} goes unnoticed")


def test():
    program, name = sys.argv[1:]
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    generator = random.Random(seed)
    runs = int(os.environ.get("PAKE_INTEROP_RUNS", "25"))
    work = peers.work_directory() / "cargo"
    with Ours(program) as ours, peers.cargo_peer(HERE / name / "Cargo.toml", f"{name}_family_peer", work) as peer:
        theirs = Theirs(peer)
        for prover, verifier in ((ours, theirs), (theirs, ours)):
            for _ in range(runs):
                secret = b"".join(generator.randrange(1, N).to_bytes(32, "big") for _ in range(2))
                record = ours.ask("plus-register", suite=P256_SHA256_HMAC, secret=secret)["record"]
                names = {field: generator.randbytes(generator.randint(0, 300)) for field in ("context", "idProver", "idVerifier")}
                of_prover, of_verifier = {**names, "secret": secret}, {**names, "record": record}
                at_prover, at_verifier = run(prover, verifier, of_prover, of_verifier)
                assert at_prover == at_verifier, "another key"
            for field in names:
                refused(f"another {field}", prover, verifier, {**of_prover, field: b"another"}, of_verifier)
            refused("another password", prover, verifier, {**of_prover, "secret": secret[32:] + secret[:32]}, of_verifier)
            for what in ("shareP", "shareV", "confirmV", "confirmP"):
                def flip(field, value, what=what):
                    return value[:-1] + bytes([value[-1] ^ 1]) if field == what else value
                refused(f"a changed {what}", prover, verifier, of_prover, of_verifier, flip)

                def cut(field, value, what=what):
                    return value[:-1] if field == what else value
                refused(f"a short {what}", prover, verifier, of_prover, of_verifier, cut)
    print(f"{2 * runs} runs with {name} agree")


peers.main_of(test)
