"""Machines that are network namespaces on a bridge (`Lan`), or that reach a server and nothing else (`Meet`), for `pake send`,
`pake receive`, `pake listen` and `pake dial`; and a server that many come to in order to meet nobody (`Flood`). scripts/soak
runs them, as root: they take the kernel's veth and bridge, and iproute2's `ip`."""

import contextlib
import os
import re
import resource
import socket
import struct
import subprocess
import sys
import threading
import time
import unittest

import far_apart
from harness import OK
from send_lan_test import GROUP, PORT, announcement
from send_via_test import STRANGERS, ViaCase
from sending import Transfers, answer_as_an_impostor, data, wire
from serving import Meeting

CANNOT_RUN = 77
MEETINGS = int(os.environ.get("PAKE_MEETINGS", 200))


def ip(*words):
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Machine:
    """A network namespace with one interface, eth0, whose other end stays here."""

    count = 0

    def __init__(self, *addresses, master=None, port_addresses=()):
        Machine.count += 1
        self.port = f"port{Machine.count}"
        self._home = far_apart.this_network()
        far_apart.call("unshare", far_apart.CLONE_NEWNET)
        self._own = far_apart.this_network()
        self._holder = subprocess.Popen(["sleep", "infinity"])
        far_apart.call("setns", self._home, far_apart.CLONE_NEWNET)
        ip("link", "add", self.port, "type", "veth", "peer", "name", "eth0", "netns", str(self._holder.pid))
        if master:
            ip("link", "set", self.port, "master", master)
        for address in port_addresses:
            ip("addr", "add", address, "dev", self.port, *("nodad",) * (":" in address))
        ip("link", "set", self.port, "up")
        with self.inside():
            ip("link", "set", "lo", "up")
            for address in addresses:
                ip("addr", "add", address, "dev", "eth0", *("nodad",) * (":" in address))
            ip("link", "set", "eth0", "up")
            for _ in range(100):  # until the system has found that nobody else has its link-local address
                if b"tentative" not in subprocess.run(["ip", "-6", "addr", "show"], capture_output=True, check=True).stdout:
                    break
                time.sleep(0.1)
        self.address = addresses[0].split("/")[0] if addresses else None

    @contextlib.contextmanager
    def inside(self):
        """What this thread starts meanwhile lives there."""
        far_apart.call("setns", self._own, far_apart.CLONE_NEWNET)
        try:
            yield
        finally:
            far_apart.call("setns", self._home, far_apart.CLONE_NEWNET)

    def close(self):
        self._holder.kill()
        self._holder.wait()
        with contextlib.suppress(subprocess.CalledProcessError):
            ip("link", "delete", self.port)
        os.close(self._own)


class Capture(threading.Thread):
    """All that passes an interface."""

    def __init__(self, interface):
        super().__init__(daemon=True)
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 20)
        self._socket.bind((interface, 0))
        self.packets = []
        self.start()

    def run(self):
        with contextlib.suppress(OSError):
            while True:
                self.packets.append(self._socket.recv(70_000))

    def close(self):
        self._socket.close()

    def announcements(self):
        """The payloads of datagrams to the groups' port."""
        found = []
        for packet in list(self.packets):
            kind, rest = packet[12:14], packet[14:]
            if kind == b"\x08\x00" and rest[9] == socket.IPPROTO_UDP:
                udp = rest[4 * (rest[0] & 15):int.from_bytes(rest[2:4], "big")]
            elif kind == b"\x86\xdd" and rest[6] == socket.IPPROTO_UDP:
                udp = rest[40:]
            else:
                continue
            if udp[2:4] == struct.pack(">H", PORT):
                found.append(udp[8:int.from_bytes(udp[4:6], "big")])
        return found


class Bridged(Transfers):
    def setUp(self):
        super().setUp()
        ip("link", "add", "bridge0", "type", "bridge", "mcast_snooping", "0")
        self.addCleanup(ip, "link", "delete", "bridge0")
        ip("link", "set", "bridge0", "up")

    def machine(self, *addresses):
        machine = Machine(*addresses, master="bridge0")
        self.addCleanup(machine.close)
        return machine

    def sends(self, machine, path):
        with machine.inside():
            return self.shown(self.start("send", "--lan", path))

    def receives(self, machine, code, out):
        with machine.inside():
            return self.start("receive", "--lan", "--out", self.path(out), "--yes", "--deadline", "60", env={"PAKE_CODE": code})


