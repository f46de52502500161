"""expand_message_xmd (RFC 9380, Section 5.3.1)."""

import hashlib


def expand_message_xmd(hash_name, message, dst, length):
    def digest(data):
        return hashlib.new(hash_name, data).digest()

    dst_prime = dst + bytes([len(dst)])
    pad = bytes(hashlib.new(hash_name).block_size)
    b0 = digest(pad + message + length.to_bytes(2, "big") + b"\0" + dst_prime)
    block, out = bytes(len(b0)), b""
    for i in range(1, -(-length // len(b0)) + 1):
        block = digest(bytes(a ^ b for a, b in zip(b0, block)) + bytes([i]) + dst_prime)
        out += block
    return out[:length]
