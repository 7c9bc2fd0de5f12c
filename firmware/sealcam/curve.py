"""Points of P-256 (FIPS 186-5, SP 800-186 section 3.2.1.3) in Python's integers.

Knows points and scalars; no key, no signature, no cipher. Python's integers do not run in constant time:
every secret scalar meets a projective start drawn at random, and one that is used again and again is blinded
as well. Long sums are generators that yield every half million to two million instructions, so that a
recording goes on between two slices.
"""

from sealcam.errors import BadPoint
from sealcam.p256_table import BASE_TABLE

P = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
GX = 0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296
GY = 0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5

BLIND_BITS = 64  # k + r * N, r of 64 bits: the windows are counted for 256 + 64
_INFINITY = (1, 1, 0)
_TEETH = 5  # of a comb, 52 bits apart: scalars below 2^260
_COLUMNS = 52
_COMB_BITS = _TEETH * _COLUMNS
_WINDOW = 5


def on_curve(x: int, y: int) -> bool:
    return 0 <= x < P and 0 <= y < P and (y * y - (x * x - 3) * x - B) % P == 0


def decode_point(point: bytes) -> "tuple[int, int]":
    """The coordinates of an uncompressed point (SEC 1 section 2.3.4), or BadPoint.

    The group has prime order: a point on the curve that is not infinity needs no further check (SP 800-56A
    5.6.2.3.3).
    """
    if len(point) != 65 or point[0] != 4:
        raise BadPoint  # compressed, hybrid, infinity, or no point at all
    x, y = int.from_bytes(point[1:33], "big"), int.from_bytes(point[33:65], "big")
    if not on_curve(x, y):
        raise BadPoint  # on the twist or nowhere: agreeing with it would give the private key away
    return x, y


def encode_point(x: int, y: int) -> bytes:
    return b"\x04" + x.to_bytes(32, "big") + y.to_bytes(32, "big")


def scalar(rand) -> int:
    """A private key from `rand(n) -> bytes`, even over 1..N-1 (FIPS 186-5 appendix A.2.2)."""
    while True:
        k = int.from_bytes(rand(32), "big")
        if 0 < k < N:
            return k


def start_factor(rand) -> int:
    """The factor that hides where a sum starts; 1 without a source of random bytes."""
    return int.from_bytes(rand(32), "big") % (P - 1) + 1 if rand else 1


def inverse(a: int, modulus: int) -> int:
    """1 / a by Euclid; its time depends on `a`, so what is secret comes multiplied by something random."""
    low, high = a % modulus, modulus
    if not low:
        raise ZeroDivisionError
    x, y = 1, 0
    while low > 1:
        quotient, rest = divmod(high, low)
        high, low = low, rest
        x, y = y - quotient * x, x
    return x % modulus


def double(p):
    """2p in Jacobian coordinates (X / Z^2, Y / Z^3), for a = -3."""
    X, Y, Z = p
    if not Z:
        return p
    q = P
    d = Z * Z % q
    g = Y * Y % q
    b = X * g % q
    a = 3 * (X - d) * (X + d) % q
    x = (a * a - 8 * b) % q
    return x, (a * (4 * b - x) - 8 * g * g) % q, 2 * Y * Z % q


def add(p, r):
    """p + r, both Jacobian, right for every pair of points."""
    X1, Y1, Z1 = p
    X2, Y2, Z2 = r
    if not Z1:
        return r
    if not Z2:
        return p
    q = P
    a = Z1 * Z1 % q
    b = Z2 * Z2 % q
    u = X1 * b % q
    h = (X2 * a - u) % q
    s = Y1 * (b * Z2 % q) % q
    t = (Y2 * (a * Z1 % q) - s) % q
    if not h:
        return _INFINITY if t else double(p)
    hh = h * h % q
    hhh = h * hh % q
    v = u * hh % q
    x = (t * t - hhh - 2 * v) % q
    return x, (t * (v - x) - s * hhh) % q, (Z1 * Z2 % q) * h % q


def add_affine(p, x2, y2):
    """p + (x2, y2, 1), a third cheaper."""
    X1, Y1, Z1 = p
    if not Z1:
        return x2, y2, 1
    q = P
    a = Z1 * Z1 % q
    h = (x2 * a - X1) % q
    t = (y2 * (a * Z1 % q) - Y1) % q
    if not h:
        return _INFINITY if t else double(p)
    hh = h * h % q
    hhh = h * hh % q
    v = X1 * hh % q
    x = (t * t - hhh - 2 * v) % q
    return x, (t * (v - x) - Y1 * hhh) % q, Z1 * h % q