class Lan(Bridged):
    def pass_files(self, addresses):
        senders, receivers = [self.machine(*addresses(i)) for i in (1, 2, 3)], [self.machine(*addresses(i)) for i in (4, 5, 6)]
        capture = Capture("bridge0")
        self.addCleanup(capture.close)
        sending = [self.sends(machine, self.put(f"in/secret{i}", data(500_000, i))) for i, machine in enumerate(senders)]
        numbers = [program.code_shown.split("-")[0] for program in sending]
        if len(set(numbers)) != 3:
            self.skipTest("two drew the same number: each would have spent the other's code")
        receiving = [self.receives(machine, program.code_shown, f"out{i}")
                     for i, (machine, program) in enumerate(zip(receivers, sending))]
        for i, (sender, receiver) in enumerate(zip(sending, receiving)):
            self.assert_ends(sender, receiver, (OK, OK))
            self.assertEqual(self.read(f"out{i}/secret{i}"), data(500_000, i))
        allowed = {announcement(int(number), int(program.address.rsplit(":", 1)[1])) for number, program in zip(numbers, sending)}
        self.assertEqual(set(capture.announcements()), allowed)
        everything = b"".join(capture.packets)
        for program in sending:
            for word in program.code_shown.split("-")[1:3]:
                self.assertNotIn(word.encode(), everything)
        self.assertNotIn(b"secret", everything)
        return receiving

    def test_three_senders_at_once_by_ipv4(self):
        self.pass_files(lambda i: [f"10.80.0.{i}/24"])

    def test_three_senders_at_once_by_ipv6(self):
        for receiver in self.pass_files(lambda i: [f"fd00:80::{i}/64"]):
            self.assertNotIn("10.80", receiver.err)

    def test_link_local_addresses_are_enough(self):
        self.pass_files(lambda i: [])

    def test_an_impostor_costs_one_try_and_is_named(self):
        here, there, other = (self.machine(f"10.80.0.{i}/24") for i in (1, 2, 3))
        sender = self.sends(here, self.put("in/a", b"abc"))
        number = int(sender.code_shown.split("-")[0])
        with other.inside():
            listener = socket.create_server(("10.80.0.3", 0))
            speaker = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            speaker.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton("10.80.0.3"))
        self.addCleanup(listener.close)
        answered, over = [], threading.Event()

        def shout():
            while not over.wait(0.05):
                speaker.sendto(announcement(number, listener.getsockname()[1]), (GROUP, PORT))
            speaker.close()

        threading.Thread(target=shout, daemon=True).start()
        threading.Thread(target=answer_as_an_impostor, args=(listener, answered), daemon=True).start()
        receiver = self.receives(there, sender.code_shown, "out")
        self.assert_ends(sender, receiver, (OK, OK))
        over.set()
        self.assertLessEqual(len(answered), 1)
        if answered:
            self.assertIn(f"10.80.0.3:{listener.getsockname()[1]} announces {number} and is not the other side", receiver.err)
        self.assertEqual(self.read("out/a"), b"abc")


class Meet(ViaCase):
    """Two machines, each on a link of its own to this one, which serves and forwards no packet."""

    def setUp(self):
        super().setUp()
        self.here = Machine("10.81.1.2/24", port_addresses=("10.81.1.1/24",))
        self.there = Machine("10.81.2.2/24", port_addresses=("10.81.2.1/24",))
        for machine in (self.here, self.there):
            self.addCleanup(machine.close)
        self.server = self.serve("--config", self.path("pake.toml", STRANGERS), address="[::]:0")
        self.port = self.server.address.rsplit(":", 1)[1]

    def sends(self, *args, **how):
        with self.here.inside():
            return self.send(*args, via=f"10.81.1.1:{self.port}", **how)

    def receives(self, code, *args, **how):
        with self.there.inside():
            return self.receive(code, *args, via=f"10.81.2.1:{self.port}", **how)

    def test_a_file_passes_the_server_which_sees_sizes_and_times(self):
        captures = [Capture(machine.port) for machine in (self.here, self.there)]
        content = data(5_000_000)
        sender = self.sends(self.put("in/violets", content))
        receiver = self.receives(sender.code_shown)
        self.ends(sender, receiver)
        self.assertEqual(self.read("out/violets"), content)
        for program in (sender, receiver):
            self.assertIn("which cannot read it", program.err)
        for capture in captures:
            capture.close()
            everything = b"".join(capture.packets)
            self.assertGreater(len(everything), 5_000_000)
            for secret in (b"violets", content[1000:1016], *(word.encode() for word in sender.code_shown.split("-")[1:3])):
                self.assertNotIn(secret, everything)

    def test_a_link_that_goes_away_for_a_while(self):
        content = data(40_000_000)
        sender = self.sends(self.put("in/a", content))
        receiver = self.receives(sender.code_shown)
        receiver.wait_for("the other side sends", "err")
        ip("link", "set", self.there.port, "down")
        time.sleep(1)
        ip("link", "set", self.there.port, "up")
        ip("addr", "replace", "10.81.2.1/24", "dev", self.there.port)
        self.ends(sender, receiver)
        self.assertEqual(self.read("out/a"), content)

    def test_a_receiver_that_is_killed_goes_on_by_a_new_code(self):
        content = data(40_000_000)
        sender = self.sends(self.put("in/a", content), "--wait", "0")
        receiver = self.receives(sender.code_shown)
        receiver.wait_for("the other side sends", "err")
        receiver.process.kill()
        sender.wait()
        sender = self.sends(self.path("in/a"))
        self.ends(sender, self.receives(sender.code_shown))
        self.assertEqual(self.read("out/a"), content)

    def test_lines_pass_both_ways(self):
        with self.here.inside():
            listener = self.start("listen", "--via", f"10.81.1.1:{self.port}", stdin=subprocess.PIPE)
        code = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
        with self.there.inside():
            dialler = self.start("dial", "--via", f"10.81.2.1:{self.port}", env={"PAKE_CODE": code}, stdin=subprocess.PIPE)
        listener.write("from here\n")
        dialler.write("from there\n")
        self.both_end(listener, dialler)
        self.assertEqual((listener.out, dialler.out), ("from there\n", "from here\n"))


