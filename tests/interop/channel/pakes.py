"""OPAQUE-3DH (RFC 9807) and CPace (draft-irtf-cfrg-cpace-21) over ristretto255-SHA512, for the Python side of the channel."""

import hashlib
import hmac
import secrets

import argon2.low_level

import ristretto255 as group

KSF_PROFILES = {2: (65536, 3, 4), 4: (19456, 2, 1)}  # m in KiB, t, p; docs/wire.md, section 3.7
OPRF_CONTEXT = b"OPRFV1-\0-ristretto255-SHA512"


class AuthenticationFailed(Exception):
    pass


def sha512(*parts):
    return hashlib.sha512(b"".join(parts)).digest()


def mac(key, *parts):
    return hmac.new(key, b"".join(parts), hashlib.sha512).digest()


def extract(salt, ikm):
    return mac(salt, ikm)


def expand(prk, info, length=64):
    out, block = b"", b""
    while len(out) < length:
        block = mac(prk, block, info, bytes([len(out) // 64 + 1]))
        out += block
    return out[:length]


def lp2(data):
    return len(data).to_bytes(2, "big") + data


def scalar_bytes(scalar):
    return scalar.to_bytes(32, "little")


def random_scalar():
    return 1 + secrets.randbelow(group.ORDER - 1)


def verify(expected, received):
    if not hmac.compare_digest(expected, received):
        raise AuthenticationFailed()


# --- OPAQUE


def derive_key_pair(seed, info):
    for counter in range(256):
        scalar = group.hash_to_scalar(seed + lp2(info) + bytes([counter]), b"DeriveKeyPair" + OPRF_CONTEXT)
        if scalar:
            return scalar, (scalar * group.BASE).encode()
    raise ValueError("no key pair")


def derive_dh_key_pair(seed):
    return derive_key_pair(seed, b"OPAQUE-DeriveDiffieHellmanKeyPair")


def dh(scalar, point):
    return (scalar * group.decode(point)).encode()


def blind(password):
    scalar = random_scalar()
    return scalar, (scalar * group.hash_to_group(password, b"HashToGroup-" + OPRF_CONTEXT)).encode()


def randomized_password(password, scalar, evaluated, profile):
    n = (pow(scalar, -1, group.ORDER) * group.decode(evaluated)).encode()
    y = sha512(lp2(password), lp2(n), b"Finalize")
    memory, passes, lanes = KSF_PROFILES[profile]
    stretched = argon2.low_level.hash_secret_raw(
        y, bytes(16), passes, memory, lanes, 64, argon2.low_level.Type.ID, version=19)
    return extract(b"", y + stretched)


def envelope_keys(rwd, nonce):
    auth_key = expand(rwd, nonce + b"AuthKey")
    private, public = derive_dh_key_pair(expand(rwd, nonce + b"PrivateKey", 32))
    return auth_key, private, public


def cleartext(server_public, client_identity):
    return server_public + lp2(server_public) + lp2(client_identity)


def preamble(context, client_identity, ke1, server_identity, response_and_share):
    return b"OPAQUEv1-" + lp2(context) + lp2(client_identity) + ke1 + lp2(server_identity) + response_and_share


def derive_keys(ikm, transcript):
    def derive(secret, label, context):
        label = b"OPAQUE-" + label
        return expand(secret, (64).to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context)

    prk, hashed = extract(b"", ikm), sha512(transcript)
    handshake_secret = derive(prk, b"HandshakeSecret", hashed)
    return derive(handshake_secret, b"ServerMAC", b""), derive(handshake_secret, b"ClientMAC", b""), derive(
        prk, b"SessionKey", hashed)


class OpaqueServer:
    """Long-term keys, and one record made at the spot: registration without a network."""

    def __init__(self, profile):
        self.profile = profile
        self.oprf_seed = secrets.token_bytes(64)
        self.private, self.public = derive_dh_key_pair(secrets.token_bytes(32))
        self.records = {}

    def oprf_key(self, identifier):
        return derive_key_pair(expand(self.oprf_seed, identifier + b"OprfKey", 32), b"OPAQUE-DeriveKeyPair")[0]

    def register(self, name, password):
        scalar, request = blind(password)
        evaluated = dh(self.oprf_key(b"pake/1 user" + name), request)
        rwd = randomized_password(password, scalar, evaluated, self.profile)
        nonce = secrets.token_bytes(32)
        auth_key, _, public = envelope_keys(rwd, nonce)
        tag = mac(auth_key, nonce, cleartext(self.public, name))
        self.records[name] = public, expand(rwd, b"MaskingKey"), nonce + tag

    def ke2(self, name, ke1, context):
        """KE2, and what ke3 must be, and the session key."""
        client_public, masking_key, envelope = self.records[name]
        evaluated = dh(self.oprf_key(b"pake/1 user" + name), ke1[:32])
        masking_nonce, server_nonce = secrets.token_bytes(32), secrets.token_bytes(32)
        pad = expand(masking_key, masking_nonce + b"CredentialResponsePad", 128)
        masked = bytes(a ^ b for a, b in zip(pad, self.public + envelope))
        share_private, share = derive_dh_key_pair(secrets.token_bytes(32))
        client_share = ke1[64:96]
        ikm = dh(share_private, client_share) + dh(self.private, client_share) + dh(share_private, client_public)
        head = evaluated + masking_nonce + masked + server_nonce + share
        transcript = preamble(context, name, ke1, self.public, head)
        km2, km3, session_key = derive_keys(ikm, transcript)
        server_mac = mac(km2, sha512(transcript))
        return head + server_mac, mac(km3, sha512(transcript + server_mac)), session_key


class OpaqueClient:
    def __init__(self, name, password):
        self.name, self.password = name, password
        self.scalar, blinded = blind(password)
        self.private, share = derive_dh_key_pair(secrets.token_bytes(32))
        self.ke1 = blinded + secrets.token_bytes(32) + share

    def ke3(self, ke2, context, profile):
        """KE3 and the session key."""
        rwd = randomized_password(self.password, self.scalar, ke2[:32], profile)
        pad = expand(expand(rwd, b"MaskingKey"), ke2[32:64] + b"CredentialResponsePad", 128)
        plain = bytes(a ^ b for a, b in zip(pad, ke2[64:192]))
        server_public, nonce, tag = plain[:32], plain[32:64], plain[64:]
        auth_key, private, _ = envelope_keys(rwd, nonce)
        verify(mac(auth_key, nonce, cleartext(server_public, self.name)), tag)
        share = ke2[224:256]
        ikm = dh(self.private, share) + dh(self.private, server_public) + dh(private, share)
        transcript = preamble(context, self.name, self.ke1, server_public, ke2[:256])
        km2, km3, session_key = derive_keys(ikm, transcript)
        verify(mac(km2, sha512(transcript)), ke2[256:])
        return mac(km3, sha512(transcript + ke2[256:])), session_key


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
        generator = group.from_uniform(sha512(lv_cat(DSI, prs, bytes(padding), ci, sid)))
        self.scalar = random_scalar()
        self.share = (self.scalar * generator).encode()

    def finish(self, peer_share, initiator_ad, responder_ad, is_initiator):
        """Ta, Tb and ISK."""
        if peer_share == self.share:
            raise AuthenticationFailed()
        key = dh(self.scalar, peer_share)
        shares = (self.share, peer_share) if is_initiator else (peer_share, self.share)
        message_a, message_b = lv_cat(shares[0], initiator_ad), lv_cat(shares[1], responder_ad)
        isk = sha512(lv_cat(DSI + b"_ISK", self.sid, key), message_a, message_b)
        mac_key = sha512(b"CPaceMac", self.sid, isk)
        return mac(mac_key, message_a), mac(mac_key, message_b), isk
