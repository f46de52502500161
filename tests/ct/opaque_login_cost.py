#!/usr/bin/env python3
"""A login of a user and one of nobody cost a server the same, in either of two epochs: opaque_login_cost.py PROGRAM VALGRIND

Counts instructions with callgrind, fixed randomness; fails where they differ by more than 0.1 %.
"""

import re
import subprocess
import sys

LIMIT = 0.001
CASES = ("real-1", "real-2", "fake-1", "fake-2", "lost")


def instructions(program, valgrind, case):
    run = subprocess.run(
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=answer*", program, case],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def main():
    program, valgrind = sys.argv[1:]
    counts = {case: instructions(program, valgrind, case) for case in CASES}
    least = min(counts.values())
    difference = (max(counts.values()) - least) / least
    print("instructions of a login:", counts, f"{100 * difference:.4f} % apart")
    sys.exit(0 if least > 100_000 and difference <= LIMIT else 1)


if __name__ == "__main__":
    main()
