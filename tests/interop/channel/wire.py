"""The channel of docs/wire.md: handshake, records and streams over a blocking socket. Written from that page alone."""

import secrets
import threading

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305

import pakes
from pakes import AuthenticationFailed, expand, extract, lp2, sha512

CLIENT_HELLO, RETRY, SERVER_HELLO, CLIENT_FINISH, ALERT, DATA, CLOSE = 1, 2, 3, 4, 5, 0x10, 0x11
LOGIN, CODE = 1, 2
OPAQUE_RISTRETTO255, CPACE_RISTRETTO255 = 0x01, 0x11
AES_256_GCM, CHACHA20_POLY1305 = 1, 2
MAX_HELLO, MAX_PLAINTEXT, RATCHET_AFTER = 8192, 32768, 2**20
OPEN, STREAM_DATA, FIN, RESET, WINDOW, PING, PONG, TICKET = range(1, 9)
OWN_CREDIT = 16384


class ProtocolError(Exception):
    pass


class Alert(Exception):
    def __init__(self, body):
        self.code, self.retry_after = body[0], int.from_bytes(body[1:], "big")
        super().__init__(f"alert {self.code}")


class Truncated(Exception):
    pass


def lp1(data):
    return bytes([len(data)]) + data


def frame(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        if self.at + size > len(self.data):
            raise ProtocolError("short message")
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "big")

    def finish(self):
        if self.at != len(self.data):
            raise ProtocolError("bytes after the message")