class Flood(ViaCase):
    """From so many addresses that the bounds of a source are not what bounds them."""

    def resident(self):
        with open(f"/proc/{self.server.process.pid}/smaps_rollup") as file:
            return int(re.search(r"Rss:\s+(\d+) kB", file.read())[1]) * 1024

    def come(self, numbers, action, **fields):
        """Four of each source."""
        connections = []
        for number in numbers:
            source = f"127.1.{number // 4 // 256}.{number // 4 % 256}"
            with contextlib.suppress(OSError):
                connections.append(Meeting(self.server.address, action, source=source, **fields))
        return connections

    def test_selectors_half_meetings_and_slow_halves(self):
        limits = f"\n[limits]\nmeetings = {MEETINGS}\n"
        self.start_server(STRANGERS + limits)
        for_files = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (for_files[1], for_files[1]))
        warm = self.come(range(4), Meeting.CREATE, tries=1)
        for one in warm:
            one.met()
        before = self.resident()
        waiting = self.come(range(4, MEETINGS - 4), Meeting.CREATE, tries=1)
        allotted = []
        for one in waiting:
            with contextlib.suppress(Exception):
                allotted.append(one.met()[1])
        self.assertGreater(len(allotted), MEETINGS // 2)
        each = (self.resident() - before) / len(allotted)
        print(f"{len(allotted)} meetings wait: {each:,.0f} bytes resident each ", end="", flush=True)
        # An honest pair, while others guess numbers, join and say nothing, and send half a frame.
        guesses = self.come(range(MEETINGS), Meeting.JOIN, selector=1)
        halves = []
        for number, selector in enumerate(allotted[:MEETINGS // 4]):
            halves.append(Meeting(self.server.address, Meeting.JOIN, selector=selector, source=f"127.9.{number // 256}.{number % 256}"))
        slow = [socket.create_connection(("127.0.0.1", int(self.server.address.rsplit(":", 1)[1]))) for _ in range(20)]
        for one in slow:
            one.sendall(Meeting.frame(Meeting.CREATE, 1)[:9])
        content = data(1_000_000)
        sender = self.send(self.put("in/a", content))
        self.ends(sender, self.receive(sender.code_shown))
        self.assertEqual(self.read("out/a"), content)
        # Over the bound nobody waits, and it is said.
        late = self.come(range(MEETINGS, 2 * MEETINGS), Meeting.CREATE, tries=1)
        refused = 0
        for one in late:
            try:
                one.met()
            except wire.Alert:
                refused += 1
        self.assertGreater(refused, 0)
        for one in (*warm, *waiting, *guesses, *halves, *late):
            one.hang_up()
        for one in slow:
            one.close()


if __name__ == "__main__":
    try:
        far_apart.become_root_of_a_user_namespace()
        far_apart.call("unshare", far_apart.CLONE_NEWNET)
        ip("link", "set", "lo", "up")
        ip("link", "add", "try0", "type", "bridge")
        ip("link", "delete", "try0")
        ip("link", "add", "try0", "type", "veth", "peer", "name", "try1")
        ip("link", "delete", "try0")
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"skipped: no bridge or veth can be had here: {error}")
        sys.exit(CANNOT_RUN)
    unittest.main(verbosity=2)
