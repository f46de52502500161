"""Peers that answer lines of JSON with lines of JSON, and what it takes to have them."""

import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import sys

SKIPPED = 77


class Missing(Exception):
    """A peer cannot be had here."""


class Refused(Exception):
    """The peer answered {"error": ...}: the run is over."""


class Peer:
    def __init__(self, command, env=None):
        self.command = [str(part) for part in command]
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
                                        env={**os.environ, **(env or {})})

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def ask(self, op, **fields):
        self.process.stdin.write(json.dumps({"op": op, **fields}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"{self.command} ended at {op} with {self.process.wait(timeout=60)}")
        answer = json.loads(line)
        if "error" in answer:
            raise Refused(f"{op}: {answer['error']}")
        return answer


def run_or_miss(what, command, **options):
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)
    if run.returncode != 0:
        raise Missing(f"{what}:\n{(run.stdout + run.stderr)[-2000:]}")


def tool(name):
    found = shutil.which(name)
    if not found:
        raise Missing(f"there is no {name}")
    return found


def made_once(work, sources, make):
    """Calls make() in `work`, unless it succeeded there with these very sources before; one caller at a time."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = work / "stamp", b"\n".join(source.read_bytes() for source in sources)
        if stamp.exists() and stamp.read_bytes() == wanted:
            return
        make()
        stamp.write_bytes(wanted)


def node_peer(script, work):
    """`script` with the packages that package-lock.json beside it pins, installed under `work`."""
    node, npm = tool("node"), tool("npm")
    sources = [script.parent / "package.json", script.parent / "package-lock.json"]

    def install():
        for source in sources:
            shutil.copy(source, work)
        run_or_miss("npm ci", [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=work)

    made_once(work, sources, install)
    return Peer([node, script], env={"NODE_PATH": str(work / "node_modules")})


def main_of(test):
    """Runs test(); a peer that cannot be had is said aloud and skips it."""
    try:
        test()
    except Missing as missing:
        print(f"SKIPPED: {missing}")
        sys.exit(SKIPPED)


def work_directory():
    """Where peers are built and installed: never in the source tree."""
    return pathlib.Path(os.environ["PAKE_INTEROP_WORK"])
