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
REACH = 5  # seconds, for a registry to say anything at all


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
    try:
        run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, **options)
    except subprocess.TimeoutExpired as expired:
        raise Missing(f"{what}: no end after {expired.timeout:.0f} s") from None
    if run.returncode != 0:
        said = (run.stdout + run.stderr).strip().splitlines()
        errors = [line for line in said if re.search(r"(?i)\berr", line)] or said or [f"exit code {run.returncode}"]
        raise Missing(f"{what}: {errors[0][:200]}")


def tool(name, debian_package=None):
    found = shutil.which(name)
    if found:
        return found
    if debian_package and os.environ.get("PAKE_REQUIRE_PEERS"):
        raise AssertionError(f"there is no {name} (Debian: {debian_package})")
    raise Missing(f"there is no {name}")


def this_run():
    """All tests of one ./check, or of one ctest."""
    return os.environ.get("PAKE_RUN") or f"ctest {os.getppid()}"


def made_once(work, sources, make):
    """Calls make() in `work`, unless it succeeded there with these very sources before; one caller at a time. Where it
    failed in this run it is not tried again: a registry that is out of reach costs its time once."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        stamp, wanted = work / "stamp", b"\n".join(source.read_bytes() for source in sources)
        if stamp.exists() and stamp.read_bytes() == wanted:
            return
        failure = work / "failure"
        if failure.exists():
            run, _, reason = failure.read_text(encoding="utf-8").partition("\n")
            if run == this_run():
                raise Missing(reason)
        try:
            make()
        except Missing as missing:
            failure.write_text(f"{this_run()}\n{missing}", encoding="utf-8")
            raise
        stamp.write_bytes(wanted)


def once_a_run(work, what, call):
    """Calls call() in one of this run's callers; if that raised Missing, it does for the others."""
    work.mkdir(parents=True, exist_ok=True)
    with open(work / f"{what}-lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        noted = work / f"{what}-result"
        run, _, reason = noted.read_text(encoding="utf-8").partition("\n") if noted.exists() else ("", "", "")
        if run != this_run():
            reason = ""
            try:
                call()
            except Missing as missing:
                reason = str(missing)
            noted.write_text(f"{this_run()}\n{reason}", encoding="utf-8")
        if reason:
            raise Missing(reason)


def reach_npm_registry(npm, work):
    """Missing if nobody answers: `npm ci` would wait for that three times, with the patience that an install needs."""
    try:
        run_or_miss("npm", [npm, "ping", "--no-update-notifier", "--fetch-retries=0", f"--fetch-timeout={1000 * REACH}",
                            f"--cache={work / 'npm-cache'}"], timeout=6 * REACH)
    except Missing as missing:
        if not re.search(r"\bE\d{3}\b", str(missing)):  # a status of HTTP is an answer: not all registries know pings
            raise


def node_peer(script, work):
    """`script` with the packages that package-lock.json beside it pins, installed under `work`."""
    node, npm = tool("node", "nodejs"), tool("npm", "npm")
    sources = [script.parent / "package.json", script.parent / "package-lock.json"]

    def install():
        once_a_run(work.parent, "npm", lambda: reach_npm_registry(npm, work))
        for source in sources:
            shutil.copy(source, work)
        # Its cache and its logs beside what it installs, not in the home directory.
        run_or_miss("npm ci", [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier",
                               "--fetch-retries=0", "--fetch-timeout=15000", f"--cache={work / 'npm-cache'}"],
                    cwd=work, timeout=60)

    made_once(work, sources, install)
    return Peer([node, script], env={"NODE_PATH": str(work / "node_modules")})


def pypi_peer(script, work):
    """`script` with the packages that requirements.txt beside it pins, in a virtual environment under `work`."""
    requirements = script.parent / "requirements.txt"
    python = work / "venv" / "bin" / "python"

    def install():
        run_or_miss("venv (Debian: python3-venv)", [sys.executable, "-m", "venv", "--clear", work / "venv"])
        run_or_miss("pip", [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--only-binary", ":all:",
                            "--retries", "0", "--timeout", "15", "--cache-dir", work / "pip-cache",
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
    environment = {**os.environ, "CARGO_TARGET_DIR": str(work), "CARGO_HOME": str(work / "cargo-home"),
                   "CARGO_NET_RETRY": "0", **environment}
    made_once(work / "fetched", [manifest, manifest.parent / "Cargo.lock"],
              lambda: run_or_miss("cargo fetch", [cargo, "fetch", *arguments], env=environment))
    subprocess.run([cargo, "build", "--offline", "--release", *arguments], stdin=subprocess.DEVNULL, check=True,
                   env=environment)
    return Peer([work / "release" / program])


def go_peer(module, work):
    """The program of the module in the directory `module`, with what go.sum there pins, built under `work`."""
    go = tool("go")
    wanted = re.search(r"^go (.*)$", (module / "go.mod").read_text(), re.MULTILINE)[1]
    found = subprocess.run([go, "version"], capture_output=True, text=True, check=True).stdout.split()[2]
    if version(found.removeprefix("go")) < version(wanted):
        raise Missing(f"{found}, and {module} wants go{wanted}")
    environment = {**os.environ, "GOTOOLCHAIN": "local", "GOFLAGS": "-mod=readonly -modcacherw",
                   "GOMODCACHE": str(work / "modules"), "GOCACHE": str(work / "cache")}
    made_once(work / "fetched", [module / "go.mod", module / "go.sum"],
              lambda: run_or_miss("go mod download", [go, "mod", "download"], cwd=module, env=environment, timeout=60))
    subprocess.run([go, "build", "-o", work / "peer", "."], cwd=module, stdin=subprocess.DEVNULL, check=True,
                   env=environment)
    return Peer([work / "peer"])


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
