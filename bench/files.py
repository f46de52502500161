#!/usr/bin/python3
"""Sends a file over loopback by `pake send`, by croc and by magic-wormhole, turn by turn, and by `pake listen` and `pake dial`.

    bench/files.py PAKE --croc CROC --wormhole WORMHOLE [--rounds 3] [--mib 1024]

The file and what comes of it are in /dev/shm. The seconds are those from the receiver's start to its end, with its own
start, handshake and hashing; CPU time is that of each whole process. croc's relay and wormhole's mailbox server run here
and are not counted; wormhole's `twist` stands beside it. One pass of the hash that pake uses is measured in the same
rounds, by `files_bench` beside PAKE.
"""

import argparse
import contextlib
import filecmp
import json
import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from loopback import finish

MIB = 1 << 20


class Program:
    """A process whose CPU time is known when it has ended."""

    def __init__(self, *argv, **how):
        self.process = subprocess.Popen(list(map(str, argv)), **{"stdout": subprocess.DEVNULL, "stdin": subprocess.DEVNULL,
                                                                "stderr": subprocess.DEVNULL, **how})

    def finish(self):
        return finish(self.process)


@contextlib.contextmanager
def running(*argv, **how):
    program = Program(*argv, **how)
    try:
        yield program
    finally:
        program.process.terminate()
        program.process.wait()


def timed(sender, start_receiver):
    """Seconds, and CPU time of the sender and of the receiver."""
    begun = time.perf_counter()
    receiver = start_receiver()
    of_receiver = receiver.finish()
    seconds = time.perf_counter() - begun
    return seconds, sender.finish(), of_receiver


def shown(program, *patterns):
    found = []
    for pattern in patterns:
        for line in program.process.stderr:
            if match := re.search(pattern, line):
                found.append(match[1])
                break
    return found


def pake(options, file, out):
    sender = Program(options.pake, "send", "--listen", "127.0.0.1:0", "--quiet", file, stderr=subprocess.PIPE, text=True)
    code, address = shown(sender, r"the code is  (\S+)", r"pake receive (\S+)")
    return timed(sender, lambda: Program(options.pake, "receive", address, "--yes", "--quiet", "--out", out,
                                         env={**os.environ, "PAKE_CODE": code}))


def pipe(options, file, out):
    sender = Program(options.pake, "listen", "127.0.0.1:0", stdin=open(file, "rb"), stderr=subprocess.PIPE, text=True)
    code, address = shown(sender, r"the code is  (\S+)", r"pake dial (\S+)")
    return timed(sender, lambda: Program(options.pake, "dial", address, stdin=subprocess.DEVNULL,
                                         stdout=open(out / file.name, "wb"), env={**os.environ, "PAKE_CODE": code}))


def croc(options, file, out):
    settings = ("--relay", "127.0.0.1:9009", "--yes", "--ignore-stdin", "--no-compress")
    code = "1234-bench-bench-bench"
    with running(options.croc, "relay", "--host", "127.0.0.1"):
        time.sleep(0.5)
        sender = Program(options.croc, *settings, "send", "--no-local", "--code", code, file, env={**os.environ, "CROC_SECRET": code})
        time.sleep(1.5)  # it says nothing that could be waited for
        return timed(sender, lambda: Program(options.croc, *settings, "--out", out, env={**os.environ, "CROC_SECRET": code}))


def wormhole(options, file, out):
    server = ("--relay-url", "ws://127.0.0.1:4000/v1", "--transit-helper", "tcp:127.0.0.1:1")
    twist = pathlib.Path(options.wormhole).parent / "twist"
    with tempfile.TemporaryDirectory() as state, running(twist, "wormhole-mailbox", "--port", "tcp:4000:interface=127.0.0.1", cwd=state):
        time.sleep(2)
        sender = Program(options.wormhole, *server, "send", "--hide-progress", "--code", "1-bench-bench", file)
        time.sleep(2)
        return timed(sender, lambda: Program(options.wormhole, *server, "receive", "--hide-progress", "--accept-file", "-o",
                                             out / file.name, "1-bench-bench"))


def hash_pass(options):
    """CPU-s that one pass of pake's own hash takes over a GiB."""
    program = pathlib.Path(options.pake).parent / "files_bench"
    measured = subprocess.run([program, "--benchmark_filter=tree_hash", "--benchmark_format=json"], check=True, capture_output=True)
    return 1024 * MIB / json.loads(measured.stdout)["benchmarks"][0]["bytes_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pake", type=os.path.abspath)
    parser.add_argument("--croc", type=os.path.abspath, help="the program of github.com/schollz/croc/v10")
    parser.add_argument("--wormhole", type=os.path.abspath, help="the program of the packages magic-wormhole and magic-wormhole-mailbox-server")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--mib", type=int, default=1024)
    options = parser.parse_args()
    subjects = {"pake send, receive": pake, "pake listen, dial": pipe}
    subjects |= {"croc": croc} if options.croc else {}
    subjects |= {"magic-wormhole": wormhole} if options.wormhole else {}
    results, hashes = {name: [] for name in subjects}, []
    gib = options.mib / 1024
    with tempfile.TemporaryDirectory(dir="/dev/shm") as folder:
        folder = pathlib.Path(folder)
        file = folder / "file"
        with open(file, "wb") as target:
            for _ in range(options.mib):
                target.write(os.urandom(MIB))
        shutil.copy(file, folder / "touched")  # a virtual machine pays for memory that it touches for the first time
        os.unlink(folder / "touched")
        for number in range(options.rounds):
            hashes.append(hash_pass(options))
            for name, run in subjects.items():
                out = folder / "out"
                out.mkdir()
                seconds, of_sender, of_receiver = run(options, file, out)
                if not filecmp.cmp(file, out / "file", shallow=False):
                    sys.exit(f"error: what {name} brought is another file")
                shutil.rmtree(out)
                results[name].append((options.mib * MIB / 1e6 / seconds, of_sender / gib, of_receiver / gib))
                print(f"round {number + 1}: {name}: {results[name][-1][0]:.0f} MB/s, CPU-s a GiB: sender {of_sender / gib:.2f}, "
                      f"receiver {of_receiver / gib:.2f}", file=sys.stderr)
    print("| median of %d | MB/s | CPU-s a GiB, sender | receiver | MB/s of pake send over it, each round |\n|---|---|---|---|---|" % options.rounds)
    for name, rounds in results.items():
        ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in zip(results["pake send, receive"], rounds))
        speed, sender, receiver = (statistics.median(column) for column in zip(*rounds))
        print(f"| {name} | {speed:,.0f} | {sender:.2f} | {receiver:.2f} | {ratio:.2f} |")
    hashed = statistics.median(hashes)
    print(f"\none pass of the hash: {hashed:.2f} CPU-s a GiB")
    for end, name in ((1, "sender"), (2, "receiver")):
        passes = statistics.median((ours[end] - pipes[end]) / one for ours, pipes, one in
                                   zip(results["pake send, receive"], results["pake listen, dial"], hashes))
        print(f"{name}: pake send, receive costs what pake listen, dial does, and {passes:.2f} passes of the hash (goal: 1.3)")


if __name__ == "__main__":
    main()
