"""The channel of docs/wire.md: handshake, records and streams over a blocking socket. Written from that page alone."""

import collections
import secrets
import threading
import time

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

import pakes
from pakes import AuthenticationFailed, expand, extract, lp2, mac, sha512, verify

VERSION = 2
CLIENT_HELLO, RETRY, SERVER_HELLO, CLIENT_FINISH, ALERT, MEET, MET, DATA, CLOSE = 1, 2, 3, 4, 5, 6, 7, 0x10, 0x11
LOGIN, CODE, RESUME = 1, 2, 3
OPAQUE_RISTRETTO255, OPAQUE_P256, CPACE_RISTRETTO255, X25519 = 0x01, 0x02, 0x11, 0x21
REFUSED, THROTTLED, UNAVAILABLE, UNKNOWN_SERVER, UNSUPPORTED, MALFORMED = range(1, 7)  # Alerts
AES_256_GCM, CHACHA20_POLY1305 = 1, 2
KNOWN_DEVICE, NO_DEVICE_PLACE = 0x0001, 0x0002  # extensions
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


def read_extensions(reader):
    """Their contents by type."""
    extensions, found = Reader(reader.take(reader.number(2))), {}
    while extensions.at < len(extensions.data):
        kind = extensions.number(2)
        if kind <= max(found, default=-1) or kind & 0x8000:
            raise ProtocolError(f"extension {kind:04x}")
        found[kind] = extensions.take(extensions.number(2))
    return found


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


# --- The handshake. `before` is what the transcript holds in front of a hello: the first one and the Retry, or nothing.


def x25519_pair():
    private = X25519PrivateKey.generate()
    return private, private.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def x25519(private, share):
    try:
        return private.exchange(X25519PublicKey.from_public_bytes(share))
    except ValueError:
        raise ProtocolError("a share of low order") from None


class ByPassword:
    """The client's part in a login: what goes into the hello, and what its answer is worth."""

    kind, suites = LOGIN, (OPAQUE_RISTRETTO255, OPAQUE_P256)

    def __init__(self, name, password, ksf_accepted=(2, 4), device=None):
        self.name, self.password, self.ksf_accepted, self.device = name, password, ksf_accepted, device

    def message_sizes(self, suite):
        return pakes.OPAQUE_SUITES[suite].KE1, pakes.OPAQUE_SUITES[suite].KE2

    def message(self, suite, hello):
        self.client = pakes.OpaqueClient(pakes.OPAQUE_SUITES[suite], self.name, self.password)
        return self.client.ke1

    def finish(self, reply, ksf, before, hello, answer):
        return self.client.ke3(reply, b"pake/1" + sha512(before, hello, answer[:-len(reply)]), ksf)


class ByCode:
    kind, suites, name, ksf_accepted = CODE, (CPACE_RISTRETTO255,), b"", (0,)

    def __init__(self, code):
        self.code = code

    def message_sizes(self, suite):
        return 32, 96

    def message(self, suite, hello):
        ci = pakes.lv_cat(b"pake/1", bytes([CODE]), hello.server_name, hello.name)
        self.pake = pakes.CPace(self.code, ci, hello.random)
        return self.pake.share

    def finish(self, reply, ksf, before, hello, answer):
        h0, h1 = sha512(before, hello[:-32]), sha512(before, hello, answer[:-96])
        finish, tag, key = self.pake.finish(reply[:32], h0, h1, True)
        verify(tag, reply[32:])
        return finish, key


class ByTicket:
    """Section 7."""

    kind, suites, name, ksf_accepted = RESUME, (X25519,), b"", (0,)

    def __init__(self, ticket, secret):
        self.ticket, self.secret = ticket, secret

    def message_sizes(self, suite):
        return 2 + len(self.ticket) + 32 + 64, 96

    def message(self, suite, hello):
        self.private, share = x25519_pair()
        start = lp2(self.ticket) + share
        return start + binder(self.secret, hello.before, hello.head + start)

    def finish(self, reply, ksf, before, hello, answer):
        proofs = Proofs(self.secret, x25519(self.private, reply[:32]))
        verify(proofs.server(before, hello, answer[:-64]), reply[32:])
        return proofs.client(before, hello, answer), proofs.key


