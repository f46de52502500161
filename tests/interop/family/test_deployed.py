#!/usr/bin/python3
"""SRP as it is deployed, and Matter's SPAKE2+, against the packages that people use.

    PAKE_INTEROP_WORK=build/dev/interop test_deployed.py PEER cognito|fast-srp-hap|secure-remote-password|proton|matter

PAKE_INTEROP_RUNS: how many runs in each role, with random names and passwords; 5 unless set. PEER is family_peer.
Exit code 77: skipped, because the peer cannot be had: its toolchain or its registry is not there.

cognito has a client alone: Amazon's server is no package.
"""

import base64
import os
import pathlib
import secrets
import sys

from ours import Ours, Refused

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import peers  # noqa: E402

COGNITO, PROTON, FAST_SRP_HAP, SECURE_REMOTE_PASSWORD = 7, 8, 9, 10
BITS_2048, BITS_3072, OF_PROTON = 3, 4, 8
# fast-srp-hap's own parameters, by their names.
HAP_PARAMETERS = {
    "1024": {"group": 1, "hash": "sha1"},
    "2048": {"group": BITS_2048, "hash": "sha256"},
    "hap": {"group": BITS_3072, "hash": "sha512"},
}
# Moduli that go-srp's tests have from Proton's server, where they are signed.
PROTON_MODULI = [base64.b64decode(text) for text in (
    "W2z5HBi8RvsfYzZTS7qBaUxxPhsfHJFZpu3Kd6s1JafNrCCH9rfvPLrfuqocxWPgWDH2R8neK7PkNvjxto9TStuY5z7jAzWRvFWN9cQhAKkdWg"
    "y0JY6ywVn22+HFpF4cYesHrqFIKUPDMSSIlWjBVmEJZ/MusD44ZT29xcPrOqeZvwtCffKtGAIjLYPZIEbZKnDM1Dm3q2K/xS5h+xdhjnndhsrk"
    "wm9U9oyA2wxzSXFL+pdfj2fOdRwuR5nW0J2NFrq3kJjkRmpO/Genq1UW+TEknIWAb6VzJJJA244K/H8cnSx2+nSNZO3bbo6Ys228ruV9A8m6Dh"
    "xmS+bihN3ttQ==",
    "o4ycZ14/7LfHkuSKWNlpQEh6bwLMVKvo0MFqVq9wHXwkZ/zMcqYaVhqNvLyDB0WY5Uv/Bo23JQsox52lM+4jPydw9/A9saAj8erLCc3ZaZHxOl"
    "/a8tlYTq7FeDrbhSSgivwTKJ5Y9otla/U8FATZBxqi7nqDihS5/7x/yK3VRnEsBG1i5DcY1UQK3KD9i9v7N2QTuGFYnRCv0MFsHzrQZWvUa1Ns"
    "UhozU5PSV5s7hZkb/p6J3B9ybD6+LzuLS9fyLMcVdxzn2WUXG7JLeBbqsoECUfq9KP2waTzVLELOenWUV1wbioceJsaiP97ViwNJdnKx1ICoYu"
    "2c+z8ctVcqlw==",
)]
MATTER_SUITE = 10


def runs():
    return int(os.environ.get("PAKE_INTEROP_RUNS", "5"))


def random_text(size):
    """UTF-8 of `size` characters, some of them of several octets."""
    return "".join(chr(secrets.choice((0x21, 0x2E, 0x61, 0x7A, 0xE9, 0x3B1, 0x4E2D, 0x1F600))) for _ in range(size)).encode()


def refused(step, *arguments, **fields):
    try:
        step(*arguments, **fields)
    except (Refused, peers.Refused):
        return
    raise AssertionError(f"{arguments} is taken with {fields}")


class Theirs:
    """A peer that answers with hexadecimal texts; here they are bytes."""

    def __init__(self, peer):
        self.peer = peer

    def ask(self, op, **fields):
        fields = {name: value.hex() if isinstance(value, bytes) else value for name, value in fields.items()}
        return {name: bytes.fromhex(value) for name, value in self.peer.ask(op, **fields).items()}


def srp_6a(ours, theirs, parameters, peer):
    """Both roles; every fifth time with another password, which neither side may take."""
    short = 0
    for run in range(runs()):
        I, P = random_text(1 + run % 20), random_text(1 + run % 30)
        used = P + b"x" if run % 5 == 4 else P

        record = theirs.ask("srp-verifier", **peer, I=I, P=P)
        A = ours.ask("srp-start", **parameters, I=I, P=used)["A"]
        B = theirs.ask("srp-respond", **peer, **record, I=I, A=A)["B"]
        M1 = ours.ask("srp-prove", s=record["s"], B=B)["M1"]
        if used == P:
            at_server = theirs.ask("srp-check", M1=M1)
            assert ours.ask("srp-finish", M2=at_server["M2"])["K"] == at_server["K"], "another key"
        else:
            refused(theirs.ask, "srp-check", M1=M1)

        record = ours.ask("srp-verifier", **parameters, I=I, P=P)
        A = theirs.ask("srp-start", **peer, I=I, P=used)["A"]
        B = ours.ask("srp-respond", **parameters, **record, I=I, A=A)["B"]
        proof = theirs.ask("srp-prove", **peer, s=record["s"], B=B)
        if used == P:
            at_server = ours.ask("srp-check", M1=proof["M1"])
            assert at_server["K"] == proof["K"], "another key"
            theirs.ask("srp-finish", M2=at_server["M2"])
            short += A[0] == 0 or B[0] == 0
        else:
            refused(ours.ask, "srp-check", M1=proof["M1"])
        refused(ours.ask, "srp-respond", **parameters, **record, I=I, A=bytes(len(A)))
    print(f"{2 * runs()} runs with {peer} agree, {short} of them with a share that begins with a zero octet")


