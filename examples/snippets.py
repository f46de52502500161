"""Every C++ block of the pages that newcomers paste from is made of lines of the example programs, in their order: so it
compiles and runs. A line of dots stands for what was left out."""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parent.parent
PAGES = ["README.md", "docs/library.md"]


def lines_of(text):
    """Without indentation, empty lines and comments at the end: what code is the same."""
    kept = (re.sub(r"\s*//.*", "", line).strip() for line in text.splitlines())
    return [line for line in kept if line]


def is_within(block, program):
    """Whether the block's lines follow each other in the program; after dots anything may come between."""
    runs = [[]]
    for line in block:
        if line == "...":
            runs.append([])
        else:
            runs[-1].append(line)
    start = 0
    for run in runs:
        found = next((i for i in range(start, len(program) - len(run) + 1) if program[i : i + len(run)] == run), None)
        if found is None:
            return False
        start = found + len(run)
    return True


def main():
    programs = {path.name: lines_of(path.read_text()) for path in sorted(ROOT.glob("examples/*.cpp"))}
    blocks = failures = 0
    for page in PAGES:
        for block in re.findall(r"```cpp\n(.*?)```", (ROOT / page).read_text(), re.DOTALL):
            blocks += 1
            if not any(is_within(lines_of(block), program) for program in programs.values()):
                failures += 1
                print(f"{page}: no example has these lines:\n{block}")
    print(f"{blocks} blocks, {failures} of them in no example")
    sys.exit(1 if failures or not blocks else 0)


if __name__ == "__main__":
    main()