def binder(ticket_secret, before, hello_up_to_binder):
    return mac(expand(ticket_secret, b"pake/1 binder", 64), sha512(before, hello_up_to_binder))


class Device:
    """Section 7.1: a ticket that a login by password shows. `when` is the hello's time: now, unless given."""

    def __init__(self, ticket, secret, when=None):
        self.ticket, self.secret, self.when = ticket, secret, int(time.time()) if when is None else when

    def extension(self):
        """Its binder is zeros: the last 64 bytes."""
        return KNOWN_DEVICE.to_bytes(2, "big") + lp2(lp2(self.ticket) + self.when.to_bytes(8, "big") + bytes(64))

    def bind(self, before, hello, at):
        """The hello with the binder in its place, at `at`."""
        return hello[:at] + device_binder(self.secret, before, hello) + hello[at + 64:]


def device_binder(ticket_secret, before, hello_without_binder):
    return mac(expand(ticket_secret, b"pake/1 device binder", 64), sha512(before, hello_without_binder))


class Proofs:
    def __init__(self, ticket_secret, shared):
        self.ke = extract(ticket_secret, shared)
        self.key = expand(self.ke, b"pake/1 resumed", 64)

    def server(self, *transcript):
        return mac(expand(self.ke, b"pake/1 server proof", 64), sha512(*transcript))

    def client(self, *transcript):
        return mac(expand(self.ke, b"pake/1 client proof", 64), sha512(*transcript))


# A ClientHello's fields; `head` is the frame up to its PAKE bytes, which are `message`.
Hello = collections.namedtuple("Hello", "kind random aeads suites server_name name before head message extensions", defaults=({},))


def make_hello(client, random, aeads, suites, server_name, before):
    """The whole frame of a client's part."""
    size = client.message_sizes(suites[0])[0]
    device = getattr(client, "device", None)
    body = (b"pake\2" + bytes([client.kind]) + random + lp1(bytes(aeads)) + lp1(bytes(suites)) + lp1(server_name) +
            lp1(client.name) + lp2(device.extension() if device else getattr(client, "extensions", b"")) + size.to_bytes(2, "big"))
    head = bytes([CLIENT_HELLO]) + (len(body) + size).to_bytes(3, "big") + body
    hello = Hello(client.kind, random, bytes(aeads), bytes(suites), server_name, client.name, before, head, b"")
    whole = head + client.message(suites[0], hello)
    return device.bind(before, whole, len(head) - 2 - 64) if device else whole


def client_handshake(connection, client, aeads, server_name=b"", suites=None):
    """Keys, and the ClientFinish frame that the caller sends with its first record behind it."""
    random, suites, before = secrets.token_bytes(32), list(suites or client.suites), b""
    hello = make_hello(client, random, aeads, suites, server_name, before)
    connection.sendall(hello)
    answer = read_frame(connection, (RETRY, SERVER_HELLO), MAX_HELLO)
    if answer[0] == RETRY:
        if len(answer) != 6 or answer[4] != VERSION or answer[5] not in suites[1:]:
            raise ProtocolError("Retry")
        suites.sort(key=lambda suite: suite != answer[5])  # stable: the others keep their order
        before = hello + answer
        hello = make_hello(client, random, aeads, suites, server_name, before)
        connection.sendall(hello)
        answer = read_frame(connection, (SERVER_HELLO,), MAX_HELLO)

    reader = Reader(answer[4:])
    version, chosen, aead, ksf = reader.take(4)
    read_extensions(reader)
    reply = reader.take(reader.number(2))
    reader.finish()
    if version != VERSION or chosen != suites[0] or aead not in aeads:
        raise ProtocolError("the server chose what was not offered")
    if len(reply) != client.message_sizes(chosen)[1] or ksf not in client.ksf_accepted:
        raise ProtocolError("KSF profile or size")
    try:
        finish, key = client.finish(reply, ksf, before, hello, answer)
    except AuthenticationFailed:
        connection.sendall(alert(REFUSED))
        raise
    finish = frame(CLIENT_FINISH, finish)
    return Keys(sha512(before, hello, answer, finish), key, aead), finish


def alert(code):
    return frame(ALERT, bytes([code]) + bytes(4))


class Refusal(Exception):
    """What a server answers instead of its hello: an Alert's code."""


