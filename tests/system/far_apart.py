"""Two network namespaces with a slow link between them, for programs that are far apart. Python's standard library alone.

The link is a TUN device in each namespace and this process between them: it takes whole packets, keeps a note of each, and
hands them on after a delay. So it needs neither the kernel's netem nor iproute2, and whoever asks sees every packet.
"""

import contextlib
import ctypes
import fcntl
import os
import queue
import socket
import struct
import threading
import time
from collections import namedtuple

CLONE_NEWUSER, CLONE_NEWNET = 0x10000000, 0x40000000
TUNSETIFF, IFF_TUN_NO_PI = 0x400454CA, 0x1001
SIOCSIFFLAGS, SIOCSIFADDR, SIOCSIFNETMASK, IFF_UP_RUNNING = 0x8914, 0x8916, 0x891C, 0x41
IFF_MULTICAST = 0x1000
LARGEST_PACKET = 65536

libc = ctypes.CDLL(None, use_errno=True)


def call(function, *args):
    if getattr(libc, function)(*args) != 0:
        raise OSError(ctypes.get_errno(), f"{function}: {os.strerror(ctypes.get_errno())}")


def this_network():
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY)


class Namespace:
    """A network of its own with one interface; what is sent there can be read from `tun`."""

    def __init__(self, address):
        self.address, self._home = address, this_network()
        call("unshare", CLONE_NEWNET)
        try:
            self._own = this_network()
            self.tun = os.open("/dev/net/tun", os.O_RDWR | os.O_CLOEXEC)
            fcntl.ioctl(self.tun, TUNSETIFF, struct.pack("16sH22x", b"far0", IFF_TUN_NO_PI))
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
                for request, value in ((SIOCSIFADDR, address), (SIOCSIFNETMASK, "255.255.255.0")):
                    fcntl.ioctl(control, request, struct.pack("16sHH4s16x", b"far0", socket.AF_INET, 0, socket.inet_aton(value)))
                for interface, flags in ((b"far0", IFF_MULTICAST), (b"lo", 0)):  # what one sends to oneself passes by lo
                    fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack("16sH22x", interface, IFF_UP_RUNNING | flags))
        finally:
            call("setns", self._home, CLONE_NEWNET)

    @contextlib.contextmanager
    def inside(self):
        """What this thread starts meanwhile lives there."""
        call("setns", self._own, CLONE_NEWNET)
        try:
            yield
        finally:
            call("setns", self._home, CLONE_NEWNET)


# Of TCP: the namespace it left and when, is it a SYN, its bytes, the ports of its connection.
Segment = namedtuple("Segment", "source left syn payload flow")


class Link:
    """Carries packets between two namespaces; each takes `delay` seconds. `change(source, packet)` says what is carried
    instead of a packet; None: nothing is."""

    def __init__(self, here, there, delay):
        self.delay, self.segments, self.change = delay, [], lambda source, packet: packet
        for source, target in ((here, there), (there, here)):
            on_the_way = queue.SimpleQueue()
            threading.Thread(target=self._take, args=(source, on_the_way), daemon=True).start()
            threading.Thread(target=self._hand_on, args=(on_the_way, target), daemon=True).start()

    def _take(self, source, on_the_way):
        sent = set()
        while True:
            packet = self.change(source, os.read(source.tun, LARGEST_PACKET))
            now = time.monotonic()
            if packet is None:
                continue
            on_the_way.put((now + self.delay, packet))
            if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
                continue
            tcp = packet[4 * (packet[0] & 15):int.from_bytes(packet[2:4], "big")]
            number, payload = tcp[4:8], tcp[4 * (tcp[12] >> 4):]
            if not payload or number not in sent:  # on a busy machine some are sent again
                self.segments.append(Segment(source, now, bool(tcp[13] & 2), payload, frozenset((tcp[:2], tcp[2:4]))))
            if payload:
                sent.add(number)

    @staticmethod
    def _hand_on(on_the_way, target):
        while True:
            due, packet = on_the_way.get()
            time.sleep(max(0, due - time.monotonic()))
            os.write(target.tun, packet)


def tcp_of(packet):
    """(source port, destination port, flags, payload's size) of an IPv4 packet that is TCP, else None."""
    if packet[0] >> 4 != 4 or packet[9] != socket.IPPROTO_TCP:
        return None
    tcp = packet[4 * (packet[0] & 15):int.from_bytes(packet[2:4], "big")]
    return (*struct.unpack_from(">HH", tcp), tcp[13], len(tcp) - 4 * (tcp[12] >> 4))


def checksum(data):
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (~total & 0xFFFF).to_bytes(2, "big")


def broken_off(packet):
    """Of a segment with an acknowledgement: RST for who would receive it, and RST for who has sent it."""
    source, target = packet[12:16], packet[16:20]
    tcp = packet[4 * (packet[0] & 15):][:20]
    return _rst(source, target, tcp[:12]), _rst(target, source, tcp[2:4] + tcp[:2] + tcp[8:12] + tcp[4:8])


def _rst(source, target, ports_and_numbers):
    tcp = ports_and_numbers + bytes([5 << 4, 0x14, 0, 0, 0, 0, 0, 0])
    tcp = tcp[:16] + checksum(source + target + bytes([0, socket.IPPROTO_TCP, 0, len(tcp)]) + tcp) + tcp[18:]
    ip = bytes([0x45, 0, 0, 20 + len(tcp), 0, 0, 0x40, 0, 64, socket.IPPROTO_TCP, 0, 0]) + source + target
    return ip[:10] + checksum(ip) + ip[12:] + tcp


def become_root_of_a_user_namespace():
    """Where this is not root already. Before any thread is started."""
    user, group = os.getuid(), os.getgid()
    if user == 0:
        return
    call("unshare", CLONE_NEWUSER | CLONE_NEWNET)  # a network too, to come back to from the others
    for name, content in (("setgroups", "deny"), ("uid_map", f"0 {user} 1"), ("gid_map", f"0 {group} 1")):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(content)


def connect_two(delay):
    """Two namespaces and the link between them; OSError where this machine does not permit it."""
    become_root_of_a_user_namespace()
    here, there = Namespace("10.99.0.1"), Namespace("10.99.0.2")
    return here, there, Link(here, there, delay)
