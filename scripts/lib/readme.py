"""Types what the README says, word for word, at terminals of two machines: a file by its four lines, then a page by its tunnel.

    scripts/lib/readme.py README.md ONE OTHER      ONE and OTHER: what to put in front of a command to run it there

On ONE, which the other calls 192.0.2.7 and box, photo.jpg lies in the working directory and a page at 127.0.0.1:80. Nothing is
typed that the README does not say, but the code and the password when they are asked for, and a yes.
"""

import os
import pathlib
import re
import shlex
import stat
import subprocess
import sys
import tempfile

PASSWORD = "seven lemons sing"
os.environ.setdefault("PAKE", "pake")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent.parent / "tests" / "system"))
import terminal  # noqa: E402


def commands(readme):
    """[(machine or "", words)] of what stands behind a prompt, without what explains it."""
    found = re.findall(r"^(box|laptop|)\$ +pake (.*?)(?: {3,}.*)?$", readme, re.MULTILINE)
    return [(machine, shlex.split(words)) for machine, words in found]


class Machine:
    def __init__(self, folder, name, prefix):
        self.prefix = shlex.split(prefix)
        self.program = os.path.join(folder, name)
        pathlib.Path(self.program).write_text(f'#!/bin/sh\nexec {prefix} pake "$@"\n')
        os.chmod(self.program, stat.S_IRWXU)

    def type(self, words):
        print("$ pake", *words, flush=True)
        terminal.PAKE = self.program
        return terminal.Terminal(*words)


def take(given, words, *begin):
    """The next command, which begins so."""
    assert words[:len(begin)] == list(begin), f"the README says {words} and not pake {' '.join(begin)} ..."
    return given.type(words)


def send_a_file(one, other, send, receive):
    sender = take(one, send, "send")
    code = sender.see(r"the code is  \S+").split()[-1]
    receiver = take(other, receive, "receive")
    receiver.see("Code: ")
    receiver.type(code + "\r")
    receiver.see(r"\[y/N\]")
    receiver.type("y\r")
    assert (receiver.wait(), sender.wait()) == (0, 0)


def reach_a_page(box, laptop, serve, invite, enroll, forward):
    server = take(box, serve, "serve")
    server.see("listening on")
    operator = take(box, invite, "user", "invite", "alice")
    code = operator.see(r"\d+(-[a-z]+){4}")
    assert operator.wait() == 0
    alice = take(laptop, enroll, "enroll")
    alice.see("[Cc]ode.*: ")
    alice.type(code + "\r")
    for question in ("New password of .*: ", "Again: "):
        alice.see(question)
        alice.type(PASSWORD + "\r")
    assert alice.wait() == 0
    tunnel = take(laptop, forward, "forward")
    tunnel.see("Password of .*: ")
    tunnel.type(PASSWORD + "\r")
    tunnel.see("wiki is at")
    page = subprocess.run([*laptop.prefix, "python3", "-c", "import urllib.request as r; print(r.urlopen('http://localhost:8080/').read().decode())"],
                          stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    print(page)
    assert page.startswith("the page"), page
    tunnel.type("\x03")
    server.type("\x03")
    assert tunnel.wait() in (0, 130) and server.wait() in (0, 130)


def main():
    readme, one, other = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        one, other = Machine(folder, "one", one), Machine(folder, "other", other)
        given = commands(pathlib.Path(readme).read_text(encoding="utf-8"))
        files = [words for machine, words in given if not machine]
        send_a_file(one, other, *files[:2])
        tunnel = [(machine, words) for machine, words in given if machine]
        assert [machine for machine, _ in tunnel] == ["box", "box", "laptop", "laptop"], tunnel
        reach_a_page(one, other, *(words for _, words in tunnel))


if __name__ == "__main__":
    main()
