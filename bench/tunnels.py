#!/usr/bin/python3
"""Measures `pake forward` beside ssh, spiped and stunnel: what a connection, and a GiB, costs those who carry it.

    bench/tunnels.py PAKE FORWARD [--count 10000] [--at-once 200] [--gib 1] [--rounds 3] [--write docs/performance.md]

PAKE is the program, FORWARD the load, the backend and the relay of bench/forward.cpp. Everything is reached over TCP on
loopback. Counted is the CPU time of whoever stands between client and backend, from the first connection to the last, and
of a GiB also that of each of them; the tunnels take turns in each round. Client and backend are not counted, but share the
two cores. -R: what is reached belongs to somebody who can merely reach the server, as client and backend do.
"""

import argparse
import datetime
import getpass
import os
import pathlib
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

from loopback import FAR, GIB, NEAR, Side, cpu_seconds, free_port, wait_until_listening
from side_by_side import processor

PASSWORD = "seven lemons sing"
BEGIN, END = "<!-- tunnels: begin -->", "<!-- tunnels: end -->"
PIECE = bytes(1 << 18)

# Takes one connection after the other to its end, and says nothing.
SINK = """
import socket, threading
listener = socket.create_server(("127.0.0.1", 0), backlog=512)
print(listener.getsockname()[1], flush=True)
def take(connection):
    buffer = bytearray(1 << 18)
    while connection.recv_into(buffer): pass
    connection.close()
while True: threading.Thread(target=take, args=(listener.accept()[0],), daemon=True).start()
"""


class Tunnel:
    """Who carries connections to `address`: each a process, or a group of them that one process has started."""

    def __init__(self, address, count=None, at_once=None, **ends):
        self.address, self.count, self.at_once, self.ends = address, count, at_once, ends

    def cpu(self):
        return {name: cpu_seconds(end.process.pid) for name, end in self.ends.items()}


