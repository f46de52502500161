"""SRP-6a against the Python package `srp`, by its two back ends, in both roles.

test_srp.py PEER C|python [RUNS]

A known fault of the pure Python back end up to 1.0.20: the inner hash H(I ":" P) is a number to it, so that where it
begins with a zero octet (one password in 256) it computes an x of its own. Then no run with it may succeed, and the other
back end must: both are asserted.
"""

import hashlib
import importlib
import secrets
import sys

from ours import Ours, Refused

try:
    import srp as package  # noqa: F401: whether it is there
except ImportError:
    print("skipped: python3-srp is not installed")
    sys.exit(77)

PYSRP, PYSRP_RFC5054, NO_USERNAME = 2, 3, 5
GROUPS = {3: "NG_2048", 1: "NG_1024"}
HASHES = {"sha1": "SHA1", "sha256": "SHA256", "sha384": "SHA384", "sha512": "SHA512"}


def inner_hash_begins_with_zero(hash_name, name, password):
    return hashlib.new(hash_name, name + b":" + password).digest()[0] == 0


def our_client(ours, srp, parameters, options, name, password):
    """Whether a client of ours gets in at their server, with the same key."""
    salt, verifier = srp.create_salted_verification_key(name, password, salt_len=16, **options)
    if salt[0] == 0 or len(salt) != 16:  # a number to them: a leading zero is lost
        return None
    A = ours.ask("srp-start", I=name, P=password, **parameters)["A"]
    server = srp.Verifier(name, salt, verifier, A, **options)
    s, B = server.get_challenge()
    assert B is not None, "they refuse our A"
    M1 = ours.ask("srp-prove", s=s, B=B)["M1"]
    M2 = server.verify_session(M1)
    if M2 is None:
        return False
    assert ours.ask("srp-finish", M2=M2)["K"] == server.get_session_key(), "another key"
    return True


def their_client(ours, srp, parameters, options, name, password):
    """Whether a client of theirs gets in at our server, with the same key."""
    record = ours.ask("srp-verifier", I=name, P=password, **parameters)
    client = srp.User(name, password, **options)
    _, A = client.start_authentication()
    B = ours.ask("srp-respond", I=name, A=A, **record, **parameters)["B"]
    M1 = client.process_challenge(record["s"], B)
    assert M1 is not None, "they refuse our B"
    try:
        finished = ours.ask("srp-check", M1=M1)
    except Refused as refusal:
        assert str(refusal) == "auth_failed", refusal
        return False
    client.verify_session(finished["M2"])
    assert client.authenticated() and finished["K"] == client.get_session_key(), "another key"
    return True


def main():
    program, back_end = sys.argv[1:3]
    runs = int(sys.argv[3]) if len(sys.argv) > 3 else 200
    try:
        srp = importlib.import_module({"C": "srp._ctsrp", "python": "srp._pysrp"}[back_end])
    except (ImportError, OSError) as error:
        print(f"skipped: this srp has no such back end: {error}")
        sys.exit(77)
    done = faults = 0
    with Ours(program) as ours:
        for mode in (PYSRP, PYSRP_RFC5054):  # the switch is for good, so it comes last
            if mode == PYSRP_RFC5054:
                srp.rfc5054_enable()
            for run in range(runs // 2):
                group = 1 if run % 4 else 3
                hash_name = list(HASHES)[run % len(HASHES)]
                parameters = {"mode": mode, "group": group, "hash": hash_name}
                options = {"hash_alg": getattr(srp, HASHES[hash_name]), "ng_type": getattr(srp, GROUPS[group])}
                name = secrets.token_hex(1 + run % 20).encode()
                password = secrets.token_bytes(1 + run % 30).hex().encode()
                for attempt in (our_client, their_client):
                    agreed = attempt(ours, srp, parameters, options, name, password)
                    if agreed is None:
                        continue
                    at_fault = back_end == "python" and inner_hash_begins_with_zero(hash_name, name, password)
                    assert agreed != at_fault, (attempt.__name__, parameters, name, password)
                    faults += at_fault
                    done += 1
                if run % 10 == 0:  # and somebody who does not know it
                    record = ours.ask("srp-verifier", I=name, P=password, **parameters)
                    client = srp.User(name, password + b"x", **options)
                    _, A = client.start_authentication()
                    B = ours.ask("srp-respond", I=name, A=A, **record, **parameters)["B"]
                    try:
                        ours.ask("srp-check", M1=client.process_challenge(record["s"], B))
                    except Refused:
                        continue
                    raise AssertionError("a wrong password was taken")
    print(f"{done} runs agree with srp's {back_end} back end, {faults} of them in its known fault")


main()
