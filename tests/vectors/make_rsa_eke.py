#!/usr/bin/env python3
"""Makes rsa_eke.json with Debian's python3-pycryptodome.

    tests/vectors/make_rsa_eke.py > tests/vectors/rsa_eke.json

Everything is derived from SHA-256 of a counter, so a second run (with pycryptodome 3.11.0) prints the same bytes.
Texts are given as they are, bytes in lower-case hex.
"""

import base64
import hashlib
import json
import sys

import Cryptodome
from Cryptodome.Cipher import AES, PKCS1_v1_5
from Cryptodome.PublicKey import ECC, RSA
from Cryptodome.Util.asn1 import DerBitString, DerInteger, DerNull, DerObjectId, DerSequence

RSA_ENCRYPTION = "1.2.840.113549.1.1.1"


class Stream:
    """Reproducible bytes. Calling it is drawing from it, as pycryptodome's `randfunc` is called."""

    def __init__(self, name):
        self.name = name.encode()
        self.counter = 0
        self.pool = b""

    def __call__(self, size):
        while len(self.pool) < size:
            self.pool += hashlib.sha256(self.name + self.counter.to_bytes(8, "big")).digest()
            self.counter += 1
        drawn, self.pool = self.pool[:size], self.pool[size:]
        return drawn

    def digits(self):
        return "".join(str(byte % 10) for byte in self(10))


class Recorder:
    """Keeps the octets that PKCS1_v1_5 takes for its padding: it draws one at a time and drops zeros."""

    def __init__(self, stream):
        self.stream = stream
        self.padding = b""

    def __call__(self, size):
        drawn = self.stream(size)
        self.padding += drawn.replace(b"\0", b"")
        return drawn


# The seed's prpcrypt.


def raw_encrypt(mode, secret, text):
    key = secret.ljust(16, b"\0")[:16]
    cipher = AES.new(key, AES.MODE_GCM, nonce=key) if mode == "gcm" else AES.new(key, AES.MODE_CBC, iv=key)
    return cipher.encrypt(text + b"\0" * (-len(text) % 16))


def E(mode, secret, text):
    return base64.b64encode(raw_encrypt(mode, secret, text)).decode()


def cipher_vectors():
    texts = [b"hello", b"sixteen bytes ok", b"seventeen bytes!!", Stream("text")(799)]
    secrets = ["12345678", "0123456789abcdef", "pässwörd", "", "1048539677"]
    for mode in ("gcm", "cbc"):
        for secret in secrets:
            for text in texts:
                yield {
                    "mode": mode,
                    "secret": secret,
                    "text": text.hex(),
                    "ciphertext": raw_encrypt(mode, secret.encode(), text).hex(),
                    "message": E(mode, secret.encode(), text),
                }


def make_keys():
    sizes = {"1024": 65537, "1031": 65537, "1024-e3": 3, "2048": 65537, "3072": 65537, "4096": 65537, "2048-e32": 4294967291}
    return {name: RSA.generate(int(name.split("-")[0]), Stream("key " + name), e) for name, e in sizes.items()}


def key_vectors(keys):
    for name, key in keys.items():
        yield {
            "id": name,
            "bits": key.size_in_bits(),
            "pkcs8": key.export_key("DER", pkcs=8).hex(),
            "pem": key.publickey().export_key().decode(),
        }


def pkcs1_encrypt(key, message, stream):
    recorder = Recorder(stream)
    return PKCS1_v1_5.new(key, recorder).encrypt(message), recorder.padding


def pkcs1_vectors(keys):
    for name, key in keys.items():
        for size in (0, 10, key.size_in_bytes() - 11) if name == "1024" else (10,):
            stream = Stream(f"pkcs1 {name} {size}")
            message = stream(size)
            ciphertext, padding = pkcs1_encrypt(key, message, stream)
            yield {
                "id": f"{name}, {size} bytes",
                "pkcs8": key.export_key("DER", pkcs=8).hex(),
                "message": message.hex(),
                "padding": padding.hex(),
                "ciphertext": ciphertext.hex(),
            }


def run_vectors(keys):
    people = [("server", "12345678"), ("alice", "sixteen bytes 16"), ("zoë", "")]
    for index, (name, key) in enumerate(keys.items()):
        user, password = people[index % len(people)]
        for mode in ("gcm", "cbc"):
            stream = Stream(f"run {name} {mode}")
            pw = password.encode()
            Ks, NC, NS = stream.digits(), stream.digits(), stream.digits()
            ciphertext, padding = pkcs1_encrypt(key, Ks.encode(), stream)
            yield {
                "id": f"{name}, {mode}",
                "pkcs8": key.export_key("DER", pkcs=8).hex(),
                "mode": mode,
                "user": user,
                "password": password,
                "Ks": Ks,
                "NC": NC,
                "NS": NS,
                "padding": padding.hex(),
                "messages": {
                    "1": user,
                    "2": "yes",
                    "3": E(mode, pw, key.publickey().export_key()),
                    "4": E(mode, pw, base64.b64encode(ciphertext)),
                    "5": E(mode, Ks.encode(), NC.encode()),
                    "6": E(mode, Ks.encode(), (NC + NS).encode()),
                    "7": E(mode, Ks.encode(), NS.encode()),
                },
            }


def spki(n, e, algorithm=None, integer=DerInteger):
    algorithm = algorithm or DerSequence([DerObjectId(RSA_ENCRYPTION), DerNull()])
    key = DerSequence([integer(n), integer(e)]).encode()
    return DerSequence([algorithm, DerBitString(key)]).encode()


