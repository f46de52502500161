"""Somebody on the way between two programs, who passes everything on and writes it down."""

import contextlib
import socket
import threading

HEX_BYTES, TEXT_BYTES = 12, 26  # of each message that is printed


class Recording:
    """What passed in one connection: (to the listener?, bytes), in the order in which it came."""

    def __init__(self):
        self.chunks = []

    def both_ways(self):
        return [self.one_way(to_listener) for to_listener in (True, False)]

    def one_way(self, to_listener):
        return b"".join(data for direction, data in self.chunks if direction == to_listener)

    def count(self, words):
        """How many of the words passed as they are, in either direction."""
        return sum(any(word.encode() in passed for passed in self.both_ways()) for word in words)


class Eavesdropper:
    """Listens at `address`; each connection to it goes on to the listener, and is the newest of `recordings`."""

    def __init__(self, listener_address):
        self._listener = tcp(listener_address)
        self._server = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self._server.getsockname()[1]
        self.recordings = []
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._server.close()

    def _serve(self):
        with contextlib.suppress(OSError):  # the end of the demo
            while True:
                near, _ = self._server.accept()
                far = socket.create_connection(self._listener)
                self.recordings.append(Recording())
                for source, sink, to_listener in ((near, far, True), (far, near, False)):
                    sink.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self._pass_on, args=(source, sink, to_listener, self.recordings[-1].chunks),
                                     daemon=True).start()

    @staticmethod
    def _pass_on(source, sink, to_listener, chunks):
        with contextlib.suppress(OSError):  # a side that breaks off
            while data := source.recv(65536):
                chunks.append((to_listener, data))
                sink.sendall(data)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)


def tcp(address):
    host, port = address.rsplit(":", 1)
    return host, int(port)


def print_seen(rows):
    """Rows of (who speaks, bytes, what an eavesdropper can call them or nothing), as a hex dump of how each begins."""
    for speaker, data, *name in rows:
        begin = data[:HEX_BYTES].hex(" ") + (" .." if len(data) > HEX_BYTES else "")
        text = "".join(chr(byte) if 0x20 <= byte < 0x7f else "." for byte in data[:TEXT_BYTES])
        print(f"  {speaker:<10} {len(data):4}  {''.join(name):<{15 if name else 0}}{begin:<{3 * HEX_BYTES + 2}}  {text}")
