#!/usr/bin/python3
"""Makes srp_deployed.json, which no document has.

    PAKE_INTEROP_WORK=build/dev/interop tests/vectors/make_srp_deployed.py > tests/vectors/srp_deployed.json

Every value is computed here by the formulas that the packages follow, and what a package shows of a run with the same
exponents (A, B, v, M1, M2, K or S) is compared with it: cognito's client, both sides of fast-srp-hap,
secure-remote-password (whose server takes no exponent, so its B is not compared) and go-srp. Exponents, salts and names are
SHA-256 of their labels, so a second run prints the same. The runs named edge-* have an A, a B or an S that begins with a
zero octet, or with a set bit: there the conventions differ.
"""

import crypt
import hashlib
import hmac
import json
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/interop"))
import peers  # noqa: E402

GROUPS = {bits: (int(of["N"], 16), of["g"]) for bits, of in json.loads((ROOT / "tests/vectors/srp.json").read_text())["groups"].items()}
FAMILY = ROOT / "tests/interop/family"


def label(*parts, size=32):
    out = b""
    while len(out) < size:
        out += hashlib.sha256(repr((*parts, len(out))).encode()).digest()
    return out[:size]


def MIN(n):
    return n.to_bytes((n.bit_length() + 7) // 8, "big")


def java(n):
    return n.to_bytes(n.bit_length() // 8 + 1, "big")


def expand_hash(data):
    return b"".join(hashlib.sha512(data + bytes([i])).digest() for i in range(4))


def number(octets):
    return int.from_bytes(octets, "big")


class Mode:
    """What is common: x is the mode's; the rest follows."""

    def __init__(self, bits, hash_name):
        self.N, self.g = GROUPS[bits]
        self.bits, self.hash_name, self.size = bits, hash_name, self.N.bit_length() // 8

    def H(self, *parts):
        return hashlib.new(self.hash_name, b"".join(parts)).digest()

    def PAD(self, n):
        return n.to_bytes(self.size, "big")

    def run(self, x, k, u_of, a, b):
        N, g = self.N, self.g
        v = pow(g, x, N)
        A, B = pow(g, a, N), (k * v + pow(g, b, N)) % N
        u = u_of(A, B)
        S = pow(A * pow(v, u, N), b, N)
        assert S == pow(B - k * v, a + u * x, N)
        return {"k": k, "x": x, "v": v, "u": u, "A": A, "B": B, "S": S}

    def proofs(self, I, s, of, K):
        mixed = bytes(p ^ q for p, q in zip(self.H(self.PAD(self.N)), self.H(MIN(self.g))))
        A, B = self.PAD(of["A"]), self.PAD(of["B"])
        M1 = self.H(mixed, self.H(I), s, A, B, K)
        return {"M1": M1, "M2": self.H(A, M1, K), "K": K}


class Rfc(Mode):
    def __init__(self, mode, bits, hash_name, pads_k):
        super().__init__(bits, hash_name)
        self.mode, self.pads_k = mode, pads_k

    def compute(self, I, P, s, a, b):
        x = number(self.H(s, self.H(I, b":", P)))
        k = number(self.H(self.PAD(self.N), self.PAD(self.g) if self.pads_k else MIN(self.g)))
        of = self.run(x, k, lambda A, B: number(self.H(self.PAD(A), self.PAD(B))), a, b)
        S = self.PAD(of["S"])
        K = self.H(S)
        if self.mode == "fast-srp-hap" and self.hash_name == "sha1":
            K = self.H(S, bytes(4)) + self.H(S, b"\0\0\0\1")
        return {**of, **self.proofs(I, s, of, K)}


class Cognito(Mode):
    mode = "cognito"

    def __init__(self):
        super().__init__("3072", "sha256")
        self.g = 2

    def compute(self, I, P, s, a, b, claim):
        x = number(self.H(java(number(s)), self.H(I, b":", P)))
        k = number(self.H(java(self.N), java(self.g)))
        of = self.run(x, k, lambda A, B: number(self.H(java(A), java(B))), a, b)
        prk = hmac.digest(java(of["u"]), java(of["S"]), "sha256")
        K = hmac.digest(prk, b"Caldera Derived Key\x01", "sha256")[:16]
        return {**of, "K": K, "M1": hmac.digest(K, I + claim, "sha256")}


class Proton(Mode):
    mode = "proton"

    def __init__(self):
        super().__init__("2048", "sha512")

    def LE(self, n):
        return n.to_bytes(self.size, "little")

    def compute(self, I, P, s, a, b):
        def little(octets):
            return int.from_bytes(octets, "little")

        of = self.run(little(expand_hash(P + self.LE(self.N))), little(expand_hash(self.LE(self.g) + self.LE(self.N))),
                      lambda A, B: little(expand_hash(self.LE(A) + self.LE(B))), a, b)
        A, B, S = (self.LE(of[name]) for name in "ABS")
        M1 = expand_hash(A + B + S)
        return {**of, "K": self.H(S), "M1": M1, "M2": expand_hash(A + M1 + S)}


def entry(name, mode, inputs, of, origin):
    result = {"id": name, "mode": mode.mode, "group_bits": int(mode.bits), "hash": mode.hash_name, "origin": origin,
              "inputs": {key: value.hex() for key, value in inputs.items()},
              "intermediate": {**{key: MIN(of[key]).hex() for key in "kxu"}, "v": mode.PAD(of["v"]).hex()},
              "messages": {"A": mode.PAD(of["A"]).hex(), "B": mode.PAD(of["B"]).hex(), "M1": of["M1"].hex()},
              "outputs": {"S": mode.PAD(of["S"]).hex(), "K": of["K"].hex()}}
    if "M2" in of:
        result["messages"]["M2"] = of["M2"].hex()
    return result


def search(mode, wanted, compute, inputs, which):
    """The first exponents by which the run is as wanted."""
    for attempt in range(20000):
        inputs[which] = label("edge", mode.mode, wanted.__name__, attempt)
        of = compute(inputs)
        if wanted(of):
            return of
    raise AssertionError("none found")


def same(theirs, of):
    for name, value in theirs.items():
        assert value == of[name], (name, value.hex(), of)


def main():
    work = peers.work_directory()
    vectors = []
    with peers.node_peer(FAMILY / "node/peer.js", work / "family-node") as npm, \
            peers.go_peer(FAMILY / "go", work / "family-go") as go:
        def ask(program, op, /, **fields):
            answer = program.ask(op, **{name: v.hex() if isinstance(v, bytes) else v for name, v in fields.items()})
            return {name: bytes.fromhex(value) for name, value in answer.items()}

        def check_rfc(mode, peer, inputs, of):
            a, b = inputs["a"], inputs["b"]
            I, P, s = inputs["I"], inputs["P"], inputs["s"]
            A, B, v = mode.PAD(of["A"]), mode.PAD(of["B"]), mode.PAD(of["v"])
            assert ask(npm, "srp-start", **peer, I=I, P=P, a=a)["A"] == A
            same(ask(npm, "srp-prove", **peer, s=s, B=B), of)
            ask(npm, "srp-finish", M2=of["M2"])
            if peer["peer"] == "fast-srp-hap":
                assert ask(npm, "srp-respond", **peer, s=s, v=v, I=I, A=A, b=b)["B"] == B
                same(ask(npm, "srp-check", M1=of["M1"]), of)

        def A_is_short(of):
            return of["A"].bit_length() <= mode.N.bit_length() - 8

        def B_is_short(of):
            return of["B"].bit_length() <= mode.N.bit_length() - 8

        def S_is_short(of):
            return of["S"].bit_length() <= mode.N.bit_length() - 8

        def S_has_its_first_bit(of):
            return of["S"].bit_length() == mode.N.bit_length()

        for mode, peer, version in (
                (Rfc("fast-srp-hap", "1024", "sha1", True), {"peer": "fast-srp-hap", "params": "1024"}, "2.0.4"),
                (Rfc("fast-srp-hap", "2048", "sha256", True), {"peer": "fast-srp-hap", "params": "2048"}, "2.0.4"),
                (Rfc("fast-srp-hap", "3072", "sha512", True), {"peer": "fast-srp-hap", "params": "hap"}, "2.0.4"),
                (Rfc("secure-remote-password", "2048", "sha256", False), {"peer": "secure-remote-password"}, "0.3.1")):
            def compute(inputs, mode=mode):
                return mode.compute(inputs["I"], inputs["P"], inputs["s"], number(inputs["a"]), number(inputs["b"]))

            base = {"I": "Pair-Setup".encode(), "P": b"587-46-126", **{key: label(mode.mode, mode.bits, key) for key in "ab"},
                    "s": label(mode.mode, mode.bits, "s", size=16)}
            wanted = [None]
            if mode.bits == "2048":
                wanted += [A_is_short, B_is_short, S_is_short]
            for edge in wanted:
                inputs = dict(base)
                of = search(mode, edge, compute, inputs, "a" if edge is A_is_short else "b") if edge else compute(inputs)
                check_rfc(mode, peer, inputs, of)
                name = f"{mode.mode}-{mode.bits}-{mode.hash_name}" + (f"-edge-{edge.__name__}".replace("_", "-") if edge else "")
                vectors.append(entry(name, mode, inputs, of, f"{peer['peer']} {version}"))

        mode = Cognito()
        time = b"Sat Nov 28 10:00:00 UTC 2026"
        for edge in (None, A_is_short, B_is_short, S_is_short, S_has_its_first_bit):
            inputs = {"I": b"poolName" + "üser".encode(), "P": b"password123", **{key: label("cognito", key) for key in "ab"},
                      "s": label("cognito", "s", size=16), "SECRET_BLOCK": label("block", size=100), "TIMESTAMP": time}
            claim = inputs["SECRET_BLOCK"] + time

            def compute(inputs, mode=mode, claim=claim):
                return mode.compute(inputs["I"], inputs["P"], inputs["s"], number(inputs["a"]), number(inputs["b"]), claim)

            of = search(mode, edge, compute, inputs, "a" if edge is A_is_short else "b") if edge else compute(inputs)
            started = ask(npm, "srp-start", peer="cognito", pool=b"poolName", I="üser".encode(), P=inputs["P"], a=inputs["a"])
            assert number(started["A"]) == of["A"]
            same(ask(npm, "srp-prove", s=inputs["s"], B=mode.PAD(of["B"]), claim=claim), of)
            name = "cognito" + (f"-edge-{edge.__name__}".replace("_", "-") if edge else "")
            vectors.append(entry(name, mode, inputs, of, "amazon-cognito-identity-js 6.3.21"))

        mode = Proton()
        N = mode.LE(mode.N)
        for edge in (None, A_is_short, S_is_short):
            s = label("proton", "s", size=10)
            setting = "$2y$10$" + bcrypt_base64(s + b"proton")
            inputs = {"I": b"alice", "P": crypt.crypt("password123", setting).encode(), "s": s,
                      **{key: label("proton", key) for key in "ab"}}

            def compute(inputs, mode=mode):
                return mode.compute(inputs["I"], inputs["P"], inputs["s"], number(inputs["a"]), number(inputs["b"]))

            of = search(mode, edge, compute, inputs, "a" if edge is A_is_short else "b") if edge else compute(inputs)
            a, b = (mode.LE(number(inputs[key])) for key in "ab")
            proof = ask(go, "prove", N=N, password=b"password123", s=s, B=mode.LE(of["B"]), a=a)
            assert proof == {"A": mode.LE(of["A"]), "M1": of["M1"]}
            ask(go, "finish", M2=of["M2"])
            assert ask(go, "challenge", N=N, v=mode.LE(of["v"]), b=b)["B"] == mode.LE(of["B"])
            assert ask(go, "check", A=proof["A"], M1=of["M1"]) == {"M2": of["M2"], "S": mode.LE(of["S"])}
            name = "proton" + (f"-edge-{edge.__name__}".replace("_", "-") if edge else "")
            vectors.append(entry(name, mode, inputs, of, "go-srp 0.0.7; P is bcrypt of password123, K is this library's"))
    print(json.dumps({"protocol": "SRP-6a as it is deployed",
                      "set": "derived: tests/vectors/make_srp_deployed.py says how, and each origin with which package's code it was compared",
                      "encoding": "lowercase hexadecimal, numbers big-endian; A, B, v and S padded to the size of N for display",
                      "vectors": vectors}, indent=1))


def bcrypt_base64(octets):
    alphabet = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    bits = "".join(f"{octet:08b}" for octet in octets)
    bits += "0" * (-len(bits) % 6)
    return "".join(alphabet[int(bits[i:i + 6], 2)] for i in range(0, len(bits), 6))


if __name__ == "__main__":
    main()
