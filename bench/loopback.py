#!/usr/bin/python3
"""Measures whole processes over loopback, each side on a core of its own, what is compared turn by turn.

    bench/loopback.py transfer LOOPBACK...    a stream of each program's channel beside raw TCP and TLS 1.3 of the first
    bench/loopback.py opens FORWARD           connections carried by a channel beside those carried by ssh -L
"""

import argparse
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

NEAR, FAR = 0, 1  # cores
GIB = 1 << 30


def finish(process):
    """Waits for it: the seconds of CPU that it took, from its start to its end. If it has failed, so have we."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.exit(f"error: {process.args} ended with {process.returncode}")
    return usage.ru_utime + usage.ru_stime


class Side:
    """A process on one core, whose CPU time is known when it has ended."""

    def __init__(self, core, *argv):
        self.process = subprocess.Popen(["taskset", "--cpu-list", str(core), *map(str, argv)], stdout=subprocess.PIPE,
                                        text=True)

    def line(self):
        return self.process.stdout.readline().strip()

    def finish(self):
        """The seconds of CPU that it took, from its start to its end."""
        return finish(self.process)


# Both routes to 127.0.0.1, with a congestion control of their own.
NETWORK = """
ip link set lo up
for destination in 127.0.0.0/8 127.0.0.1; do
  ip route change local $destination dev lo table local proto kernel scope host src 127.0.0.1 congctl "$1"
