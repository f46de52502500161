#!/usr/bin/python3
"""The CPU time of SPAKE2+'s verifier over P-256 (one answer: decoding, arithmetic, encoding, tags) beside BoringSSL's.

    bench/spake2plus_boring.py [build/release/bin/family_peer] [PAIRS]

The two take turns, 200 answers each, and the median of the ratios is printed. BoringSSL comes out of boring-sys (Cargo), and
is built below build/ at first, which takes minutes.
"""

import os
import pathlib
import statistics
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests/interop"), str(ROOT / "tests/interop/family")]
import peers  # noqa: E402

RUNS = 200


def measure():
    program = sys.argv[1] if len(sys.argv) > 1 else ROOT / "build/release/bin/family_peer"
    pairs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    work = pathlib.Path(os.environ.get("PAKE_INTEROP_WORK", ROOT / "build/release/interop")) / "cargo"
    crate = ROOT / "tests/interop/family/boring/Cargo.toml"
    with peers.Peer([program]) as ours, peers.cargo_peer(crate, "boring_family_peer", work) as theirs:
        request = {"suite": 1, "context": b"pake bench".hex(), "idProver": "", "idVerifier": ""}
        secret = ("07" * 32) + ("09" * 32)
        request["record"] = ours.ask("plus-register", suite=1, secret=secret)["record"]
        request["shareP"] = ours.ask("plus-start", **request, secret=secret)["shareP"]
        ratios, own, other = [], [], []
        for pair in range(pairs + 1):
            own.append(ours.ask("plus-time", **request, runs=RUNS)["ns"] / 1000)
            other.append(theirs.ask("plus-time", **request, runs=RUNS)["ns"] / 1000)
            if pair > 0:  # the first warms up
                ratios.append(own[-1] / other[-1])
    print(f"verifier, us of CPU: {statistics.median(own[1:]):.1f}, BoringSSL {statistics.median(other[1:]):.1f}")
    print(f"ratio of {pairs} pairs: median {statistics.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}")


peers.main_of(measure)
