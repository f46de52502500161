#!/usr/bin/python3
"""The keys of magic-wormhole itself (PyPI) against ours, whichever it hears of first, the code or our message: the key, the
verifier, the keys of phases, and that its first message decrypts.

    PAKE_INTEROP_WORK=build/dev/interop test_magic_wormhole.py PEER

PEER is family_peer; PAKE_INTEROP_RUNS: how many runs in each order, 25 unless set. Exit code 77: skipped, because PyPI has
it not or does not answer.
"""

import json
import os
import pathlib
import random
import sys

from ours import Ours

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import peers  # noqa: E402

WORDS = ["adroitness", "absurd", "stairway", "zulu", "crossover", "clockwork"]


def run(ours, theirs, generator, code_first, wrong):
    code = f"{generator.randrange(1000)}-{generator.choice(WORDS)}-{generator.choice(WORDS)}"
    appid = generator.choice(["lothar.com/wormhole/text-or-file-xfer", "example.org/app", "x"])
    side, other_side = (generator.randbytes(5).hex() for _ in range(2))
    started = ours.ask("wormhole-start", side="S", password=code.encode(), idA=b"", idB=b"", idSymmetric=appid.encode())
    at_peer = theirs.ask("key", code=code + "x" if wrong else code, appid=appid, side=side, body=started["body"].hex(),
                         code_first=code_first)
    message = bytes.fromhex(json.loads(bytes.fromhex(at_peer["body"]))["pake_v1"])
    key = ours.ask("wormhole-finish", message=message)["key"].hex()
    assert (key == at_peer["key"]) != wrong, (code, appid)
    version = ours.ask("wormhole-derive", side=side, phase="version")
    assert (version["verifier"].hex() == at_peer["verifier"]) != wrong, "the verifier"
    try:
        text = theirs.ask("decrypt", key=version["key"].hex(), data=at_peer["version"])["text"]
        assert not wrong and "app_versions" in json.loads(text), text
    except peers.Refused:
        assert wrong, "its first message does not decrypt"
    for phase in ("version", "0", "1", "42"):
        for of in (side, other_side):
            mine = ours.ask("wormhole-derive", side=of, phase=phase)["key"].hex()
            assert (theirs.ask("phase-key", key=at_peer["key"], side=of, phase=phase)["key"] == mine) != wrong, (of, phase)


def test():
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    generator = random.Random(seed)
    runs = int(os.environ.get("PAKE_INTEROP_RUNS", "25"))
    work = peers.work_directory() / "magic-wormhole"
    with Ours(sys.argv[1]) as ours, peers.pypi_peer(HERE / "magic_wormhole" / "peer.py", work) as theirs:
        for code_first in (True, False):
            for number in range(runs):
                run(ours, theirs, generator, code_first, wrong=number % 5 == 4)
            bad = theirs.ask("key", code="1-a-b", appid="x", side="0", body=b"{}".hex(), code_first=code_first)
            assert bad == {"scared": True}, "a body without pake_v1 goes unnoticed"
    print(f"{2 * runs} runs agree with magic-wormhole")


peers.main_of(test)
