#!/usr/bin/python3
"""Measures this library beside its peers: in the same minute, on one core, turn by turn.

    bench/side_by_side.py PAKE_PEER [--rounds N] [--count N] [--core N] [--write docs/performance.md]

Builds or installs the peers in build/peers (peers/README.md) and leaves out, aloud, what its toolchain or registry does
not give. A round asks every program in turn, in processes of its own: where memory lies changes a figure by some
percent. Printed are medians of CPU time and of the ratios of each round. With --write the table takes the place of the
last one in that file, and a plot beside it.
"""

import argparse
import datetime
import os
import pathlib
import shutil
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
PEERS = HERE / "peers"
BUILT = HERE.parent / "build" / "peers"
STEPS = {
    "login": "the server's part of an OPAQUE login over ristretto255, wire to wire",
    "eights": "the same when eight logins are there at once (the others answer one after the other)",
    "connections": "the server's thread of a login over TCP, a new connection each: accept, KE1, KE2, KE3, close",
    "client": "the client's last step of it, without key stretching",
    "evaluate": "RFC 9497's BlindEvaluate over ristretto255, from bytes to bytes",
    "srp": "the server's part of an SRP-6a login, 2048 bits, SHA-256",
}
BEGIN, END = "<!-- side by side: begin -->", "<!-- side by side: end -->"


def run(*argv, **how):
    subprocess.run(list(map(str, argv)), check=True, stdout=sys.stderr, **how)


def cargo(target, flags):
    run("cargo", "build", "--release", "--locked", "--manifest-path", PEERS / "rust" / "Cargo.toml",
        env={**os.environ, "CARGO_TARGET_DIR": str(target), "RUSTFLAGS": flags})
    return target / "release" / "opaque_peers"


def install_node():
    into = BUILT / "node"
    into.mkdir(parents=True, exist_ok=True)
    for name in "package.json", "package-lock.json":
        shutil.copy(PEERS / "node" / name, into)
    run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=into)
    return into


def build_circl():
    program = BUILT / "circl_peer"
    run("go", "build", "-o", program, ".", cwd=PEERS / "circl")
    return program


def install_srp():
    python = BUILT / "python" / "bin" / "python3"
    if not python.exists():
        run("/usr/bin/python3", "-m", "venv", BUILT / "python")
    run(python, "-m", "pip", "install", "--quiet", "srp==1.0.22")
    return python


def commands(pake_peer):
    """What to start for each program, by name."""
    found = {f"pake, {name}": [pake_peer, name] for name in ("AVX-512 IFMA", "AVX2", "portable", "libsodium")}

    def add(names, make):
        try:
            made = make()
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"left out: {', '.join(names)}: {error}", file=sys.stderr)
            return
        for name, command in names.items():
            found[name] = command(made)

    add({"opaque-ke": lambda program: [program, "opaque-ke"],
         "pakery-opaque": lambda program: [program, "pakery-opaque"]}, lambda: cargo(BUILT / "target", ""))
    add({"pakery-opaque, for this processor": lambda program: [program, "pakery-opaque"]},
        lambda: cargo(BUILT / "native", "-C target-cpu=native"))
    add({"@serenity-kit/opaque": lambda folder: ["node", PEERS / "node" / "peer.js", folder]}, install_node)
    add({"circl": lambda program: [program]}, build_circl)
    add({"python-srp": lambda python: [python, PEERS / "srp_peer.py"]}, install_srp)
    return found


class Peer:
    def __init__(self, core, command):
        self.process = subprocess.Popen(["taskset", "--cpu-list", str(core), *map(str, command)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, line):
        """The answer, or None from a program that cannot run here."""
        try:
            self.process.stdin.write(line + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            return None
        answer = self.process.stdout.readline().strip()
        return None if answer in ("", "missing", "unknown") else answer

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass  # it could not run here and has ended
        self.process.wait()


def measure(programs, arguments):
    """{step: {name: [microseconds, a round each]}} and {name: its own description}"""
    times = {step: {} for step in STEPS}
    described = {}
    for _ in range(arguments.rounds):
        peers = {name: Peer(arguments.core, command) for name, command in programs.items()}
        for name, peer in peers.items():
            described[name] = peer.ask("describe")
        for step, by_name in times.items():
            count = max(4, arguments.count // 8) if step == "srp" else arguments.count
            asked = {name: peer for name, peer in peers.items() if described[name] and peer.ask(f"{step} 4")}
            turns = {name: [] for name in asked}
            for _ in range(3):
                for name, peer in asked.items():
                    turns[name].append(int(peer.ask(f"{step} {count}")) / count / 1000)
            for name, values in turns.items():
                by_name.setdefault(name, []).append(statistics.median(values))
        for peer in peers.values():
            peer.close()
    return times, {name: text for name, text in described.items() if text}


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return "an unknown processor"


def table(times, described, arguments):
    lines = [f"{processor()}, {os.cpu_count()} cores with other work beside it, {datetime.date.today()}; CPU time on one"
             f" core in microseconds, medians of {arguments.rounds} rounds; the ratios are medians of each round's.", "",
             "    scripts/bench peers --write docs/performance.md"]
    for step, by_name in times.items():
        if len(by_name) < 2:
            continue
        ours = next(name for name in by_name if name.startswith("pake"))
        lines += ["", f"**{step}**: {STEPS[step]}", "", "| | CPU time | times as long as ours |", "|---|---|---|"]
        for name, values in by_name.items():
            ratio = statistics.median(theirs / mine for theirs, mine in zip(values, by_name[ours]))
            own = ", for this processor" if name.endswith(", for this processor") else ""
            lines.append(f"| {described[name]}{own} | {statistics.median(values):.1f} | {ratio:.2f} |")
    return "\n".join(lines)


def plot(by_name, described):
    """The bars of one step as SVG."""
    row, left, width = 22, 330, 760
    medians = {described[name] + (", for this processor" if "for this" in name else ""): statistics.median(values)
               for name, values in by_name.items()}
    scale = (width - left - 60) / max(medians.values())
    lines = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{row * len(medians) + 30}" '
             'font-family="sans-serif" font-size="12">',
             f'<text x="4" y="16">{STEPS["login"]}, microseconds of CPU</text>']
    for i, (name, median) in enumerate(medians.items()):
        y = 26 + row * i
        colour = "#2a6" if name.startswith("pake") else "#888"
        lines += [f'<text x="4" y="{y + 13}">{name}</text>',
                  f'<rect x="{left}" y="{y + 2}" width="{median * scale:.0f}" height="{row - 6}" fill="{colour}"/>',
                  f'<text x="{left + 6 + median * scale:.0f}" y="{y + 13}">{median:.0f}</text>']
    return "\n".join([*lines, "</svg>", ""])


def write(page, text, picture):
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"error: {page} does not say where the table goes: {BEGIN} and {END}")
    image = page.with_name("performance-login.svg")
    image.write_text(picture)
    page.write_text(f"{before}{begin}\n{text}\n\n![OPAQUE logins by library]({image.name})\n{end}{after}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pake_peer", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--count", type=int, default=40, help="of a step in one turn")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    parser.add_argument("--write", type=pathlib.Path, metavar="PAGE")
    arguments = parser.parse_args()
    BUILT.mkdir(parents=True, exist_ok=True)
    times, described = measure(commands(arguments.pake_peer.resolve()), arguments)
    text = table(times, described, arguments)
    print(text)
    if arguments.write:
        write(arguments.write, text, plot(times["login"], described))


if __name__ == "__main__":
    main()
