"""ristretto255 (RFC 9496) written out, with hashing to it: for tests, not constant time."""

from xmd import expand_message_xmd

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = 37095705934669439343138083508754565189542113879843219016388785533085940283555
SQRT_M1 = 19681161376707505956807079304988542015446066515923890162744021073123829784752
SQRT_AD_MINUS_ONE = 25063068953384623474111414158702152701244531502492656460079210482610430750235
INVSQRT_A_MINUS_D = 54469307008909316920995813868745141605393597292927456921205312896311721017578
ONE_MINUS_D_SQ = 1159843021668779879193775521855586647937357759715417654439879720876111806838
D_MINUS_ONE_SQ = 40440834346308536858101042469323190826248399146238708352240133220865137265952


def is_negative(x):
    return x % P & 1 == 1


def magnitude(x):
    x %= P
    return P - x if is_negative(x) else x


def sqrt_ratio_m1(u, v):
    r = u * pow(v, 3, P) * pow(u * pow(v, 7, P), (P - 5) // 8, P) % P
    check = v * r * r % P
    u %= P
    flipped = check == -u % P
    if flipped or check == -u * SQRT_M1 % P:
        r = SQRT_M1 * r % P
    return check == u or flipped, magnitude(r)


class Element:
    """A point in extended coordinates."""

    def __init__(self, x, y, z, t):
        self.x, self.y, self.z, self.t = x % P, y % P, z % P, t % P

    def __add__(self, other):
        a = (self.y - self.x) * (other.y - other.x)
        b = (self.y + self.x) * (other.y + other.x)
        c = 2 * D * self.t * other.t
        e = 2 * self.z * other.z
        return Element((b - a) * (e - c), (e + c) * (b + a), (e - c) * (e + c), (b - a) * (b + a))

    def __rmul__(self, scalar):
        result, power = IDENTITY, self
        while scalar:
            if scalar & 1:
                result = result + power
            power = power + power
            scalar >>= 1
        return result

    def encode(self):
        u1 = (self.z + self.y) * (self.z - self.y)
        u2 = self.x * self.y
        _, inverse = sqrt_ratio_m1(1, u1 * u2 * u2)
        den1, den2 = inverse * u1, inverse * u2
        z_inv = den1 * den2 * self.t
        x, y, den_inv = self.x, self.y, den2
        if is_negative(self.t * z_inv):
            x, y, den_inv = self.y * SQRT_M1, self.x * SQRT_M1, den1 * INVSQRT_A_MINUS_D
        if is_negative(x * z_inv):
            y = -y
        return magnitude(den_inv * (self.z - y)).to_bytes(32, "little")


IDENTITY = Element(0, 1, 1, 0)


def decode(data):
    """The element, or ValueError; the identity is refused."""
    s = int.from_bytes(data, "little")
    if len(data) != 32 or s >= P or is_negative(s) or s == 0:
        raise ValueError("not an element of ristretto255")
    u1, u2 = 1 - s * s, 1 + s * s
    v = -(D * u1 * u1) - u2 * u2
    was_square, inverse = sqrt_ratio_m1(1, v * u2 * u2)
    den_x = inverse * u2
    den_y = inverse * den_x * v
    x = magnitude(2 * s * den_x)
    y = u1 * den_y % P
    t = x * y % P
    if not was_square or is_negative(t) or y == 0:
        raise ValueError("not an element of ristretto255")
    return Element(x, y, 1, t)


def one_way_map(t):
    r = SQRT_M1 * t * t % P
    u, v = (r + 1) * ONE_MINUS_D_SQ, (-1 - r * D) * (r + D)
    was_square, s = sqrt_ratio_m1(u, v)
    c = -1
    if not was_square:
        s, c = -magnitude(s * t), r
    n = c * (r - 1) * D_MINUS_ONE_SQ - v
    w0, w1, w2, w3 = 2 * s * v, n * SQRT_AD_MINUS_ONE, 1 - s * s, 1 + s * s
    return Element(w0 * w3, w2 * w1, w1 * w3, w0 * w2)


def from_uniform(data):
    halves = [int.from_bytes(half, "little") & (2**255 - 1) for half in (data[:32], data[32:])]
    return one_way_map(halves[0]) + one_way_map(halves[1])


BASE = decode(bytes.fromhex("e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76"))


def hash_to_group(message, dst):
    return from_uniform(expand_message_xmd("sha512", message, dst, 64))


def hash_to_scalar(message, dst):
    return int.from_bytes(expand_message_xmd("sha512", message, dst, 64), "little") % ORDER