def read_hello(connection, before):
    data = read_frame(connection, (CLIENT_HELLO,), MAX_HELLO)
    reader = Reader(data[4:])
    if reader.take(5) != b"pake\2":
        raise ProtocolError("magic or version")
    kind, random = reader.number(1), reader.take(32)
    aeads, suites, server_name, name = (reader.take(reader.number(1)) for _ in range(4))
    extensions = read_extensions(reader)
    message = reader.take(reader.number(2))
    reader.finish()
    if CHACHA20_POLY1305 not in aeads or not suites:
        raise ProtocolError("suites or AEADs")
    return Hello(kind, random, aeads, suites, server_name, name, before, data[:-len(message)], message, extensions)


def without_binder(extensions):
    """What a second hello shall not change."""
    shown = extensions.get(KNOWN_DEVICE, b"")
    return extensions if len(shown) <= 74 else extensions | {KNOWN_DEVICE: shown[:-64]}


class LoginHost:
    """The server's part where it has users: logins, and the tickets that it has lent. The reply, the client's proof, the key."""

    def __init__(self, suite, ksf):
        self.suite_of = {LOGIN: suite, RESUME: X25519}
        self.opaque, self.tickets = pakes.OpaqueServer(pakes.OPAQUE_SUITES[suite], ksf), {}
        self.has_known_device = False  # of the last login

    def reply_size(self, suite):
        return 96 if suite == X25519 else self.opaque.suite.KE2

    def profile(self, hello):
        return self.opaque.profile if hello.kind == LOGIN else 0

    def knows_device(self, hello, whole_hello):
        """Section 7.1, as far as nobody's guesses are counted here."""
        shown = Reader(hello.extensions.get(KNOWN_DEVICE, b""))
        try:
            ticket, _, own = shown.take(shown.number(2)), shown.take(8), shown.take(64)
            shown.finish()
            server_name, secret = self.tickets[ticket]
            at = whole_hello.index(own)
            verify(device_binder(secret, hello.before, whole_hello[:at] + bytes(64) + whole_hello[at + 64:]), own)
            return hello.server_name == server_name
        except (ProtocolError, KeyError, AuthenticationFailed):
            return False

    def reply(self, hello, whole_hello, start):
        if hello.kind == LOGIN:
            self.has_known_device = self.knows_device(hello, whole_hello)
            return self.opaque.ke2(hello.name, hello.message, b"pake/1" + sha512(hello.before, whole_hello, start))
        reader = Reader(hello.message)
        ticket, share, shown = reader.take(reader.number(2)), reader.take(32), reader.take(64)
        reader.finish()
        if ticket not in self.tickets:
            raise Refusal(REFUSED)
        server_name, secret = self.tickets[ticket]
        try:
            verify(binder(secret, hello.before, whole_hello[:-64]), shown)
        except AuthenticationFailed:
            raise Refusal(REFUSED) from None
        if hello.server_name != server_name:
            raise Refusal(REFUSED)
        private, own_share = x25519_pair()
        proofs = Proofs(secret, x25519(private, share))
        reply = own_share + proofs.server(hello.before, whole_hello, start, own_share)
        return reply, proofs.client(hello.before, whole_hello, start, reply), proofs.key

    def new_ticket(self, keys, server_name):
        """Its secret stays here: the ticket is only a name for it."""
        ticket = secrets.token_bytes(40)
        self.tickets[ticket] = server_name, keys.resumption
        return ticket


class CodeHost:
    suite_of = {CODE: CPACE_RISTRETTO255}

    def __init__(self, code):
        self.code = code

    def reply_size(self, suite):
        return 96

    def profile(self, hello):
        return 0

    def reply(self, hello, whole_hello, start):
        side = pakes.CPace(self.code, pakes.lv_cat(b"pake/1", bytes([CODE]), hello.server_name, hello.name), hello.random)
        h0, h1 = sha512(hello.before, hello.head), sha512(hello.before, whole_hello, start)
        expected, tag, key = side.finish(hello.message, h0, h1, False)
        return side.share + tag, expected, key


