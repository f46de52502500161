"""`--lan` by DNS-SD: two network namespaces, in each a bus and Avahi's daemon; the datagrams of our own are lost on the way,
or the daemons are gone. It takes dbus-daemon, avahi-daemon and util-linux's unshare."""

import itertools
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import unittest

import far_apart
from far_apart import checksum
from harness import AUTH_FAILED, OK
from send_lan_test import PORT
from sending import Transfers, answer_as_an_impostor, data

CANNOT_RUN = 77
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
HOST_NAME = "violet-workstation"
MDNS, MDNS_PORT, FOREVER = "224.0.0.251", 5353, 120
PTR, A, SRV, IN, FLUSH = 12, 1, 33, 1, 0x8000

BUS = """<busconfig><type>system</type><listen>unix:path={socket}</listen><auth>EXTERNAL</auth>
<policy context="default"><allow own="*"/><allow send_destination="*"/><allow receive_sender="*"/><allow user="*"/></policy></busconfig>"""
AVAHI = f"""[server]
host-name={HOST_NAME}
allow-interfaces=far0
allow-point-to-point=yes
use-ipv6=no
[publish]
publish-addresses=no
publish-hinfo=no
publish-workstation=no
[rlimits]
"""


def udp_of(packet):
    """(destination port, payload) of an IPv4 or IPv6 packet that is UDP, else None."""
    if packet[0] >> 4 == 4 and packet[9] == socket.IPPROTO_UDP:
        udp = packet[4 * (packet[0] & 15):]
    elif packet[0] >> 4 == 6 and packet[6] == socket.IPPROTO_UDP:
        udp = packet[40:]
    else:
        return None
    return struct.unpack_from(">H", udp, 2)[0], udp[8:]


def name_on_the_wire(name):
    return b"".join(bytes([len(label)]) + label for label in name.encode().split(b".")) + b"\0"


def record(name, kind, content, flags=IN):
    return name_on_the_wire(name) + struct.pack(">HHIH", kind, flags, FOREVER, len(content)) + content


def found(name, host, port):
    """What says in mDNS that a service `name` is at `host`."""
    service, target = f"{name}._pake._tcp.local", f"{name}.local"
    return struct.pack(">HHHHHH", 0, 0x8400, 0, 3, 0, 0) + \
        record("_pake._tcp.local", PTR, name_on_the_wire(service)) + \
        record(service, SRV, struct.pack(">HHH", 0, 0, port) + name_on_the_wire(target), IN | FLUSH) + \
        record(target, A, socket.inet_aton(host), IN | FLUSH)


