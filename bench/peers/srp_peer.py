"""python-srp (PyPI: srp) as a peer of bench/side_by_side.py: what it is asked and answers is in README.md."""

import sys
import time

import srp

NAME, PASSWORD = "user 4711", "correct horse"
HOW = {"hash_alg": srp.SHA256, "ng_type": srp.NG_2048}


def srp_login(count: int, salt: bytes, verifier: bytes) -> int:
    """Nanoseconds of CPU time of the server's part of `count` runs."""
    users = [srp.User(NAME, PASSWORD, **HOW) for _ in range(count)]
    shares = [user.start_authentication()[1] for user in users]
    begin = time.process_time_ns()
    servers = [srp.Verifier(NAME, salt, verifier, A, **HOW) for A in shares]
    challenges = [server.get_challenge() for server in servers]
    answered = time.process_time_ns()
    proofs = [user.process_challenge(*challenge) for user, challenge in zip(users, challenges)]
    computed = time.process_time_ns()
    for server, proof in zip(servers, proofs):
        server.verify_session(proof)
    end = time.process_time_ns()
    if not all(server.authenticated() for server in servers):
        raise SystemExit("error: a run of python-srp failed")
    return answered - begin + end - computed


def main() -> None:
    salt, verifier = srp.create_salted_verification_key(NAME, PASSWORD, **HOW)
    for line in sys.stdin:
        step, _, count = line.strip().partition(" ")
        if step == "describe":
            print(f"python-srp 1.0.22, {srp.Verifier.__module__}", flush=True)
        elif step == "srp":
            print(srp_login(int(count), salt, verifier), flush=True)
        else:
            print("unknown", flush=True)


main()
