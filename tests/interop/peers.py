"""Peers that answer lines of JSON with lines of JSON, and what it takes to have them."""

import fcntl
import json
import os
import pathlib
import re
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


def tool(name, debian_package=None):
    found = shutil.which(name)
    if found:
        return found
    if debian_package and os.environ.get("PAKE_REQUIRE_PEERS"):
        raise AssertionError(f"there is no {name} (Debian: {debian_package})")
    raise Missing(f"there is no {name}")


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
    node, npm = tool("node", "nodejs"), tool("npm", "npm")
    sources = [script.parent / "package.json", script.parent / "package-lock.json"]

    def install():
        for source in sources:
            shutil.copy(source, work)
        run_or_miss("npm ci", [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=work)

    made_once(work, sources, install)
    return Peer([node, script], env={"NODE_PATH": str(work / "node_modules")})


def pypi_peer(script, work):
    """`script` with the packages that requirements.txt beside it pins, in a virtual environment under `work`."""
    requirements = script.parent / "requirements.txt"
    python = work / "venv" / "bin" / "python"

    def install():
        run_or_miss("venv (Debian: python3-venv)", [sys.executable, "-m", "venv", "--clear", work / "venv"])
        run_or_miss("pip", [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
                            "--requirement", requirements])

    made_once(work, [requirements], install)
    return Peer([python, script])


def version(text):
    return tuple(int(part) for part in re.match(r"(\d+(?:\.\d+)*)", text)[1].split("."))


def cargo_peer(manifest, program, work, **environment):
    """The program of the crate `manifest` with the crates that Cargo.lock beside it pins, built under `work`."""
    cargo = tool("cargo")
    wanted = re.search(r'^rust-version = "(.*)"$', manifest.read_text(), re.MULTILINE)[1]
    found = subprocess.run([cargo, "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    if version(found) < version(wanted):
        raise Missing(f"cargo is {found}, and {manifest} wants {wanted}")
    arguments = ["--locked", "--quiet", "--manifest-path", manifest]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(work), **environment}
    run_or_miss("cargo fetch", [cargo, "fetch", *arguments], env=environment)
    subprocess.run([cargo, "build", "--offline", "--release", *arguments], stdin=subprocess.DEVNULL, check=True,
                   env=environment)
    return Peer([work / "release" / program])


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
