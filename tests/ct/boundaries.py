#!/usr/bin/env python3
"""Compares boundaries.md with what the programs do: boundaries.py BIN_DIR VALGRIND

A program is a column of the table. It crosses a suppression as often as valgrind says that it used it, and a call that
is made with reports switched off as often as valgrind notes it.
"""

import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
SUPPRESSIONS = HERE / "libsodium.supp"


def cells(line):
    return [cell.strip().strip("`") for cell in line.strip().strip("|").split("|")]


def documented():
    """{program: {boundary: crossings}}, zeros left out."""
    rows = [cells(line) for line in (HERE / "boundaries.md").read_text().splitlines() if line.startswith("|")]
    programs, rows = rows[0][1:], rows[2:]
    return {
        program: {row[0]: int(row[column]) for row in rows if int(row[column]) != 0}
        for column, program in enumerate(programs, start=1)
    }


def counted(bin_dir, valgrind, program):
    command = [valgrind, "-v", f"--suppressions={SUPPRESSIONS}", str(bin_dir / f"ct_{program}")]
    run = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    used = re.findall(r"used_suppression: +(\d+) (\S+) (\S+):\d+", run.stderr)
    crossings = {name: int(times) for times, name, file in used if file == str(SUPPRESSIONS)}
    for name in re.findall(r"crossed: (\S+)", run.stderr):
        crossings[name] = crossings.get(name, 0) + 1
    return crossings


def main():
    bin_dir, valgrind = pathlib.Path(sys.argv[1]), sys.argv[2]
    differ = False
    for program, wanted in documented().items():
        found = counted(bin_dir, valgrind, program)
        for name in sorted(wanted.keys() | found.keys()):
            if wanted.get(name, 0) != found.get(name, 0):
                print(f"{program}: {name}: {found.get(name, 0)} crossings, boundaries.md says {wanted.get(name, 0)}")
                differ = True
    sys.exit(1 if differ else 0)


if __name__ == "__main__":
    main()
