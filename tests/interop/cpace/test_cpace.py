#!/usr/bin/python3
"""One pairing of CPace peers in one mode: runs that agree, and differences that leave no common key.

    PAKE_INTEROP_WORK=build/dev/interop test_cpace.py --pake build/dev/bin/cpace_peer --suite x25519 \
        --initiator pypi --responder pake --mode confirmed

PAKE_INTEROP_RUNS: how many runs with random inputs of random sizes; 25 unless set.
Exit code 77: skipped, because a peer cannot be had: its toolchain or its registry is not there.
"""

import argparse
import os
import pathlib
import random
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from peers import Peer, Refused, cargo_peer, main_of, pypi_peer, work_directory  # noqa: E402

INPUTS = ("PRS", "CI", "sid", "AD")
LOW_ORDER = {"ristretto255": ["00" * 32], "x25519": ["00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f"]}


def check(condition, what):
    if not condition:
        raise AssertionError(what)


class Pairing:
    def __init__(self, a, b, mode):
        self.a, self.b, self.mode = a, b, mode

    def of_a(self, op, **fields):
        return self.a.ask(op, mode=self.mode, **fields)

    def of_b(self, op, **fields):
        return self.b.ask(op, mode=self.mode, **fields)

    def run(self, ours, theirs, change=lambda what, value: value):
        """Both sides' keys; `ours` are A's inputs and `theirs` B's, `change` acts on what travels."""
        to_b = {"peer_Y": change("Ya", self.of_a("start", **ours)["Y"]), "peer_AD": change("ADa", ours["AD"])}
        if self.mode == "symmetric":
            answer = self.of_b("start", **theirs) | self.of_b("finish", **to_b)
        else:
            answer = self.of_b("respond", **theirs, **to_b)
        to_a = {"peer_Y": change("Yb", answer.pop("Y")), "peer_AD": change("ADb", theirs["AD"])}
        if self.mode != "confirmed":
            return self.of_a("finish", **to_a), answer
        at_a = self.of_a("finish", **to_a, peer_tag=change("Tb", answer["tag"]))
        return at_a, self.of_b("verify", peer_tag=change("Ta", at_a.pop("tag")))


def inputs(random_bytes, largest):
    return {name: random_bytes(largest) for name in INPUTS}


def agreements(pairing, runs, random_bytes):
    seen = set()
    for i in range(runs):
        ours = inputs(random_bytes, (0, 20, 127, 128, 400)[i % 5])  # lengths of one byte and of two
        at_a, at_b = pairing.run(ours, {**ours, "AD": random_bytes(40)})
        check(at_a == at_b, f"the sides differ: {at_a} and {at_b}, inputs {ours}")
        seen.add(at_a["ISK"])
    check(len(seen) == runs, "keys repeat")


def keyless(pairing, what, *run):
    """Tags are refused; without them the keys differ."""
    try:
        at_a, at_b = pairing.run(*run)
    except Refused:
        return
    check(pairing.mode != "confirmed" and at_a["ISK"] != at_b["ISK"], f"{what} leads to the same key")


def differences(pairing, random_bytes):
    ours = inputs(random_bytes, 20)
    for name in ("PRS", "CI", "sid"):
        keyless(pairing, f"another {name}", ours, {**ours, name: ours[name] + "00"})
    travelling = ["Ya", "ADa", "Yb", "ADb"] + (["Tb", "Ta"] if pairing.mode == "confirmed" else [])
    for changed in travelling:
        for bit in (0, 7, 100, 255):
            def change(what, value, changed=changed, bit=bit):
                if what != changed:
                    return value
                value = bytearray.fromhex(value) or bytearray(1)
                value[bit // 8 % len(value)] ^= 1 << bit % 8
                return value.hex()
            keyless(pairing, f"a flipped bit {bit} of {changed}", ours, {**ours, "AD": random_bytes(40)}, change)


def refusals(peer, mode, suite, ours):
    for share in LOW_ORDER[suite] + ["aa"]:
        peer.ask("start", mode=mode, **ours)
        try:
            peer.ask("finish", mode=mode, peer_Y=share, peer_AD="", peer_tag="00" * 64)
        except Refused:
            continue
        raise AssertionError(f"{peer.command} takes the share {share}")


def start_peer(name, options):
    if name == "pake":
        return Peer([options.pake, options.suite])
    if name == "pypi":
        return pypi_peer(HERE / "pypi" / "peer.py", work_directory() / "cpace-pypi")
    return cargo_peer(HERE / name / "Cargo.toml", f"{name}_peer", work_directory() / "cargo")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pake", required=True, help="the program cpace_peer")
    parser.add_argument("--suite", choices=tuple(LOW_ORDER), required=True)
    parser.add_argument("--initiator", choices=("pake", "pypi", "pakery", "boring"), required=True)
    parser.add_argument("--responder", choices=("pake", "pypi", "pakery", "boring"), required=True)
    parser.add_argument("--mode", choices=("confirmed", "initiator-responder", "symmetric"), required=True)
    return parser.parse_args()


def test():
    options = parse_options()
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    generator = random.Random(seed)

    def random_bytes(largest):
        return generator.randbytes(generator.randint(0, largest)).hex()

    with start_peer(options.initiator, options) as a, start_peer(options.responder, options) as b:
        pairing = Pairing(a, b, options.mode)
        agreements(pairing, int(os.environ.get("PAKE_INTEROP_RUNS", "25")), random_bytes)
        differences(pairing, random_bytes)
        for peer in (a, b):
            refusals(peer, options.mode, options.suite, inputs(random_bytes, 20))


if __name__ == "__main__":
    main_of(test)