def pem(der, width=64, end="\n", label="PUBLIC KEY"):
    text = base64.b64encode(der).decode()
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    return end.join([f"-----BEGIN {label}-----", *lines, f"-----END {label}-----"])


def number(bits, last):
    """A number of exactly `bits` bits with the given lowest bit."""
    n = int.from_bytes(Stream(f"number {bits}")((bits + 7) // 8), "big") % (1 << bits)
    return (n | 1 << (bits - 1)) & ~1 | last


def refused_key_vectors(keys):
    key = keys["1024"]
    n, e = key.n, key.e
    good = spki(n, e)
    text = pem(good)
    assert text == key.publickey().export_key().decode()
    for bits in (1, 2, 8, 16, 511, 512, 768, 1023):
        yield f"{bits} bits", pem(spki(number(bits, 1), 65537)), "too_small"
    yield "no modulus", pem(spki(0, 65537)), "too_small"
    for bits in (4097, 4104, 5120, 8192, 16384):
        yield f"{bits} bits", pem(spki(number(bits, 1), 65537)), "too_large"
    for bits in (1024, 2048, 4096):
        yield f"even modulus of {bits} bits", pem(spki(number(bits, 0), 65537)), "even_modulus"
    for bad in (0, 1, 2, 65536, 2**32, 2**32 + 1, n - 2):
        yield f"exponent {bad if bad < 2**33 else 'n - 2'}", pem(spki(n, bad)), "bad_exponent"

    def not_pem(name, text):
        return name, text, "not_pem"

    yield not_pem("empty", "")
    yield not_pem("trailing newline", text + "\n")
    yield not_pem("leading newline", "\n" + text)
    yield not_pem("CRLF", pem(good, end="\r\n"))
    yield not_pem("lines of 76", pem(good, width=76))
    yield not_pem("one line", pem(good, width=4096))
    yield not_pem("empty line", text.replace("KEY-----\n", "KEY-----\n\n", 1))
    yield not_pem("space", text.replace("KEY-----\n", "KEY-----\n ", 1))
    yield not_pem("header field", text.replace("KEY-----\n", "KEY-----\nProc-Type: 4\n\n", 1))
    yield not_pem("another label", pem(good, label="RSA PUBLIC KEY"))
    yield not_pem("PKCS#1", pem(DerSequence([n, e]).encode()))
    yield not_pem("certificate label", pem(good, label="CERTIFICATE"))
    yield not_pem("cut", text[:-1])
    yield not_pem("only the first line", "-----BEGIN PUBLIC KEY-----\n")
    yield not_pem("first and last line run into each other", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----")
    yield not_pem("no body", "-----BEGIN PUBLIC KEY-----\n\n-----END PUBLIC KEY-----")
    yield not_pem("two keys", text + "\n" + text)
    yield not_pem("unused Base64 bits", text.replace("AQAB", "AQAB=", 1))
    yield not_pem("private key", key.export_key(pkcs=8).decode()[:700])
    yield not_pem("P-256", ECC.construct(curve="P-256", d=7).public_key().export_key(format="PEM"))
    yield not_pem("trailing byte", pem(good + b"\0"))
    yield not_pem("no parameters", pem(spki(n, e, DerSequence([DerObjectId(RSA_ENCRYPTION)]))))
    yield not_pem("RSASSA-PSS", pem(spki(n, e, DerSequence([DerObjectId("1.2.840.113549.1.1.10"), DerNull()]))))
    yield not_pem("negative modulus", pem(spki(n - (1 << 1024), e)))
    yield not_pem("negative exponent", pem(spki(n, -3)))
    yield not_pem("unused bits", pem(good.replace(b"\x03\x81\x8d\x00", b"\x03\x81\x8d\x01")))
    yield not_pem("long form of a short length", pem(good.replace(b"\x30\x0d\x06\x09", b"\x30\x81\x0d\x06\x09")))
    yield not_pem("indefinite length", pem(b"\x30\x80" + good[3:] + b"\0\0"))
    yield not_pem("length of four octets", pem(b"\x30\x84\xff\xff\xff\xff" + good[3:]))
    yield not_pem("length beyond the end", pem(good[:1] + b"\x82\xff\xff" + good[3:]))
    padded = DerSequence([b"\x02\x81\x82\0\0" + n.to_bytes(128, "big"), e]).encode()
    algorithm = DerSequence([DerObjectId(RSA_ENCRYPTION), DerNull()])
    yield not_pem("modulus with a leading zero too many", pem(DerSequence([algorithm, DerBitString(padded)]).encode()))
    three = DerSequence([n, e, 7]).encode()
    yield not_pem("a third number", pem(DerSequence([algorithm, DerBitString(three)]).encode()))
    yield not_pem("nested too deep", pem(b"\x30\x80" * 250))
    yield not_pem("zeros", pem(bytes(500)))


def main():
    keys = make_keys()
    vectors = {
        "about": {
            "protocol": "RSA-EKE of the seed's two programs",
            "origin": f"tests/vectors/make_rsa_eke.py, pycryptodome {Cryptodome.__version__}",
        },
        "cipher": list(cipher_vectors()),
        "keys": list(key_vectors(keys)),
        "refused_keys": [{"id": i, "pem": p, "error": error} for i, p, error in refused_key_vectors(keys)],
        "pkcs1": list(pkcs1_vectors(keys)),
        "runs": list(run_vectors(keys)),
    }
    json.dump(vectors, sys.stdout, indent=1, ensure_ascii=False)
    print()


main()