def datagram(source, payload):
    """As it comes from the link to the group of mDNS."""
    udp = struct.pack(">HHHH", MDNS_PORT, MDNS_PORT, 8 + len(payload), 0) + payload
    ip = struct.pack(">BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 0, 0, 255, socket.IPPROTO_UDP, 0, socket.inet_aton(source), socket.inet_aton(MDNS))
    return ip[:10] + checksum(ip) + ip[12:] + udp


class DnsSd(Transfers):
    def setUp(self):
        super().setUp()
        self.here, self.there, self.link = WORLD
        self.packets, self.is_lost = [], True
        self.link.change = self.change
        self.daemons = {}
        for name, namespace in (("here", self.here), ("there", self.there)):
            bus = self.path(f"{name}.bus")
            with namespace.inside():
                self.start("--nofork", "--nopidfile", "--config-file", self.path(f"{name}.conf", BUS.format(socket=bus)), "--print-address",
                           program="dbus-daemon").wait_for("unix:")
                self.daemons[name] = self.start("--mount", "sh", "-c", "mount -t tmpfs none /run && mkdir /run/avahi-daemon && exec avahi-daemon "
                                                "--no-drop-root --no-chroot --no-rlimits --file \"$0\"", self.path("avahi.conf", AVAHI),
                                                program="unshare", env={"PATH": SBIN, "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={bus}"})
            self.daemons[name].wait_for("Server startup complete", "err")

    def change(self, source, packet):
        udp = udp_of(packet)
        if udp is not None and udp[0] == PORT and self.is_lost:
            return None
        self.packets.append(packet)
        return packet

    def env(self, name):
        return {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.path(f'{name}.bus')}"}

    def sends(self, path):
        with self.here.inside():
            return self.shown(self.start("send", "--lan", path, env=self.env("here")))

    def receives(self, code, *args):
        with self.there.inside():
            return self.start("receive", "--lan", "--out", self.path("out"), "--yes", "--deadline", "60", *args,
                              env=self.env("there") | {"PAKE_CODE": code})

    def heard(self, words):
        return [udp[1] for udp in map(udp_of, list(self.packets)) if udp is not None and words in udp[1]]

    def test_the_sender_is_found_and_no_host_is_named(self):
        sender = self.sends(self.put("in/secret-name", data(3_000)))
        self.assert_ends(sender, self.receives(sender.code_shown), (OK, OK))
        self.assertEqual(self.read("out/secret-name"), data(3_000))
        number, *words = sender.code_shown.split("-")
        said = self.heard(f"{number}-".encode())
        self.assertTrue(said)
        self.assertTrue(any(b"\x05_pake\x04_tcp" in payload for payload in said))
        everything = b"".join(self.packets)
        for secret in (HOST_NAME, "secret-name", "-".join(words), *words[:2]):
            self.assertFalse(secret.encode() in everything, secret)

    def test_what_was_announced_is_withdrawn(self):
        sender = self.sends(self.put("in/a"))
        receiver = self.receives(sender.code_shown)
        self.assert_ends(sender, receiver, (OK, OK))
        # A record of no lifetime: mDNS's goodbye.
        name = f"{sender.code_shown.split('-')[0]}-".encode()
        for _ in range(100):
            if any(struct.pack(">HHI", PTR, IN, 0) in payload for payload in self.heard(name)):
                return
            threading.Event().wait(0.1)
        self.fail("no goodbye")

    def test_a_daemon_that_dies_or_stops_takes_nothing_along(self):
        self.is_lost = False
        sender = self.sends(self.put("in/a", b"abc"))
        self.daemons["here"].process.kill()
        self.daemons["there"].process.send_signal(signal.SIGSTOP)
        self.addCleanup(self.daemons["there"].process.send_signal, signal.SIGCONT)
        self.assert_ends(sender, self.receives(sender.code_shown), (OK, OK))
        self.assertEqual(self.read("out/a"), b"abc")

    def test_what_the_network_writes_is_not_believed(self):
        over, answered = threading.Event(), []
        self.addCleanup(over.set)

        def listener(host, port=0):
            with self.here.inside():
                made = socket.create_server((host, port))
            self.addCleanup(made.close)
            return made

        impostors = [listener(self.here.address) for _ in range(5)]
        for impostor in impostors:
            threading.Thread(target=answer_as_an_impostor, args=(impostor, answered), daemon=True).start()
        avoided = listener(self.here.address, 1023)
        lies = [found("7-low", self.here.address, 1023), found("7-far", "203.0.113.7", 8088), found("7-group", MDNS, 8088),
                found("77-other", self.here.address, 1024), found("7", self.here.address, 1024), found("7-" + "x" * 61, self.here.address, 0)]
        answering = [found(f"7-{i:016x}", self.here.address, impostor.getsockname()[1]) for i, impostor in enumerate(impostors)]

        def announce():
            for turn in itertools.count():
                for lie in lies + answering * (turn > 3):
                    os.write(self.there.tun, datagram("10.99.0.9", lie))
                if over.wait(0.5):
                    return
        threading.Thread(target=announce, daemon=True).start()
        receiver = self.receives("7-copper-copper-11")
        self.assertEqual(receiver.wait(), AUTH_FAILED, receiver.err)
        self.assertEqual([answered.count(impostor) for impostor in set(answered)], [1, 1, 1])
        error = [line for line in receiver.err.splitlines() if line.startswith("error: ")][0]
        for impostor in answered:
            self.assertIn("%s:%d" % impostor, error)
        avoided.settimeout(0)
        self.assertRaises(BlockingIOError, avoided.accept)
        self.assertNotIn("203.0.113.7", receiver.err)
        self.assertFalse(any(packet[16:20] == socket.inet_aton("203.0.113.7") for packet in self.packets))


if __name__ == "__main__":
    for needed in ("dbus-daemon", "avahi-daemon", "unshare"):
        if shutil.which(needed, path=SBIN) is None:
            print(f"skipped: there is no {needed} here")
            sys.exit(CANNOT_RUN)
    try:
        WORLD = far_apart.connect_two(0)
        subprocess.run(["unshare", "--mount", "mount", "-t", "tmpfs", "none", "/run"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        print(f"skipped: two network namespaces, or a mount in one of one's own, cannot be had here: {error}")
        sys.exit(CANNOT_RUN)
    unittest.main(verbosity=2)