def rescale(p, factor):
    """The same point with Z times `factor`: nobody who lacks the factor can follow the numbers from here."""
    square = factor * factor % P
    return p[0] * square % P, p[1] * (square * factor % P) % P, p[2] * factor % P


def affine(p) -> "tuple[int, int]":
    if not p[2]:
        raise BadPoint  # infinity has no coordinates
    z = inverse(p[2], P)
    square = z * z % P
    return p[0] * square % P, p[1] * (square * z % P) % P


def comb_steps(k: int, table: bytes, factor: int = 1):
    """k times the point a comb table was made for; a generator that returns a Jacobian point.

    The table fixes how long a scalar may be: a longer one would lose its top bits without a word, and is
    refused.
    """
    if not 0 <= k < 1 << _COMB_BITS or len(table) != 31 * 64:
        raise ValueError
    points = memoryview(table)
    total = _INFINITY
    for column in range(_COLUMNS - 1, -1, -1):
        total = double(total)
        at = _tooth_marks(k, column)
        if at:
            at = (at - 1) * 64
            x = int.from_bytes(points[at : at + 32], "big")
            y = int.from_bytes(points[at + 32 : at + 64], "big")
            started = total[2]
            total = add_affine(total, x, y)
            if not started:
                total = rescale(total, factor)
        if column & 1 == 0:
            yield
    return total


def _tooth_marks(k, column):
    marks = 0
    for tooth in range(_TEETH):
        marks |= ((k >> (column + tooth * _COLUMNS)) & 1) << tooth
    return marks


def window_steps(k: int, x: int, y: int, factor: int = 1, bits: int = 256):
    """k * (x, y) for any point; a generator that returns a Jacobian point.

    Signed digits of five bits: adding half a digit at every place first makes them -16..15 without a carry.
    `bits` counts the windows; a scalar that does not fit is refused, never shortened.
    """
    if not 0 <= k < 1 << bits:
        raise ValueError
    windows = (bits + 2 + _WINDOW - 1) // _WINDOW
    digits = k + sum([16 << (_WINDOW * i) for i in range(windows)])
    table = yield from _small_multiples(x, y)
    total = _INFINITY
    for window in range(windows - 1, -1, -1):
        for _ in range(_WINDOW):
            total = double(total)
        digit = ((digits >> (_WINDOW * window)) & 31) - 16
        if digit:
            X, Y, Z = table[abs(digit)]
            started = total[2]
            total = add(total, (X, Y if digit > 0 else P - Y, Z))
            if not started:
                total = rescale(total, factor)
        if window & 1 == 0:
            yield
    return total


def _small_multiples(x, y):
    table = [_INFINITY, (x, y, 1)]
    for i in range(2, 17):
        table.append(add_affine(table[i - 1], x, y) if i & 1 else double(table[i >> 1]))
        if i == 9:
            yield
    yield
    return table


def blinded_steps(k: int, x: int, y: int, rand):
    """k * (x, y) through k + r * N, for a scalar that is used again and again; a generator as above."""
    r = int.from_bytes(rand(BLIND_BITS // 8), "big")
    return (yield from window_steps(k + r * N, x, y, start_factor(rand), 256 + BLIND_BITS))


def finish(steps):
    """Run a generator to its end; what it returns."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


class Job:
    """A sum in slices: `step()` does the next one, True if it was the last; then `result` is there."""

    def __init__(self, steps):
        self._steps = steps
        self.done = False
        self.result = None

    def step(self) -> bool:
        if self.done:
            return True
        try:
            next(self._steps)
        except StopIteration as end:
            self.result = end.value
            self.done = True
            self._steps = None
        return self.done


def base_steps(k: int, factor: int = 1):
    return comb_steps(k, BASE_TABLE, factor)


def comb_table(x: int, y: int) -> bytes:
    """The 31 sums of (x, y) at five teeth: 1,984 bytes that make a fixed point three times faster."""
    teeth = [(x, y)]
    p = (x, y, 1)
    for _ in range(_TEETH - 1):
        for _ in range(_COLUMNS):
            p = double(p)
        teeth.append(affine(p))
    table = []
    for marks in range(1, 32):
        total = _INFINITY
        for tooth in range(_TEETH):
            if marks >> tooth & 1:
                total = add_affine(total, teeth[tooth][0], teeth[tooth][1])
        table.append(encode_point(*affine(total))[1:])
    return b"".join(table)
