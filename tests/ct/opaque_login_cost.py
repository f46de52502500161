#!/usr/bin/env python3
"""A login of a user and one of nobody cost a server the same: opaque_login_cost.py PROGRAM VALGRIND

Counts instructions with callgrind, fixed randomness; fails where they differ by more than 0.1 %.
"""

import re
import subprocess
import sys

LIMIT = 0.001


def instructions(program, valgrind, user):
    run = subprocess.run(
        [valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", "--toggle-collect=answer*", program, user],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


def main():
    program, valgrind = sys.argv[1:]
    real, fake = (instructions(program, valgrind, user) for user in ("real", "fake"))
    difference = abs(real - fake) / real
    print(f"instructions of a login: {real} real, {fake} fake, {100 * difference:.4f} % apart")
    sys.exit(0 if real > 100_000 and difference <= LIMIT else 1)


if __name__ == "__main__":
    main()
