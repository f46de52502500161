"""What the two RSA-EKE peers share: the seed's cipher, its random digits and the programs' options."""

import argparse
import base64
import secrets

from Cryptodome.Cipher import AES

RECV_SIZE = 1024  # one recv() is one message, as in the seed: no framing, no loop


class PasswordCipher:
    """E_key(text) of the seed: AES-128 under the zero-padded key, in Base64; zero padding, no tag."""

    def __init__(self, key: bytes, mode: str):
        self.key = key.ljust(16, b"\0")[:16]
        self.mode = mode

    def _new(self):
        if self.mode == "gcm":
            return AES.new(self.key, AES.MODE_GCM, nonce=self.key)
        return AES.new(self.key, AES.MODE_CBC, iv=self.key)

    def encrypt(self, text: bytes) -> bytes:
        padded = text + b"\0" * (-len(text) % 16)
        return base64.b64encode(self._new().encrypt(padded))

    def decrypt(self, text: bytes) -> bytes:
        return self._new().decrypt(base64.b64decode(text)).rstrip(b"\0")


def ten_digits() -> bytes:
    return "".join(str(secrets.randbelow(10)) for _ in range(10)).encode()


def show(text: str) -> None:
    print(text, flush=True)


def text_of(data: bytes) -> str:
    return data.decode("utf-8", "replace")


def parse_options(description: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8088, help="0, listening: any free one, told on stderr")
    parser.add_argument("--mode", choices=("gcm", "cbc"), default="gcm")
    parser.add_argument("--user", default="server")
    parser.add_argument("--password", default="12345678")
    return parser.parse_args()