class Making:
    """Starts tunnels, and ends what it has started."""

    def __init__(self, arguments, folder):
        self.arguments, self.folder, self.started = arguments, folder, []

    def start(self, core, *argv, **environment):
        before = dict(os.environ)
        os.environ.update(environment)
        side = Side(core, *argv)
        os.environ.clear()
        os.environ.update(before)
        self.started.append(side)
        return side

    def end(self):
        for side in reversed(self.started):
            side.process.terminate()
        for side in self.started:
            side.process.wait()

    def relay(self, backend):
        side = self.start(NEAR, self.arguments.forward, "relay", f"127.0.0.1:{free_port()}", backend)
        return Tunnel(side.line(), relay=side)

    # --- pake: a server, alice who reaches a service, bob who brings one.

    def serve(self, backend):
        port = free_port()
        (self.folder / "pake.toml").write_text(f'[services]\nraw = "{backend}"\n[published]\nbrought = "bob"\n[log]\nlevel = "error"\n')
        data = self.folder / "data"
        server = self.start(FAR, self.arguments.pake, "serve", f"127.0.0.1:{port}", "--data", data, "--config", self.folder / "pake.toml",
                            "--quiet")
        wait_until_listening(f"127.0.0.1:{port}")
        for name in ("alice", "bob"):
            subprocess.run([self.arguments.pake, "user", "add", name, "--data", data, "--quiet"], check=True, stderr=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, env={**os.environ, "PAKE_PASSWORD": PASSWORD})
        return server, f"127.0.0.1:{port}"

    def forward(self, core, name, server, *argv):
        return self.start(core, self.arguments.pake, "forward", f"{name}@{server}", *argv, "--quiet", PAKE_PASSWORD=PASSWORD)

    def pake(self, backend):
        self.server, self.server_address = self.serve(backend)
        port = free_port()
        near = self.forward(NEAR, "alice", self.server_address, "-L", f"{port}:raw")
        wait_until_listening(f"127.0.0.1:{port}")
        return Tunnel(f"127.0.0.1:{port}", **{"forward -L": near, "serve": self.server})

    def pake_brought(self, backend):
        port = free_port()
        brings = self.forward(FAR, "bob", self.server_address, "-R", f"brought:{backend}")
        time.sleep(2)  # until it is published
        near = self.forward(NEAR, "alice", self.server_address, "-L", f"{port}:brought")
        wait_until_listening(f"127.0.0.1:{port}")
        return Tunnel(f"127.0.0.1:{port}", **{"forward -L": near, "serve": self.server, "forward -R": brings})

    # --- ssh, with keys that go with the folder.

    def sshd(self):
        for key in ("host", "user"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / key], check=True)
        self.ssh_port = free_port()
        config = self.folder / "sshd_config"
        config.write_text(f"ListenAddress 127.0.0.1:{self.ssh_port}\nHostKey {self.folder}/host\nAuthorizedKeysFile {self.folder}/user.pub\n"
                          "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        self.sshd_side = self.start(FAR, shutil.which("sshd", path="/usr/sbin:/usr/bin"), "-D", "-q", "-f", config)
        wait_until_listening(f"127.0.0.1:{self.ssh_port}")

    def ssh_client(self, core, *argv):
        return self.start(core, "ssh", "-F", "none", "-q", "-N", "-i", self.folder / "user", "-p", self.ssh_port, "-c", "aes256-gcm@openssh.com",
                          "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={self.folder}/known_hosts", *argv,
                          f"{getpass.getuser()}@127.0.0.1")

    def ssh(self, backend):
        self.sshd()
        port = free_port()
        near = self.ssh_client(NEAR, "-L", f"127.0.0.1:{port}:{backend}")
        wait_until_listening(f"127.0.0.1:{port}")
        return Tunnel(f"127.0.0.1:{port}", **{"ssh -L": near, "sshd": self.sshd_side})

    def ssh_brought(self, backend):
        at_server, port = free_port(), free_port()
        brings = self.ssh_client(FAR, "-R", f"127.0.0.1:{at_server}:{backend}")
        wait_until_listening(f"127.0.0.1:{at_server}")
        near = self.ssh_client(NEAR, "-L", f"127.0.0.1:{port}:127.0.0.1:{at_server}")
        wait_until_listening(f"127.0.0.1:{port}")
        return Tunnel(f"127.0.0.1:{port}", **{"ssh -L": near, "sshd": self.sshd_side, "ssh -R": brings})

    def spiped(self, backend):
        key, middle, port = self.folder / "key", free_port(), free_port()
        key.write_bytes(os.urandom(32))
        far = self.start(FAR, "spiped", "-d", "-F", "-s", f"[127.0.0.1]:{middle}", "-t", f"[127.0.0.1]:{backend.rsplit(':')[-1]}", "-k", key,
                         "-n", 500, "-o", 60)
        near = self.start(NEAR, "spiped", "-e", "-F", "-s", f"[127.0.0.1]:{port}", "-t", f"[127.0.0.1]:{middle}", "-k", key, "-n", 500, "-o", 60)
        wait_until_listening(f"127.0.0.1:{middle}")
        wait_until_listening(f"127.0.0.1:{port}")
        # It makes a handshake for each connection and calls listen(2) with 10, whatever -n says.
        return Tunnel(f"127.0.0.1:{port}", count=1000, at_once=8, **{"spiped -e": near, "spiped -d": far})

    def stunnel(self, backend):
        certificate, key, middle, port = self.folder / "stunnel.crt", self.folder / "stunnel.key", free_port(), free_port()
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=tunnel",
                        "-keyout", key, "-out", certificate], check=True, stderr=subprocess.DEVNULL)

        def start(core, name, accept, connect, *lines):
            (self.folder / name).write_text("\n".join(["foreground = quiet", "pid =", "syslog = no", "debug = err", "[tunnel]",
                                                       f"accept = 127.0.0.1:{accept}", f"connect = {connect}",
                                                       "sslVersionMin = TLSv1.3", *lines, ""]))
            return self.start(core, "stunnel4", self.folder / name)

        far = start(FAR, "server.conf", middle, backend, f"cert = {certificate}", f"key = {key}")
        near = start(NEAR, "client.conf", port, f"127.0.0.1:{middle}", "client = yes", f"CAfile = {certificate}", "verifyPeer = yes")
        wait_until_listening(f"127.0.0.1:{middle}")
        wait_until_listening(f"127.0.0.1:{port}")
        return Tunnel(f"127.0.0.1:{port}", **{"stunnel, client": near, "stunnel, server": far})


def connections(tunnel, arguments):
    """(CPU us of all that carry it, wall us), a connection"""
    before = sum(tunnel.cpu().values())
    count = tunnel.count or arguments.count
    client = Side(NEAR, arguments.forward, "load", tunnel.address, count, tunnel.at_once or arguments.at_once)
    seconds = float(client.line())  # nothing if one of them was not carried
    client.finish()
    return ((sum(tunnel.cpu().values()) - before) * 1e6 / count, seconds * 1e6 / count)


def transfer(tunnel, gib):
    """({end: CPU s a GiB}, MB/s)"""
    left, before, began = int(gib * GIB), tunnel.cpu(), time.monotonic()
    host, port = tunnel.address.rsplit(":", 1)
    with socket.create_connection((host, int(port))) as connection:
        while left:
            connection.sendall(PIECE[:left])
            left -= min(left, len(PIECE))
        connection.shutdown(socket.SHUT_WR)
        connection.settimeout(120)
        if connection.recv(1):
            sys.exit("error: the sink says nothing")
    seconds = time.monotonic() - began
    return {name: (after - before[name]) / gib for name, after in tunnel.cpu().items()}, gib * GIB / 1e6 / seconds


