"""P-256 written out, with hashing to it (RFC 9380, P256_XMD:SHA-256_SSWU_RO_): for tests, not constant time."""

from xmd import expand_message_xmd

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551
A = -3
B = 0x5ac635d8aa3a93e7b3ebbd55769886bc651d06b0cc53b0f63bce3c3e27d2604b
Z = -10  # of the map


class Element:
    """A point in affine coordinates; None for both is the identity."""

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __add__(self, other):
        if self.x is None or other.x is None:
            return other if self.x is None else self
        if self.x == other.x and (self.y + other.y) % P == 0:
            return IDENTITY
        if self.x == other.x:
            slope = (3 * self.x * self.x + A) * pow(2 * self.y, -1, P)
        else:
            slope = (other.y - self.y) * pow(other.x - self.x, -1, P)
        x = (slope * slope - self.x - other.x) % P
        return Element(x, (slope * (self.x - x) - self.y) % P)

    def __rmul__(self, scalar):
        result, power = IDENTITY, self
        while scalar:
            if scalar & 1:
                result = result + power
            power = power + power
            scalar >>= 1
        return result

    def encode(self):
        return bytes([2 + (self.y & 1)]) + self.x.to_bytes(32, "big")


IDENTITY = Element(None, None)


def g(x):
    return (x * x * x + A * x + B) % P


def square_root(a):
    """A root, or None."""
    root = pow(a, (P + 1) // 4, P)
    return root if root * root % P == a % P else None


def decode(data):
    """The element, or ValueError."""
    x = int.from_bytes(data[1:], "big")
    y = square_root(g(x)) if len(data) == 33 and data[0] in (2, 3) and x < P else None
    if y is None:
        raise ValueError("not an element of P-256")
    return Element(x, y if y & 1 == data[0] & 1 else P - y)


BASE = decode(bytes.fromhex("036b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"))


def map_to_curve(u):
    """RFC 9380, Section 6.6.2."""
    tv = (Z * Z * pow(u, 4, P) + Z * u * u) % P
    x1 = -B * pow(A, -1, P) * (1 + pow(tv, -1, P)) % P if tv else B * pow(Z * A, -1, P) % P
    x = x1 if square_root(g(x1)) is not None else Z * u * u * x1 % P
    y = square_root(g(x))
    return Element(x, y if y & 1 == u & 1 else P - y)


def hash_to_group(message, dst):
    uniform = expand_message_xmd("sha256", message, dst, 96)
    u = [int.from_bytes(half, "big") % P for half in (uniform[:48], uniform[48:])]
    return map_to_curve(u[0]) + map_to_curve(u[1])


def hash_to_scalar(message, dst):
    return int.from_bytes(expand_message_xmd("sha256", message, dst, 48), "big") % ORDER