done
shift
exec "$@"
"""


def go_on_with(congestion_control):
    """Starts this program again in a network namespace whose loopback has it; only root may."""
    at = sys.argv.index("--congestion-control")
    again = [sys.executable, *sys.argv[:at], *sys.argv[at + 2:]]
    os.execvp("unshare", ["unshare", "--net", "sh", "-e", "-c", NETWORK, "sh", congestion_control, *again])


def congestion_control_of_loopback():
    with socket.socket() as listener, socket.socket() as dialler:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        dialler.connect(listener.getsockname())
        return dialler.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).rstrip(b"\0").decode()


def transfer(program, kind, size):
    """(CPU seconds of the sender, of the receiver, seconds from the first byte to the last)"""
    receiver = Side(FAR, program, "receive", kind)
    sender = Side(NEAR, program, "send", kind, receiver.line(), size)
    sent = sender.finish()
    seconds = float(receiver.line())
    return sent, receiver.finish(), seconds


def compare_transfers(arguments):
    if arguments.congestion_control:
        go_on_with(arguments.congestion_control)
    first = arguments.programs[0]
    runs = [("TCP", first, "tcp"), ("TLS 1.3", first, "tls"),
            *((f"pake, {program}", program, "pake") for program in arguments.programs)]
    taken = {name: [] for name, _, _ in runs}
    for _ in range(arguments.rounds):
        for name, program, kind in runs:
            taken[name].append(transfer(program, kind, int(arguments.gib * GIB)))

    def ratios(name, other):
        """How many times as much `name` carries with the same CPU time as `other`, round by round."""
        return statistics.median((o[0] + o[1]) / (n[0] + n[1]) for n, o in zip(taken[name], taken[other]))

    print(f"{arguments.gib} GiB, medians of {arguments.rounds}; CPU seconds a GiB; congestion control "
          f"{congestion_control_of_loopback()}\n")
    print(f"{'':50} {'sender':>8} {'receiver':>8} {'both':>8} {'MB/s':>8} {'/ TLS':>8} {'/ TCP':>8}")
    for name in taken:
        sent, received, both, rate = (statistics.median(values) for values in zip(*(
            (s / arguments.gib, r / arguments.gib, (s + r) / arguments.gib, arguments.gib * GIB / 1e6 / seconds)
            for s, r, seconds in taken[name])))
        print(f"{name:50} {sent:8.3f} {received:8.3f} {both:8.3f} {rate:8.0f} "
              f"{ratios(name, 'TLS 1.3'):8.2f} {ratios(name, 'TCP'):8.2f}")


# --- Opens.


def cpu_seconds(pid):
    """What a process and its descendants have taken by now, threads that have ended too."""
    own = time.clock_gettime(~pid << 3 | 2)  # the clock of clock_getcpuclockid(3)
    children = subprocess.run(["pgrep", "--parent", str(pid)], stdout=subprocess.PIPE, text=True).stdout.split()
    return own + sum(cpu_seconds(int(child)) for child in children)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_listening(address):
    for _ in range(100):
        if address.startswith("unix:"):
            probe, where = socket.socket(socket.AF_UNIX), address.removeprefix("unix:")
        else:
            probe, where = socket.socket(), ("127.0.0.1", int(address.rsplit(":")[-1]))
        with probe:
            if probe.connect_ex(where) == 0:
                return
        time.sleep(0.1)
    sys.exit(f"error: nobody listens on {address}")


class Channel:
    def __init__(self, program, local, backend):
        far = Side(FAR, program, "listen", backend)
        near = Side(NEAR, program, "dial", far.line(), local)
        self.ends = [far, near]
        self.address = near.line()


class Relay:
    """One process that accepts and connects as both ends of a tunnel do: what the connections themselves cost."""

    def __init__(self, program, local, backend):
        self.ends = [Side(NEAR, program, "relay", local, backend)]
        self.address = self.ends[0].line()


class Ssh:
    """ssh -L between an sshd and an ssh of our own, with keys that go with `folder`."""

    def __init__(self, folder, local, backend):
        keys = [folder / "host", folder / "user"]
        for key in keys:
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        port, self.address = free_port(), local
        config = folder / "sshd_config"
        config.write_text(f"ListenAddress 127.0.0.1:{port}\nHostKey {keys[0]}\nAuthorizedKeysFile {keys[1]}.pub\n"
                          "PidFile none\nStrictModes no\nUsePAM no\nPermitRootLogin prohibit-password\n")
        if os.getuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        far = Side(FAR, shutil.which("sshd", path="/usr/sbin:/usr/bin"), "-D", "-q", "-f", config)
        wait_until_listening(f"127.0.0.1:{port}")
        near = Side(NEAR, "ssh", "-F", "none", "-q", "-N", "-i", keys[1], "-p", port, "-c", "aes256-gcm@openssh.com",
                         "-o", "StrictHostKeyChecking=no", "-o", f"UserKnownHostsFile={folder}/known_hosts",
                         "-L", f"{local.removeprefix('unix:')}:{backend.removeprefix('unix:')}", f"{getpass.getuser()}@127.0.0.1")
        self.ends = [far, near]
        wait_until_listening(self.address)


def load(tunnel, program, count, at_once):
    """(CPU seconds of the tunnel, seconds), each for one connection"""
    ends = [end.process.pid for end in tunnel.ends]
    before = sum(map(cpu_seconds, ends))
    client = Side(NEAR, program, "load", tunnel.address, count, at_once)
    seconds = float(client.line())
    client.finish()
    return (sum(map(cpu_seconds, ends)) - before) / count, seconds / count


def compare_opens(arguments):
    print(f"{arguments.count} connections, medians of {arguments.rounds}\n")
    print(f"{'':40} {'CPU us':>8} {'/ CPU s':>10} {'/ ssh':>8} {'/ s':>10} {'/ ssh':>8}")
    for sockets in ("tcp", "unix"):
        with tempfile.TemporaryDirectory() as folder:
            compare_opens_over(arguments, sockets, pathlib.Path(folder))


def compare_opens_over(arguments, sockets, folder):
    def local(name):
        return f"unix:{folder}/{name}" if sockets == "unix" else f"127.0.0.1:{free_port()}"

    program, sides = arguments.program, []
    try:
        sides.append(Side(FAR, program, "echo", local("echo")))
        backend = sides[0].line()
        tunnels = {"ssh -L": Ssh(folder, local("ssh"), backend), "pake": Channel(program, local("pake"), backend),
                   "relay, no tunnel": Relay(program, local("relay"), backend)}
        sides += [end for tunnel in tunnels.values() for end in tunnel.ends]
        for at_once in (1, 16):
            compare_opens_at_once(arguments, tunnels, f"{sockets}, {at_once} at a time", at_once)
    finally:
        for side in sides:
            side.process.terminate()
            side.process.wait()


def compare_opens_at_once(arguments, tunnels, what, at_once):
    taken = {name: [] for name in tunnels}
    for _ in range(arguments.rounds):
        for name, tunnel in tunnels.items():
            taken[name].append(load(tunnel, arguments.program, arguments.count, at_once))
    for name in tunnels:
        cpu, seconds = (statistics.median(values) for values in zip(*taken[name]))
        more = [statistics.median(ssh[i] / own[i] for ssh, own in zip(taken["ssh -L"], taken[name])) for i in range(2)]
        print(f"{name + ', ' + what:40} {cpu * 1e6:8.0f} {1 / cpu:10.0f} {more[0]:8.2f} "
              f"{1 / seconds:10.0f} {more[1]:8.2f}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("transfer")
    command.set_defaults(run=compare_transfers)
    command.add_argument("programs", nargs="+")
    command.add_argument("--gib", type=float, default=2)
    command.add_argument("--congestion-control", help="another one than the system's")
    command.add_argument("--rounds", type=int, default=11)
    command = commands.add_parser("opens")
    command.set_defaults(run=compare_opens)
    command.add_argument("program")
    command.add_argument("--count", type=int, default=1000)
    command.add_argument("--rounds", type=int, default=11)
    arguments = parser.parse_args()
    arguments.run(arguments)


if __name__ == "__main__":
    main()