def agree_on_suite(connection, host, server_name):
    """The hello that is answered, behind a Retry where one is needed."""
    hello = read_hello(connection, b"")
    if hello.server_name != server_name or hello.kind not in host.suite_of:
        raise Refusal(UNKNOWN_SERVER)
    wanted = host.suite_of[hello.kind]
    if hello.suites[0] == wanted:
        return hello
    if wanted not in hello.suites:
        raise Refusal(UNSUPPORTED)
    retry = frame(RETRY, bytes([VERSION, wanted]))
    connection.sendall(retry)
    second = read_hello(connection, hello.head + hello.message + retry)
    moved = bytes([wanted]) + bytes(suite for suite in hello.suites if suite != wanted)
    if without_binder(second.extensions) != without_binder(hello.extensions) or second != hello._replace(
            suites=moved, before=second.before, head=second.head, message=second.message, extensions=second.extensions):
        raise Refusal(MALFORMED)
    return second


def server_handshake(connection, host, aeads, server_name=b""):
    """Keys, and the kind; the peer has proved itself."""
    try:
        hello = agree_on_suite(connection, host, server_name)
        whole_hello, suite = hello.head + hello.message, hello.suites[0]
        aead = AES_256_GCM if AES_256_GCM in hello.aeads and AES_256_GCM in aeads else CHACHA20_POLY1305
        size = host.reply_size(suite)
        body = bytes([VERSION, suite, aead, host.profile(hello)]) + lp2(b"") + size.to_bytes(2, "big")
        start = bytes([SERVER_HELLO]) + (len(body) + size).to_bytes(3, "big") + body
        reply, expected, key = host.reply(hello, whole_hello, start)
    except Refusal as refusal:
        connection.sendall(alert(refusal.args[0]))
        raise
    answer = start + reply
    connection.sendall(answer)
    finish = read_frame(connection, (CLIENT_FINISH,), 64)
    try:
        verify(expected, finish[4:])
    except AuthenticationFailed:
        connection.sendall(alert(REFUSED))
        raise
    return Keys(sha512(hello.before, whole_hello, answer, finish), key, aead), hello.kind


class Pipe:
    """A channel with stream 1 as a two-way pipe. One thread reads the socket, any other may write."""

    def __init__(self, connection, keys, is_client, ahead=b"", service=b"pipe", argument=b""):
        mine, theirs = (keys.client, keys.server) if is_client else (keys.server, keys.client)
        self.connection, self.ahead = connection, ahead
        self.sealer, self.opener = Direction(mine, keys.aead), Direction(theirs, keys.aead)
        self.credit, self.granted, self.is_client = OWN_CREDIT, OWN_CREDIT, is_client
        self.opened, self.service, self.ticket = is_client, service, None
        self.refused = {}  # streams that the other side opened, with what they were opened by
        self.heard_all = lambda: None  # called when the peer has ended its half
        self.fin_sent = self.fin_read = self.close_sent = self.failed = False
        self.changed = threading.Condition()
        if is_client:
            self.send_frames((OPEN, 1, lp1(service) + argument))

    def lend(self, ticket, lifetime):
        self.send_frames((TICKET, 0, lifetime.to_bytes(4, "big") + ticket))

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
        if kind == OPEN and stream == 1 and not self.opened and payload == lp1(self.service):
            with self.changed:
                self.opened = True
                self.changed.notify_all()
        elif kind == STREAM_DATA and stream == 1 and self.opened and not self.fin_read and 0 < len(payload) <= self.granted:
            output.write(payload)
            output.flush()
            self.send_frames((WINDOW, 1, len(payload).to_bytes(4, "big")))
        elif kind == FIN and stream == 1 and self.opened and not self.fin_read and not payload:
            self.fin_read = True
            self.heard_all()
            self.close_when_done()
        elif kind == WINDOW and stream == 1 and self.opened and len(payload) == 4 and any(payload):
            with self.changed:
                self.credit += int.from_bytes(payload, "big")
                self.changed.notify_all()
        elif kind == PING and stream == 0 and len(payload) == 8:
            self.send_frames((PONG, 0, payload))
        elif kind == PONG and stream == 0 and len(payload) == 8:
            pass
        elif kind == OPEN and self.is_client and stream % 2 == 0:
            self.refused[stream] = payload  # nothing is served here
            self.send_frames((RESET, stream, b"\0"))
        elif stream in self.refused:
            pass
        elif kind == TICKET and stream == 0 and self.is_client and 4 < len(payload) <= 1028:
            self.ticket = payload[4:]
        else:
            raise ProtocolError(f"stream frame of type {kind} for {stream}, {len(payload)} bytes")
