"""Connections that say nothing, thousands of them, as a stranger makes them."""

import collections
import resource
import socket
import threading
import time

from harness import tcp

IP_BIND_ADDRESS_NO_PORT = 24  # a source address without a port of its own: there are 28,000 ports only


def raise_file_limit():
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)


class Flood:
    """Silent connections from one source: `held` at the beginning, and so many new ones a second until the end."""

    def __init__(self, address, held, a_second, source="127.0.0.2"):
        self._address, self._a_second, self._source = tcp(address), a_second, source
        self._connections, self._is_over = collections.deque(maxlen=held + 5000), threading.Event()
        for _ in range(held):
            self._connect()
        self._thread = threading.Thread(target=self._go_on)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._is_over.set()
        self._thread.join()
        for connection in self._connections:
            connection.close()

    def _connect(self):
        connection = socket.socket()
        connection.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        connection.bind((self._source, 0))
        connection.setblocking(False)
        connection.connect_ex(self._address)
        self._connections.append(connection)

    def _go_on(self):
        began, made = time.monotonic(), 0
        while not self._is_over.wait(0.01):
            while made < (time.monotonic() - began) * self._a_second:
                self._connect()
                made += 1
