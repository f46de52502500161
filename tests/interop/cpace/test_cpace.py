#!/usr/bin/python3
"""One pairing of CPace peers in one mode: runs that agree, and differences that leave no common key.

    PAKE_INTEROP_WORK=build/dev/interop test_cpace.py --pake build/dev/bin/cpace_peer --suite ristretto255 \
        --initiator pakery --responder pake --mode initiator-responder

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
from peers import Peer, Refused, cargo_peer, main_of, work_directory  # noqa: E402

INPUTS = ("PRS", "CI", "sid", "AD")
LOW_ORDER = {"ristretto255": ["00" * 32], "x25519": ["00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f"]}


def check(condition, what):
    if not condition:
        raise AssertionError(what)


class Pairing:
    def __init__(self, a, b, mode):
        self.a, self.b, self.mode = a, b, mode

    def run(self, ours, theirs, change_share=None):
        """Both sides' keys; `ours` are A's inputs and `theirs` B's, `change_share` acts on what travels from A to B."""
        change_share = change_share or (lambda share: share)
        share = change_share(self.a.ask("start", mode=self.mode, **ours)["Y"])
        heard = {"peer_Y": share, "peer_AD": ours["AD"]}
        if self.mode == "symmetric":
            other_share = self.b.ask("start", mode=self.mode, **theirs)["Y"]
            at_b = self.b.ask("finish", mode=self.mode, **heard)
        else:
            at_b = self.b.ask("respond", mode=self.mode, **theirs, **heard)
            other_share = at_b.pop("Y")
        at_a = self.a.ask("finish", mode=self.mode, peer_Y=other_share, peer_AD=theirs["AD"])
        return at_a, at_b


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


def differences(pairing, random_bytes):
    ours = inputs(random_bytes, 20)
    for name in ("PRS", "CI", "sid"):
        at_a, at_b = pairing.run(ours, {**ours, name: ours[name] + "00"})
        check(at_a["ISK"] != at_b["ISK"], f"another {name} leads to the same key")


def refusals(peer, mode, suite, ours):
    for share in LOW_ORDER[suite] + ["aa"]:
        peer.ask("start", mode=mode, **ours)
        try:
            peer.ask("finish", mode=mode, peer_Y=share, peer_AD="")
        except Refused:
            continue
        raise AssertionError(f"{peer.command} takes the share {share}")


def start_peer(name, options):
    if name == "pake":
        return Peer([options.pake, options.suite])
    return cargo_peer(HERE / name / "Cargo.toml", f"{name}_peer", work_directory() / "cargo")


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pake", required=True, help="the program cpace_peer")
    parser.add_argument("--suite", choices=tuple(LOW_ORDER), required=True)
    parser.add_argument("--initiator", choices=("pake", "pakery"), required=True)
    parser.add_argument("--responder", choices=("pake", "pakery"), required=True)
    parser.add_argument("--mode", choices=("initiator-responder", "symmetric"), required=True)
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
