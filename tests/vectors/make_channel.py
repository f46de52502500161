#!/usr/bin/env python3
"""Makes channel.json, written from docs/wire.md, RFC 9807 and draft-irtf-cfrg-cpace-21 alone: it shares no line with the library.

    tests/vectors/make_channel.py > tests/vectors/channel.json

Debian's python3-cryptography, python3-argon2 and python3-pycryptodome; ristretto255 and P-256 are written out in Python.
Everything is derived from SHA-256 of a counter, so a second run prints the same bytes. Bytes are in lower-case hex.
"""

import hashlib
import hmac
import json
import pathlib
import sys

import argon2.low_level
from Cryptodome.Cipher import ChaCha20_Poly1305
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "interop" / "channel"))
import ristretto255  # noqa: E402

LOGIN, CODE, RESUME = 1, 2, 3
AES_256_GCM, CHACHA20_POLY1305 = 1, 2
KSF = {2: (65536, 3, 4), 4: (19456, 2, 1)}  # section 3.7: m in KiB, t, p


def lp1(data):
    return bytes([len(data)]) + data


def lp2(data):
    return len(data).to_bytes(2, "big") + data


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


class Hash:
    """A hash with its HMAC and HKDF."""

    def __init__(self, function):
        self.function, self.size, self.block = function, function().digest_size, function().block_size

    def __call__(self, *parts):
        return self.function(b"".join(parts)).digest()

    def mac(self, key, *parts):
        return hmac.new(key, b"".join(parts), self.function).digest()

    def extract(self, salt, ikm):
        return self.mac(salt, ikm)

    def expand(self, prk, info, length):
        out = block = b""
        while len(out) < length:
            block = self.mac(prk, block, info, bytes([len(out) // self.size + 1]))
            out += block
        return out[:length]

    def expand_message_xmd(self, message, dst, length):
        """RFC 9380, Section 5.3.1."""
        dst += bytes([len(dst)])
        b0 = self(bytes(self.block), message, length.to_bytes(2, "big"), b"\0", dst)
        out, block = b"", bytes(self.size)
        for i in range(1, -(-length // self.size) + 1):
            block = self(xor(b0, block), bytes([i]), dst)
            out += block
        return out[:length]


SHA512, SHA256 = Hash(hashlib.sha512), Hash(hashlib.sha256)


class Ristretto255:
    """Points are ristretto255.Element."""

    name, hash, order, scalar_size = b"ristretto255-SHA512", SHA512, ristretto255.ORDER, 32
    base = ristretto255.BASE
    decode = staticmethod(ristretto255.decode)

    @staticmethod
    def encode(point):
        return point.encode()

    @staticmethod
    def scalar(data):
        return int.from_bytes(data, "little")

    def hash_to_group(self, message, dst):
        return ristretto255.from_uniform(self.hash.expand_message_xmd(message, dst, 64))

    def hash_to_scalar(self, message, dst):
        return int.from_bytes(self.hash.expand_message_xmd(message, dst, 64), "little") % self.order


class P256Point:
    P = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffff
    B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b

    def __init__(self, x, y):
        self.x, self.y = x % self.P, y % self.P

    def __add__(self, other):
        if other is None:
            return self
        if self.x == other.x:
            if self.y != other.y:
                return None
            slope = (3 * self.x * self.x - 3) * pow(2 * self.y, -1, self.P)
        else:
            slope = (other.y - self.y) * pow(other.x - self.x, -1, self.P)
        x = slope * slope - self.x - other.x
        return P256Point(x, slope * (self.x - x) - self.y)

    def __rmul__(self, scalar):
        result, power = None, self
        while scalar:
            if scalar & 1:
                result = power + result
            power = power + power
            scalar >>= 1
        return result

    @classmethod
    def y_squared(cls, x):
        return (x * x * x - 3 * x + cls.B) % cls.P


class P256:
    """SEC1 compressed; RFC 9380's P256_XMD:SHA-256_SSWU_RO_."""

    name, hash, scalar_size = b"P256-SHA256", SHA256, 32
    order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
    base = P256Point(0x6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296,
                     0x4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5)

    @staticmethod
    def encode(point):
        return bytes([2 + (point.y & 1)]) + point.x.to_bytes(32, "big")

    @staticmethod
    def decode(data):
        x, square = int.from_bytes(data[1:], "big"), P256Point.y_squared(int.from_bytes(data[1:], "big"))
        y = pow(square, (P256Point.P + 1) // 4, P256Point.P)
        if data[0] not in (2, 3) or x >= P256Point.P or y * y % P256Point.P != square:
            raise ValueError("not a point of P-256")
        return P256Point(x, y if y & 1 == data[0] & 1 else -y)

    @staticmethod
    def scalar(data):
        return int.from_bytes(data, "big")

    @staticmethod
    def map_to_curve(u):
        """Simplified SWU with Z = -10 and A = -3."""
        p, z = P256Point.P, -10
        t = (z * z * pow(u, 4, p) + z * u * u) % p
        x = -P256Point.B * pow(-3, -1, p) * (1 + pow(t, -1, p)) % p if t else P256Point.B * pow(-3 * z, -1, p) % p
        y = pow(P256Point.y_squared(x), (p + 1) // 4, p)
        if y * y % p != P256Point.y_squared(x):
            x = z * u * u * x % p
            y = pow(P256Point.y_squared(x), (p + 1) // 4, p)
        return P256Point(x, y if y & 1 == u & 1 else -y)

    def hash_to_group(self, message, dst):
        uniform = self.hash.expand_message_xmd(message, dst, 96)
        u, v = (int.from_bytes(half, "big") % P256Point.P for half in (uniform[:48], uniform[48:]))
        return self.map_to_curve(u) + self.map_to_curve(v)

    def hash_to_scalar(self, message, dst):
        return int.from_bytes(self.hash.expand_message_xmd(message, dst, 48), "big") % self.order


# --- OPAQUE (RFC 9807)


class Opaque:
    """The functions of one suite, by the RFC's names."""

    def __init__(self, group):
        self.group, self.hash, self.nh = group, group.hash, group.hash.size
        self.context_string = b"OPRFV1-\0-" + group.name

    def derive_key_pair(self, seed, info):
        for counter in range(256):
            scalar = self.group.hash_to_scalar(seed + lp2(info) + bytes([counter]),
                                               b"DeriveKeyPair" + self.context_string)
            if scalar:
                return scalar, self.group.encode(scalar * self.group.base)
        raise ValueError("DeriveKeyPairError")

    def derive_diffie_hellman_key_pair(self, seed):
        return self.derive_key_pair(seed, b"OPAQUE-DeriveDiffieHellmanKeyPair")

    def multiply(self, scalar, element):
        return self.group.encode(scalar * self.group.decode(element))

    def blind(self, blind, password):
        return self.group.encode(blind * self.group.hash_to_group(password, b"HashToGroup-" + self.context_string))

    def oprf_key(self, oprf_seed, identifier):
        seed = self.hash.expand(oprf_seed, identifier + b"OprfKey", self.group.scalar_size)
        return self.derive_key_pair(seed, b"OPAQUE-DeriveKeyPair")[0]

    def randomized_password(self, password, blind, evaluated_message, ksf):
        n = self.multiply(pow(blind, -1, self.group.order), evaluated_message)
        y = self.hash(lp2(password), lp2(n), b"Finalize")
        m, t, p = KSF[ksf]
        stretched = argon2.low_level.hash_secret_raw(y, bytes(16), t, m, p, self.nh, argon2.low_level.Type.ID, 19)
        return self.hash.extract(b"", y + stretched)

    def envelope(self, rwd, nonce, server_public_key, client_identity):
        """auth_tag, export_key and the client's key pair."""
        auth_key = self.hash.expand(rwd, nonce + b"AuthKey", self.nh)
        export_key = self.hash.expand(rwd, nonce + b"ExportKey", self.nh)
        pair = self.derive_diffie_hellman_key_pair(self.hash.expand(rwd, nonce + b"PrivateKey", 32))
        cleartext = server_public_key + lp2(server_public_key) + lp2(client_identity)
        return self.hash.mac(auth_key, nonce, cleartext), export_key, pair

    def pad(self, masking_key, masking_nonce, size):
        return self.hash.expand(masking_key, masking_nonce + b"CredentialResponsePad", size)

    def derive_keys(self, ikm, preamble):
        def expand_label(secret, label, context):
            label = b"OPAQUE-" + label
            return self.hash.expand(secret, self.nh.to_bytes(2, "big") + lp1(label) + lp1(context), self.nh)

        prk, h = self.hash.extract(b"", ikm), self.hash(preamble)
        handshake_secret = expand_label(prk, b"HandshakeSecret", h)
        return (expand_label(handshake_secret, b"ServerMAC", b""), expand_label(handshake_secret, b"ClientMAC", b""),
                expand_label(prk, b"SessionKey", h))

    def register(self, password, identifier, client_identity, oprf_seed, server_public_key, ksf, nonce):
        blinded = self.blind(5, password)
        rwd = self.randomized_password(password, 5, self.multiply(self.oprf_key(oprf_seed, identifier), blinded), ksf)
        auth_tag, _, (_, client_public_key) = self.envelope(rwd, nonce, server_public_key, client_identity)
        return client_public_key + self.hash.expand(rwd, b"MaskingKey", self.nh) + nonce + auth_tag


# --- CPace (draft-irtf-cfrg-cpace-21)


def lv_cat(*parts):
    out = b""
    for part in parts:
        length = len(part)
        while length > 127:
            out += bytes([length & 127 | 128])
            length >>= 7
        out += bytes([length]) + part
    return out


def generator(prs, ci, sid):
    dsi = b"CPaceRistretto255"
    zpad = max(0, SHA512.block - 1 - len(lv_cat(prs)) - len(lv_cat(dsi)))
    return ristretto255.from_uniform(SHA512(lv_cat(dsi, prs, bytes(zpad), ci, sid)))


# --- The channel (docs/wire.md)


class Stream:
    """Reproducible bytes."""

    def __init__(self, name):
        self.name, self.counter = name.encode(), 0

    def bytes(self, size=32):
        out = b""
        while len(out) < size:
            out += hashlib.sha256(self.name + self.counter.to_bytes(8, "big")).digest()
            self.counter += 1
        return out[:size]

    def scalar(self):
        """32 bytes below either group's order in either byte order, so that whoever draws it takes it."""
        return b"\7" + self.bytes()[1:-1] + b"\7"


def frame(kind, body):
    return bytes([kind]) + len(body).to_bytes(3, "big") + body


def up_to_pake(kind, fields, size):
    return bytes([kind]) + (len(fields) + 2 + size).to_bytes(3, "big") + fields + size.to_bytes(2, "big")


def x25519_public(private):
    return X25519PrivateKey.from_private_bytes(private).public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def x25519(private, public):
    return X25519PrivateKey.from_private_bytes(private).exchange(X25519PublicKey.from_public_bytes(public))


def expand_label(prk, label, size=64):
    return SHA512.expand(prk, b"pake/1 " + label, size)


class Run:
    """One handshake: both sides computed next to each other, and held against each other."""

    def __init__(self, name, kind, suites, *, server_name=b"example.org", user=b"alice", client_aeads=b"\1\2",
                 server_aeads=b"\1\2"):
        self.random, self.kind, self.suites = Stream(name), kind, suites
        self.server_name, self.user, self.client_aeads, self.server_aeads = server_name, user, client_aeads, server_aeads
        self.first, self.frames, self.ksf, self.more_outputs, self.device = b"", [], 0, {}, None
        self.aead = AES_256_GCM if 1 in client_aeads and 1 in server_aeads else CHACHA20_POLY1305
        self.client_random = {"random": self.random.bytes()}
        self.server_random = {}
        self.inputs = {"kind": kind, "server_name": server_name, "name": user, "client_aeads": client_aeads,
                       "server_aeads": server_aeads, "suites": suites}

    def client_hello(self, suites, pake):
        """Sends it. `pake` gives the PAKE bytes when called with everything before them, first `None` for their size."""
        fields = (b"pake\2" + bytes([self.kind]) + self.client_random["random"] + lp1(self.client_aeads) + lp1(suites) +
                  lp1(self.server_name) + lp1(self.user))

        def head(extensions):
            return up_to_pake(1, fields + lp2(extensions), len(pake(None)))

        extensions = self.device_extension(bytes(64)) if self.device else b""
        if self.device:
            start = head(extensions)
            binder = SHA512.mac(expand_label(self.device["device_secret"], b"device binder"),
                                SHA512(self.first, start, pake(self.first + start)))
            extensions = self.device_extension(binder)
        start = head(extensions)
        self.H0 = SHA512(self.first, start)
        self.frames.append(start + pake(self.first + start))

    def device_extension(self, binder):
        """Section 7.1."""
        data = lp2(self.device["device_ticket"]) + self.device["device_time"].to_bytes(8, "big") + binder
        return b"\0\1" + lp2(data)

    def show_device(self):
        """A ticket of an earlier login, which the hellos show."""
        secret, key_id, key, device = (self.random.bytes(size) for size in (64, 4, 32, 16))
        ticket = seal_ticket(key_id, key, self.random.bytes(24), self.user, self.server_name, device, 5, 1_790_000_000,
                             1_790_604_800, secret)
        self.device = {"device_ticket": ticket, "device_secret": secret, "device_time": 1_795_000_000,
                       "ticket_key_id": key_id, "ticket_key": key}
        self.inputs |= self.device
        self.more_outputs = {"device": device}

    def retry(self, suite):
        self.frames.append(frame(2, bytes([2, suite])))
        self.first = b"".join(self.frames)

    def server_hello(self, suite, size, pake):
        """`pake` is called with H1 and with everything before it."""
        head = up_to_pake(3, bytes([2, suite, self.aead, self.ksf]) + lp2(b""), size)
        before = b"".join(self.frames) + head
        self.H1 = SHA512(before)
        message = pake(before)
        assert len(message) == size
        self.frames.append(head + message)

    def finish(self, message, pake_key):
        self.frames.append(frame(4, message))
        self.H2 = SHA512(*self.frames)
        prk = SHA512.extract(self.H2, pake_key)
        self.outputs = {"aead": self.aead, "client_traffic": expand_label(prk, b"client traffic", 44),
                        "server_traffic": expand_label(prk, b"server traffic", 44),
                        "exporter_secret": expand_label(prk, b"exporter"),
                        "resumption_secret": expand_label(prk, b"resumption"), **self.more_outputs}

    def entry(self, name):
        return {"id": name, "inputs": self.inputs, "client_randomness": self.client_random,
                "server_randomness": self.server_random, "frames": self.frames,
                "transcript": {"H0": self.H0, "H1": self.H1, "H2": self.H2}, "outputs": self.outputs}


def login(name, suites, server_suite, ksf, known_device=False, **options):
    run = Run(name, LOGIN, suites, **options)
    if known_device:
        run.show_device()
    password, identifier = b"correct horse battery staple", b"pake/1 user" + run.user
    groups = {1: Ristretto255(), 2: P256()}

    def generate_ke1(suite, prefix):
        drawn = {prefix + "blind": run.random.scalar(), prefix + "client_nonce": run.random.bytes(),
                 prefix + "client_keyshare_seed": run.random.bytes()}
        run.client_random |= drawn
        opaque = Opaque(groups[suite])
        blind, nonce, seed = drawn.values()
        blind = opaque.group.scalar(blind)
        secret, share = opaque.derive_diffie_hellman_key_pair(seed)
        return blind, secret, opaque.blind(blind, password) + nonce + share

    if suites[0] != server_suite:
        _, _, ke1 = generate_ke1(suites[0], "first_")
        run.client_hello(suites, lambda _: ke1)
        run.retry(server_suite)
    blind, client_secret, ke1 = generate_ke1(server_suite, "")
    run.client_hello(bytes([server_suite]) + suites.replace(bytes([server_suite]), b""), lambda _: ke1)

    opaque = Opaque(groups[server_suite])
    oprf_seed, private_key = run.random.bytes(opaque.nh), run.random.scalar()
    public_key = opaque.group.encode(opaque.group.scalar(private_key) * opaque.group.base)
    record = opaque.register(password, identifier, run.user, oprf_seed, public_key, ksf, run.random.bytes())
    run.inputs |= {"server_suite": server_suite, "password": password, "ksf": ksf, "oprf_seed": oprf_seed,
                   "server_private_key": private_key, "record": record}
    run.server_random = {"masking_nonce": run.random.bytes(), "server_nonce": run.random.bytes(),
                         "server_keyshare_seed": run.random.bytes()}
    run.ksf = ksf
    npk = len(public_key)
    client_public_key, masking_key, envelope = record[:npk], record[npk:npk + opaque.nh], record[npk + opaque.nh:]
    client_share = ke1[-npk:]
    server_secret, server_share = opaque.derive_diffie_hellman_key_pair(run.server_random["server_keyshare_seed"])
    state = {}

    def generate_ke2(before):
        evaluated = opaque.multiply(opaque.oprf_key(oprf_seed, identifier), ke1[:npk])
        masked = xor(opaque.pad(masking_key, run.server_random["masking_nonce"], npk + len(envelope)),
                     public_key + envelope)
        response = (evaluated + run.server_random["masking_nonce"] + masked + run.server_random["server_nonce"] +
                    server_share)
        ikm = (opaque.multiply(server_secret, client_share) +
               opaque.multiply(opaque.group.scalar(private_key), client_share) +
               opaque.multiply(server_secret, client_public_key))
        preamble = (b"OPAQUEv1-" + lp2(b"pake/1" + SHA512(before)) + lp2(run.user) + ke1 + lp2(public_key) + response)
        km2, km3, session_key = opaque.derive_keys(ikm, preamble)
        server_mac = opaque.hash.mac(km2, opaque.hash(preamble))
        state.update(evaluated=evaluated, masked=masked, server_mac=server_mac, preamble=preamble, ikm=ikm,
                     client_mac=opaque.hash.mac(km3, opaque.hash(preamble, server_mac)), session_key=session_key)
        return response + server_mac

    run.server_hello(server_suite, 3 * npk + 64 + len(envelope) + opaque.nh, generate_ke2)

    # The client, from what it alone knows, comes to the same.
    rwd = opaque.randomized_password(password, blind, state["evaluated"], ksf)
    clear = xor(opaque.pad(opaque.hash.expand(rwd, b"MaskingKey", opaque.nh), run.server_random["masking_nonce"],
                           npk + len(envelope)), state["masked"])
    auth_tag, export_key, (client_private, _) = opaque.envelope(rwd, clear[npk:npk + 32], clear[:npk], run.user)
    assert clear == public_key + envelope and auth_tag == envelope[32:]
    assert state["ikm"] == (opaque.multiply(client_secret, server_share) + opaque.multiply(client_secret, public_key) +
                            opaque.multiply(client_private, server_share))
    run.more_outputs |= {"export_key": export_key, "server_public_key": public_key}
    run.finish(state["client_mac"], state["session_key"])
    return run.entry(name)


def code(name, **options):
    run = Run(name, CODE, b"\x11", **options)
    prs = b"acid-zoom-42"
    run.inputs["code"] = prs
    g = generator(prs, lv_cat(b"pake/1", bytes([CODE]), run.server_name, run.user), run.client_random["random"])
    run.client_random["ya"], run.server_random["yb"] = run.random.scalar(), run.random.scalar()
    ya, yb = (int.from_bytes(y, "little") for y in (run.client_random["ya"], run.server_random["yb"]))
    Ya, Yb = (ya * g).encode(), (yb * g).encode()
    run.client_hello(run.suites, lambda _: Ya)
    state = {}

    def respond(before):
        K = (yb * ristretto255.decode(Ya)).encode()
        assert K == (ya * ristretto255.decode(Yb)).encode()
        sid, message_a, message_b = run.client_random["random"], lv_cat(Ya, run.H0), lv_cat(Yb, SHA512(before))
        state["isk"] = SHA512(lv_cat(b"CPaceRistretto255_ISK", sid, K), message_a, message_b)
        mac_key = SHA512(b"CPaceMac", sid, state["isk"])
        state["Ta"] = SHA512.mac(mac_key, message_a)
        return Yb + SHA512.mac(mac_key, message_b)

    run.server_hello(0x11, 96, respond)
    run.finish(state["Ta"], state["isk"])
    return run.entry(name)


def seal_ticket(key_id, key, nonce, user, server_name, device, generation, login_time, expiry, secret):
    times = b"".join(n.to_bytes(8, "big") for n in (generation, login_time, expiry))
    plaintext = b"\2" + lp1(user) + lp1(server_name) + device + times + secret
    cipher = ChaCha20_Poly1305.new(key=key, nonce=nonce)
    cipher.update(b"pake/1 ticket" + key_id)
    ciphertext, tag = cipher.encrypt_and_digest(plaintext)
    return key_id + nonce + ciphertext + tag


def resume(name, **options):
    run = Run(name, RESUME, b"\x21", user=b"", **options)
    ticket_secret, key_id, key = run.random.bytes(64), run.random.bytes(4), run.random.bytes()
    ticket = seal_ticket(key_id, key, run.random.bytes(24), b"alice", run.server_name, run.random.bytes(16), 3,
                         1_790_000_000, 1_790_604_800, ticket_secret)
    run.inputs |= {"ticket": ticket, "ticket_secret": ticket_secret, "ticket_key_id": key_id, "ticket_key": key}
    run.client_random["private_key"], run.server_random["private_key"] = run.random.bytes(), run.random.bytes()
    a, b = run.client_random["private_key"], run.server_random["private_key"]

    def prove(secret, label, *transcript):
        return SHA512.mac(expand_label(secret, label), SHA512(*transcript))

    def client_message(before):
        message = lp2(ticket) + x25519_public(a)
        return message + (bytes(64) if before is None else prove(ticket_secret, b"binder", before, message))

    run.client_hello(run.suites, client_message)
    ke = SHA512.extract(ticket_secret, x25519(a, x25519_public(b)))
    assert ke == SHA512.extract(ticket_secret, x25519(b, x25519_public(a)))
    share = x25519_public(b)
    run.server_hello(0x21, 96, lambda before: share + prove(ke, b"server proof", before, share))
    run.finish(prove(ke, b"client proof", *run.frames), expand_label(ke, b"resumed"))
    return run.entry(name)


def ticket(name, user, server_name):
    stream = Stream(name)
    fields = {"key_id": stream.bytes(4), "key": stream.bytes(), "nonce": stream.bytes(24), "name": user,
              "server_name": server_name, "device": stream.bytes(16),
              "generation": 2**63 + 5, "login_time": 1_790_000_000, "expiry": 2**64 - 1,
              "resumption_secret": stream.bytes(64)}
    key_id, key, nonce, *facts, secret = fields.values()
    return fields | {"ticket": seal_ticket(key_id, key, nonce, *facts, secret)}


def export(name, whose, label, context, length):
    exporter_secret = Stream(name).bytes(64)
    info = b"pake/1 export" + whose + lp2(label) + lp2(context) + length.to_bytes(2, "big")
    return {"id": name, "whose": whose[1:].decode(), "exporter_secret": exporter_secret, "label": label, "context": context,
            "out": SHA512.expand(exporter_secret, info, length)}


def as_json(value):
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, dict):
        return {name: as_json(member) for name, member in value.items()}
    if isinstance(value, list):
        return [as_json(member) for member in value]
    return value


def main():
    document = {
        "about": "Whole handshakes of docs/wire.md with every byte of randomness, and tickets. Made by make_channel.py. "
                 "client_randomness and server_randomness are drawn in their order (login: a Retry's first run before the "
                 "second). oprf_seed, server_private_key and record are those of server_suite.",
        "runs": [
            login("login, ristretto255", b"\1\2", 1, 4),
            login("login, ristretto255, the default KSF, a server without AES", b"\1", 1, 2, server_aeads=b"\2"),
            login("login, P-256", b"\2\1", 2, 4),
            login("login, P-256 by Retry", b"\1\2", 2, 4),
            login("login, ristretto255 by Retry, a client without AES", b"\2\1", 1, 4, client_aeads=b"\2"),
            login("login, the longest names", b"\1", 1, 4, server_name=b"s" * 255, user=b"u" * 255),
            login("login, ristretto255, a known device", b"\1\2", 1, 4, known_device=True),
            login("login, P-256 by Retry, a known device", b"\1\2", 2, 4, known_device=True),
            code("code, with a selector", user=b"1234"),
            code("code, without names or AES", server_name=b"", user=b"", client_aeads=b"\2", server_aeads=b"\2"),
            resume("resume"),
            resume("resume, a client without AES", client_aeads=b"\2"),
        ],
        "tickets": [ticket("ticket", b"alice", b"example.org"), ticket("the longest names", b"u" * 255, b"s" * 255),
                    ticket("no name", b"", b"")],
        "exports": [export("a user's", b" user", b"label", b"context", 40),
                    export("one of pake's own", b" pake", b"label", b"context", 40),
                    export("shorter", b" user", b"label", b"context", 32),
                    export("the longest", b" user", b"l", b"", 16320)],
    }
    json.dump(as_json(document), sys.stdout, indent=1)
    print()


main()