def read_exactly(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise Truncated()
        data += more
    return data


def read_frame(connection, expected, most):
    header = read_exactly(connection, 4)
    kind, size = header[0], int.from_bytes(header[1:], "big")
    if kind == ALERT and size == 5:
        raise Alert(read_exactly(connection, 5))
    if kind not in expected or size > most:
        raise ProtocolError(f"frame of type {kind}, {size} bytes")
    return header + read_exactly(connection, size)


def skip_extensions(reader):
    extensions = Reader(reader.take(reader.number(2)))
    last = -1
    while extensions.at < len(extensions.data):
        kind = extensions.number(2)
        extensions.take(extensions.number(2))
        if kind <= last or kind & 0x8000:
            raise ProtocolError(f"extension {kind:04x}")
        last = kind


class Keys:
    """Section 6."""

    def __init__(self, h2, pake_key, aead):
        prk = extract(h2, pake_key)
        self.aead = aead
        self.client, self.server, self.exporter, self.resumption = (
            expand(prk, b"pake/1 " + label, size)
            for label, size in ((b"client traffic", 44), (b"server traffic", 44), (b"exporter", 64), (b"resumption", 64)))


class Direction:
    """Section 8: one direction's key, IV and sequence number."""

    def __init__(self, traffic, aead):
        self.traffic, self.aead, self.sequence = traffic, aead, 0

    def next(self):
        if self.sequence and self.sequence % RATCHET_AFTER == 0:
            self.traffic = expand(extract(b"", self.traffic), b"pake/1 ratchet", 44)
        key, iv = self.traffic[:32], int.from_bytes(self.traffic[32:], "big")
        nonce = (iv ^ self.sequence).to_bytes(12, "big")
        self.sequence += 1
        return (AESGCM if self.aead == AES_256_GCM else ChaCha20Poly1305)(key), nonce

    def seal(self, kind, plaintext):
        cipher, nonce = self.next()
        header = bytes([kind]) + (len(plaintext) + 16).to_bytes(3, "big")
        return header + cipher.encrypt(nonce, plaintext, header)

    def open(self, record):
        cipher, nonce = self.next()
        try:
            return cipher.decrypt(nonce, record[4:], record[:4])
        except InvalidTag:
            raise ProtocolError("a record does not open") from None


def client_handshake(connection, kind, aeads, name, secret, ksf_accepted=(2, 4), server_name=b""):
    """Keys, and the ClientFinish frame that the caller sends with its first record behind it."""
    random = secrets.token_bytes(32)
    if kind == LOGIN:
        suite, pake = OPAQUE_RISTRETTO255, pakes.OpaqueClient(name, secret)
        message = pake.ke1
    else:
        ci = pakes.lv_cat(b"pake/1", bytes([kind]), server_name, name)
        suite, pake = CPACE_RISTRETTO255, pakes.CPace(secret, ci, random)
        message = pake.share
    head = b"pake\1" + bytes([kind]) + random + lp1(bytes(aeads)) + lp1(bytes([suite])) + lp1(server_name) + lp1(name) + lp2(b"")
    hello = frame(CLIENT_HELLO, head + lp2(message))
    connection.sendall(hello)

    answer = read_frame(connection, (SERVER_HELLO,), MAX_HELLO)
    reader = Reader(answer[4:])
    version, chosen, aead, ksf = reader.take(4)
    skip_extensions(reader)
    reply = reader.take(reader.number(2))
    reader.finish()
    if version != 1 or chosen != suite or aead not in aeads:
        raise ProtocolError("the server chose what was not offered")
    if len(reply) != (320 if kind == LOGIN else 96) or ksf not in (ksf_accepted if kind == LOGIN else (0,)):
        raise ProtocolError("KSF profile or size")
    h0 = sha512(hello[:-len(message)])
    h1 = sha512(hello, answer[:-len(reply)])
    try:
        if kind == LOGIN:
            finish, key = pake.ke3(reply, b"pake/1" + h1, ksf)
        else:
            finish, tag, key = pake.finish(reply[:32], h0, h1, True)
            pakes.verify(tag, reply[32:])
    except AuthenticationFailed:
        connection.sendall(frame(ALERT, b"\1" + bytes(4)))
        raise
    finish = frame(CLIENT_FINISH, finish)
    return Keys(sha512(hello, answer, finish), key, aead), finish


def server_handshake(connection, kind, aeads, opaque_server, code, server_name=b""):
    """Keys; the peer has proved itself."""
    hello = read_frame(connection, (CLIENT_HELLO,), MAX_HELLO)
    reader = Reader(hello[4:])
    if reader.take(5) != b"pake\1" or reader.number(1) != kind:
        raise ProtocolError("magic, version or kind")
    random = reader.take(32)
    offered_aeads, suites, named, name = (reader.take(reader.number(1)) for _ in range(4))
    skip_extensions(reader)
    message = reader.take(reader.number(2))
    reader.finish()
    suite = OPAQUE_RISTRETTO255 if kind == LOGIN else CPACE_RISTRETTO255
    if named != server_name or not suites or suites[0] != suite or CHACHA20_POLY1305 not in offered_aeads:
        raise ProtocolError("names, suites or AEADs")
    aead = AES_256_GCM if AES_256_GCM in offered_aeads and AES_256_GCM in aeads else CHACHA20_POLY1305

    ksf, size = (opaque_server.profile, 320) if kind == LOGIN else (0, 96)
    body = bytes([1, suite, aead, ksf]) + lp2(b"") + size.to_bytes(2, "big")
    start = bytes([SERVER_HELLO]) + (len(body) + size).to_bytes(3, "big") + body
    h0, h1 = sha512(hello[:-len(message)]), sha512(hello, start)
    if kind == LOGIN:
        reply, expected, key = opaque_server.ke2(name, message, b"pake/1" + h1)
    else:
        side = pakes.CPace(code, pakes.lv_cat(b"pake/1", bytes([kind]), named, name), random)
        expected, tag, key = side.finish(message, h0, h1, False)
        reply = side.share + tag
    answer = start + reply
    connection.sendall(answer)
    finish = read_frame(connection, (CLIENT_FINISH,), 64)
    try:
        pakes.verify(expected, finish[4:])
    except AuthenticationFailed:
        connection.sendall(frame(ALERT, b"\1" + bytes(4)))
        raise
    return Keys(sha512(hello, answer, finish), key, aead)


class Pipe:
    """A channel with stream 1 as a two-way pipe. One thread reads the socket, any other may write."""

    def __init__(self, connection, keys, is_client, ahead=b""):
        mine, theirs = (keys.client, keys.server) if is_client else (keys.server, keys.client)
        self.connection, self.ahead = connection, ahead
        self.sealer, self.opener = Direction(mine, keys.aead), Direction(theirs, keys.aead)
        self.credit, self.granted, self.is_client = OWN_CREDIT, OWN_CREDIT, is_client
        self.opened = is_client
        self.fin_sent = self.fin_read = self.close_sent = self.failed = False
        self.changed = threading.Condition()
        if is_client:
            self.send_frames((OPEN, 1, lp1(b"pipe")))

    def send_record(self, kind, plaintext):
        with self.changed:
            if not self.close_sent:
                self.connection.sendall(self.ahead + self.sealer.seal(kind, plaintext))
                self.ahead, self.close_sent = b"", kind == CLOSE

    def send_frames(self, *frames):
        self.send_record(DATA, b"".join(
            bytes([kind]) + len(payload).to_bytes(3, "big") + stream.to_bytes(4, "big") + payload
            for kind, stream, payload in frames))

    def write(self, data):
        while data:
            with self.changed:
                self.changed.wait_for(lambda: self.failed or self.opened and self.credit)
                if self.failed:
                    return
                part = data[:min(self.credit, MAX_PLAINTEXT - 8)]
                self.credit -= len(part)
                self.send_frames((STREAM_DATA, 1, part))
            data = data[len(part):]

    def finish_writing(self):
        with self.changed:
            self.changed.wait_for(lambda: self.failed or self.opened)
            if self.failed:
                return
            self.send_frames((FIN, 1, b""))
            self.fin_sent = True
        self.close_when_done()

    def close_when_done(self):
        if self.fin_sent and self.fin_read:
            self.send_record(CLOSE, b"\0")

    def read_all(self, output):
        """Writes what arrives to `output` until the peer's Close; the Close must follow both FINs."""
        try:
            while True:
                record = read_frame(self.connection, (DATA, CLOSE), MAX_PLAINTEXT + 16)
                plaintext = self.opener.open(record)
                if record[0] == CLOSE:
                    if plaintext != b"\0" or not self.fin_read:
                        raise ProtocolError(f"closed with {plaintext.hex()}")
                    self.finish_closing()
                    return
                reader = Reader(plaintext)
                while reader.at < len(plaintext):
                    kind, size, stream = reader.number(1), reader.number(3), reader.number(4)
                    self.on_frame(kind, stream, reader.take(size), output)
        finally:
            with self.changed:
                self.failed = not self.close_sent
                self.changed.notify_all()

    def finish_closing(self):
        with self.changed:
            if not self.fin_sent:
                raise ProtocolError("closed before our half")
        self.send_record(CLOSE, b"\0")

    def on_frame(self, kind, stream, payload, output):
        if kind == OPEN and stream == 1 and not self.opened and payload[:5] == lp1(b"pipe"):
            with self.changed:
                self.opened = True
                self.changed.notify_all()
        elif kind == STREAM_DATA and stream == 1 and self.opened and not self.fin_read and 0 < len(payload) <= self.granted:
            output.write(payload)
            output.flush()
            self.send_frames((WINDOW, 1, len(payload).to_bytes(4, "big")))
        elif kind == FIN and stream == 1 and self.opened and not self.fin_read and not payload:
            self.fin_read = True
            self.close_when_done()
        elif kind == WINDOW and stream == 1 and self.opened and len(payload) == 4 and any(payload):
            with self.changed:
                self.credit += int.from_bytes(payload, "big")
                self.changed.notify_all()
        elif kind == PING and stream == 0 and len(payload) == 8:
            self.send_frames((PONG, 0, payload))
        elif kind in (PONG, TICKET) and stream == 0:
            pass
        else:
            raise ProtocolError(f"stream frame of type {kind} for {stream}, {len(payload)} bytes")