def cognito(ours, theirs):
    parameters = {"mode": COGNITO, "group": BITS_3072, "hash": "sha256"}
    for run in range(runs()):
        pool, user, P = random_text(9), random_text(1 + run % 20), random_text(1 + run % 30)
        claim = secrets.token_bytes(1 + 7 * run % 300) + b"Sat Nov 28 10:00:00 UTC 2026"
        used = P + b"x" if run % 5 == 4 else P
        record = ours.ask("srp-verifier", **parameters, I=pool + user, P=P, s=secrets.token_bytes(16))
        A = theirs.ask("srp-start", peer="cognito", pool=pool, I=user, P=used)["A"]
        B = ours.ask("srp-respond", **parameters, **record, I=pool + user, A=A)["B"]
        proof = theirs.ask("srp-prove", peer="cognito", s=record["s"], B=B, claim=claim)
        if used == P:
            assert ours.ask("srp-check", M1=proof["M1"], claim=claim)["K"] == proof["K"], "another key"
        else:
            refused(ours.ask, "srp-check", M1=proof["M1"], claim=claim)
    print(f"{runs()} of Cognito's clients agree")


def proton(ours, theirs):
    for run in range(runs()):
        N, password = PROTON_MODULI[run % 2], random_text(1 + run % 20)
        parameters = {"mode": PROTON, "group": OF_PROTON, "hash": "sha512", "modulus": N}
        used = password + b"x" if run % 5 == 4 else password

        def P(s, password):
            return ours.ask("bcrypt", password=password, s=s)["P"]

        record = theirs.ask("register", N=N, password=password)
        assert ours.ask("srp-verifier", **parameters, I=b"", P=P(record["s"], password), s=record["s"]) == record
        A = ours.ask("srp-start", **parameters, I=b"", P=P(record["s"], used))["A"]
        B = theirs.ask("challenge", N=N, v=record["v"])["B"]
        M1 = ours.ask("srp-prove", s=record["s"], B=B)["M1"]
        if used == password:
            ours.ask("srp-finish", M2=theirs.ask("check", A=A, M1=M1)["M2"])
        else:
            refused(theirs.ask, "check", A=A, M1=M1)

        s = secrets.token_bytes(10)
        record = ours.ask("srp-verifier", **parameters, I=b"", P=P(s, password), s=s)
        B = ours.ask("srp-challenge", **parameters, **record, I=b"")["B"]
        proof = theirs.ask("prove", N=N, password=used, s=s, B=B)
        if used == password:
            theirs.ask("finish", M2=ours.ask("srp-check", A=proof["A"], M1=proof["M1"])["M2"])
        else:
            refused(ours.ask, "srp-check", A=proof["A"], M1=proof["M1"])
    print(f"{2 * runs()} runs with go-srp agree, over {len(PROTON_MODULI)} of Proton's moduli")


def matter(ours, theirs):
    names = {"suite": MATTER_SUITE, "idProver": b"", "idVerifier": b""}
    for run in range(runs()):
        passcode = 20202021 + run
        wrong = passcode + 1 if run % 5 == 4 else passcode
        pbkdf = {"salt": secrets.token_bytes(16 + run % 17), "iterations": 1000 + run}
        context = secrets.token_bytes(32)
        of = {p: ours.ask("matter-secret", passcode=p, **pbkdf) for p in {passcode, wrong}}
        registered = theirs.ask("matter-register", passcode=passcode, **pbkdf)
        assert of[passcode]["record"] == registered["w0"] + registered["L"], "another registration"

        shareP = ours.ask("plus-start", **names, context=context, secret=of[wrong]["secret"])["shareP"]
        answer = theirs.ask("matter-respond", context=context, **registered, X=shareP)
        if wrong == passcode:
            finished = ours.ask("plus-finish", shareV=answer["Y"], confirmV=answer["hBX"])
            assert (finished["confirmP"], finished["K"]) == (answer["hAY"], answer["Ke"])
        else:
            refused(ours.ask, "plus-finish", shareV=answer["Y"], confirmV=answer["hBX"])

        X = theirs.ask("matter-start", context=context, passcode=wrong, **pbkdf)["X"]
        answer = ours.ask("plus-respond", **names, context=context, record=of[passcode]["record"], shareP=X)
        finished = theirs.ask("matter-finish", Y=answer["shareV"])
        assert (finished["hBX"] == answer["confirmV"]) == (wrong == passcode)
        if wrong == passcode:
            assert ours.ask("plus-check", confirmP=finished["hAY"])["K"] == finished["Ke"]
        else:
            refused(ours.ask, "plus-check", confirmP=finished["hAY"])
    print(f"{2 * runs()} runs with Matter's Spake2p agree")


def test():
    program, name = sys.argv[1:]
    work = peers.work_directory()
    if name == "proton":
        peer = peers.go_peer(HERE / "go", work / "family-go")
    else:
        peer = peers.node_peer(HERE / "node" / "peer.js", work / "family-node")
    with Ours(program) as ours, peer:
        theirs = Theirs(peer)
        if name == "cognito":
            cognito(ours, theirs)
        elif name == "proton":
            proton(ours, theirs)
        elif name == "matter":
            matter(ours, theirs)
        elif name == "fast-srp-hap":
            for params, of in HAP_PARAMETERS.items():
                srp_6a(ours, theirs, {"mode": FAST_SRP_HAP, **of}, {"peer": name, "params": params})
        else:
            srp_6a(ours, theirs, {"mode": SECURE_REMOTE_PASSWORD, "group": BITS_2048, "hash": "sha256"}, {"peer": name})


peers.main_of(test)
