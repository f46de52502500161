"""OPAQUE-3DH (RFC 9807) and CPace (draft-irtf-cfrg-cpace-21) for the Python side of the channel."""

import hashlib
import hmac
import secrets

import argon2.low_level

import p256
import ristretto255

KSF_PROFILES = {2: (65536, 3, 4), 4: (19456, 2, 1)}  # m in KiB, t, p; docs/wire.md, section 3.7


class AuthenticationFailed(Exception):
    pass


class Hash:
    """A hash, and what is built on it."""

    def __init__(self, name):
        self.name, self.size = name, hashlib.new(name).digest_size

    def __call__(self, *parts):
        return hashlib.new(self.name, b"".join(parts)).digest()

    def mac(self, key, *parts):
        return hmac.new(key, b"".join(parts), self.name).digest()

    def extract(self, salt, ikm):
        return self.mac(salt, ikm)

    def expand(self, prk, info, length=None):
        length = self.size if length is None else length
        out, block = b"", b""
        while len(out) < length:
            block = self.mac(prk, block, info, bytes([len(out) // self.size + 1]))
            out += block
        return out[:length]


sha512 = Hash("sha512")
mac, extract, expand = sha512.mac, sha512.extract, sha512.expand  # the channel's own, whatever the suite


def lp2(data):
    return len(data).to_bytes(2, "big") + data


def verify(expected, received):
    if not hmac.compare_digest(expected, received):
        raise AuthenticationFailed()


def xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b))


def random_scalar(group):
    return 1 + secrets.randbelow(group.ORDER - 1)


# --- OPAQUE


class OpaqueSuite:
    """The group and the hash of both the OPRF and the key exchange, and what RFC 9807 makes of them."""

    def __init__(self, group, hash_function, name):
        self.group, self.hash, self.context = group, hash_function, b"OPRFV1-\0-" + name
        self.Noe, self.Nh = len(group.BASE.encode()), hash_function.size
        self.KE1 = 2 * self.Noe + 32
        self.KE2 = 3 * self.Noe + 32 + 32 + self.Nh + 32 + self.Nh

    def derive_key_pair(self, seed, info):
        for counter in range(256):
            scalar = self.group.hash_to_scalar(seed + lp2(info) + bytes([counter]), b"DeriveKeyPair" + self.context)
            if scalar:
                return scalar, (scalar * self.group.BASE).encode()
        raise ValueError("no key pair")

    def derive_dh_key_pair(self, seed):
        return self.derive_key_pair(seed, b"OPAQUE-DeriveDiffieHellmanKeyPair")

    def dh(self, scalar, point):
        return (scalar * self.group.decode(point)).encode()

    def blind(self, password):
        scalar = random_scalar(self.group)
        return scalar, (scalar * self.group.hash_to_group(password, b"HashToGroup-" + self.context)).encode()

    def randomized_password(self, password, scalar, evaluated, profile):
        n = (pow(scalar, -1, self.group.ORDER) * self.group.decode(evaluated)).encode()
        y = self.hash(lp2(password), lp2(n), b"Finalize")
        memory, passes, lanes = KSF_PROFILES[profile]
        stretched = argon2.low_level.hash_secret_raw(
            y, bytes(16), passes, memory, lanes, self.Nh, argon2.low_level.Type.ID, version=19)
        return self.hash.extract(b"", y + stretched)

    def envelope_keys(self, rwd, nonce):
        auth_key = self.hash.expand(rwd, nonce + b"AuthKey")
        private, public = self.derive_dh_key_pair(self.hash.expand(rwd, nonce + b"PrivateKey", 32))
        return auth_key, private, public

    def response_pad(self, masking_key, masking_nonce):
        return self.hash.expand(masking_key, masking_nonce + b"CredentialResponsePad", self.Noe + 32 + self.Nh)

    def derive_keys(self, ikm, transcript):
        def derive(secret, label, context):
            label = b"OPAQUE-" + label
            info = self.Nh.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
            return self.hash.expand(secret, info)

        prk, hashed = self.hash.extract(b"", ikm), self.hash(transcript)
        handshake_secret = derive(prk, b"HandshakeSecret", hashed)
        return derive(handshake_secret, b"ServerMAC", b""), derive(handshake_secret, b"ClientMAC", b""), derive(
            prk, b"SessionKey", hashed)


OPAQUE_SUITES = {1: OpaqueSuite(ristretto255, sha512, b"ristretto255-SHA512"),
                 2: OpaqueSuite(p256, Hash("sha256"), b"P256-SHA256")}  # docs/wire.md, section 3.5


def cleartext(server_public, client_identity):
    return server_public + lp2(server_public) + lp2(client_identity)


def preamble(context, client_identity, ke1, server_identity, response_and_share):
    return b"OPAQUEv1-" + lp2(context) + lp2(client_identity) + ke1 + lp2(server_identity) + response_and_share


class OpaqueServer:
    """Long-term keys of one suite, and records made at the spot: registration without a network."""

    def __init__(self, suite, profile):
        self.suite, self.profile = suite, profile
        self.oprf_seed = secrets.token_bytes(suite.Nh)
        self.private, self.public = suite.derive_dh_key_pair(secrets.token_bytes(32))
        self.records = {}
        fake_public = suite.derive_dh_key_pair(secrets.token_bytes(32))[1]
        self.fake = fake_public, secrets.token_bytes(suite.Nh), bytes(32 + suite.Nh)  # RFC 9807, Section 6.3.2.2

    def oprf_key(self, identifier):
        return self.suite.derive_key_pair(
            self.suite.hash.expand(self.oprf_seed, identifier + b"OprfKey", 32), b"OPAQUE-DeriveKeyPair")[0]

    def register(self, name, password):
        suite = self.suite
        scalar, request = suite.blind(password)
        evaluated = suite.dh(self.oprf_key(b"pake/1 user" + name), request)
        rwd = suite.randomized_password(password, scalar, evaluated, self.profile)
        nonce = secrets.token_bytes(32)
        auth_key, _, public = suite.envelope_keys(rwd, nonce)
        tag = suite.hash.mac(auth_key, nonce, cleartext(self.public, name))
        self.records[name] = public, suite.hash.expand(rwd, b"MaskingKey"), nonce + tag

    def ke2(self, name, ke1, context):
        """KE2, and what ke3 must be, and the session key."""
        suite, n = self.suite, self.suite.Noe
        client_public, masking_key, envelope = self.records.get(name, self.fake)
        evaluated = suite.dh(self.oprf_key(b"pake/1 user" + name), ke1[:n])
        masking_nonce, server_nonce = secrets.token_bytes(32), secrets.token_bytes(32)
        masked = xor(suite.response_pad(masking_key, masking_nonce), self.public + envelope)
        share_private, share = suite.derive_dh_key_pair(secrets.token_bytes(32))
        client_share = ke1[n + 32:]
        ikm = suite.dh(share_private, client_share) + suite.dh(self.private, client_share) + suite.dh(
            share_private, client_public)
        head = evaluated + masking_nonce + masked + server_nonce + share
        transcript = preamble(context, name, ke1, self.public, head)
        km2, km3, session_key = suite.derive_keys(ikm, transcript)
        server_mac = suite.hash.mac(km2, suite.hash(transcript))
        return head + server_mac, suite.hash.mac(km3, suite.hash(transcript + server_mac)), session_key


class OpaqueClient:
    def __init__(self, suite, name, password):
        self.suite, self.name, self.password = suite, name, password
        self.scalar, blinded = suite.blind(password)
        self.private, share = suite.derive_dh_key_pair(secrets.token_bytes(32))
        self.ke1 = blinded + secrets.token_bytes(32) + share

    def ke3(self, ke2, context, profile):
        """KE3 and the session key."""
        suite, n = self.suite, self.suite.Noe
        evaluated, masking_nonce, masked = ke2[:n], ke2[n:n + 32], ke2[n + 32:2 * n + 64 + suite.Nh]
        head, server_mac = ke2[:-suite.Nh], ke2[-suite.Nh:]
        share = head[-n:]
        rwd = suite.randomized_password(self.password, self.scalar, evaluated, profile)
        plain = xor(suite.response_pad(suite.hash.expand(rwd, b"MaskingKey"), masking_nonce), masked)
        server_public, nonce, tag = plain[:n], plain[n:n + 32], plain[n + 32:]
        auth_key, private, _ = suite.envelope_keys(rwd, nonce)
        verify(suite.hash.mac(auth_key, nonce, cleartext(server_public, self.name)), tag)
        ikm = suite.dh(self.private, share) + suite.dh(self.private, server_public) + suite.dh(private, share)
        transcript = preamble(context, self.name, self.ke1, server_public, head)
        km2, km3, session_key = suite.derive_keys(ikm, transcript)
        verify(suite.hash.mac(km2, suite.hash(transcript)), server_mac)
        return suite.hash.mac(km3, suite.hash(transcript + server_mac)), session_key


# --- CPace

DSI = b"CPaceRistretto255"


def prepend_len(data):
    length, out = len(data), b""
    while True:
        out += bytes([length & 127 | (128 if length > 127 else 0)])
        length >>= 7
        if not length:
            return out + data


def lv_cat(*parts):
    return b"".join(prepend_len(part) for part in parts)


class CPace:
    """One side; the first message is `share`."""

    def __init__(self, prs, ci, sid):
        self.sid = sid
        padding = max(0, 128 - 1 - len(prepend_len(prs)) - len(prepend_len(DSI)))
        generator = ristretto255.from_uniform(sha512(lv_cat(DSI, prs, bytes(padding), ci, sid)))
        self.scalar = random_scalar(ristretto255)
        self.share = (self.scalar * generator).encode()

    def finish(self, peer_share, initiator_ad, responder_ad, is_initiator):
        """Ta, Tb and ISK."""
        if peer_share == self.share:
            raise AuthenticationFailed()
        key = (self.scalar * ristretto255.decode(peer_share)).encode()
        shares = (self.share, peer_share) if is_initiator else (peer_share, self.share)
        message_a, message_b = lv_cat(shares[0], initiator_ad), lv_cat(shares[1], responder_ad)
        isk = sha512(lv_cat(DSI + b"_ISK", self.sid, key), message_a, message_b)
        mac_key = sha512(b"CPaceMac", self.sid, isk)
        return mac(mac_key, message_a), mac(mac_key, message_b), isk