def measure(arguments, makers, backend, once):
    """{name: [what `once` found in each round]}, the tunnels made anew in each, the turns in another order."""
    found = {name: [] for name in makers}
    for turn in range(arguments.rounds):
        with tempfile.TemporaryDirectory(prefix="pake-tunnels-") as folder:
            making = Making(arguments, pathlib.Path(folder))
            try:
                tunnels = {name: make(making, backend) for name, make in makers.items()}
                names = list(tunnels)
                for name in names[turn % len(names):] + names[:turn % len(names)]:
                    try:
                        found[name].append(once(tunnels[name]))
                    except (OSError, ValueError) as error:
                        sys.exit(f"error: {name} did not carry everything: {error}")
            finally:
                making.end()
    return found


MAKERS = {"relay": Making.relay, "pake forward -L": Making.pake, "ssh -L": Making.ssh, "spiped (1,000, 8 at a time)": Making.spiped,
          "stunnel, TLS 1.3": Making.stunnel,
          "pake forward -R, and -L": Making.pake_brought, "ssh -R, and -L": Making.ssh_brought}
OF_SSH = {"pake forward -L": "ssh -L", "pake forward -R, and -L": "ssh -R, and -L"}


def table_of_connections(found, arguments):
    rows = [f"| {arguments.count:,} connections, {arguments.at_once} at a time | CPU us each | above the relay | of ssh's | a second |",
            "|---|---|---|---|---|"]
    relay = [cpu for cpu, _ in found["relay"]]
    above = {name: [cpu - bare for (cpu, _), bare in zip(turns, relay)] for name, turns in found.items()}
    for name, turns in found.items():
        cpu, wall = (statistics.median(values) for values in zip(*turns))
        ratio = ""
        if name in OF_SSH:
            ratio = f"{statistics.median(own / ssh for own, ssh in zip(above[name], above[OF_SSH[name]])):.2f}"
        more = "" if name == "relay" else f"{statistics.median(above[name]):.0f}"
        rows.append(f"| {name} | {cpu:.0f} | {more} | {ratio} | {1e6 / wall:,.0f} |")
    return rows


def table_of_transfers(found):
    rows = ["| one way, a stream | CPU-s a GiB, by process | MB/s |", "|---|---|---|"]
    for name, turns in found.items():
        ends = {end: statistics.median(cpu[end] for cpu, _ in turns) for end in turns[0][0]}
        rate = statistics.median(rate for _, rate in turns)
        rows.append(f"| {name} | {', '.join(f'{end} {cpu:.2f}' for end, cpu in ends.items())} | {rate:,.0f} |")
    return rows


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pake", type=pathlib.Path)
    parser.add_argument("forward", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--at-once", type=int, default=200)
    parser.add_argument("--gib", type=float, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", choices=("connections", "transfers"), default=("connections", "transfers"))
    parser.add_argument("--write", type=pathlib.Path, metavar="PAGE")
    arguments = parser.parse_args()
    absent = {make for make, program in ((Making.spiped, "spiped"), (Making.stunnel, "stunnel4")) if not shutil.which(program)}
    for make in absent:
        print(f"left out: {make.__name__}, which is not installed", file=sys.stderr)
    makers = {name: make for name, make in MAKERS.items() if make not in absent}
    lines = [f"{processor()}, {os.cpu_count()} cores, {datetime.date.today()}; medians of {arguments.rounds} rounds.", "",
             "    scripts/bench tunnels --write docs/performance.md"]
    if "connections" in arguments.only:
        echo = Side(FAR, arguments.forward, "echo", f"127.0.0.1:{free_port()}")
        try:
            found = measure(arguments, makers, echo.line(), lambda tunnel: connections(tunnel, arguments))
        finally:
            echo.process.terminate()
            echo.process.wait()
        lines += ["", *table_of_connections(found, arguments)]
    if "transfers" in arguments.only:
        sink = Side(FAR, sys.executable, "-c", SINK)
        try:
            found = measure(arguments, makers, f"127.0.0.1:{sink.line()}", lambda tunnel: transfer(tunnel, arguments.gib))
        finally:
            sink.process.terminate()
            sink.process.wait()
        lines += ["", *table_of_transfers(found)]
    print("\n".join(lines))
    if arguments.write:
        before, begin, rest = arguments.write.read_text().partition(BEGIN)
        _, end, after = rest.partition(END)
        if not begin or not end:
            sys.exit(f"error: {arguments.write} does not say where the table goes: {BEGIN} and {END}")
        arguments.write.write_text(before + begin + "\n" + "\n".join(lines) + "\n" + end + after)


if __name__ == "__main__":
    main()
