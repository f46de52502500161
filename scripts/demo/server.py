"""The third part of the show: a server with users, who log in by passwords that it never sees, and a web page behind it."""

import os
import pathlib
import re
import sys
import tempfile
import urllib.error
import urllib.request

from eavesdropper import Eavesdropper
from programs import DEADLINE, Program
from stage import print_said, print_text, print_title, styled

PASSWORD, WRONG = "seven lemons sing", "seven lemons ring"
PAGE = "<h1>The wiki at home</h1> Nobody on the way has read this line.\n"
LINE = "are you the server where I enrolled?"


class Scenes:
    """Runs one command after the other, shows what was typed and what it printed, and notes what is not as it should be."""

    def __init__(self, pake, directory):
        self._pake, self._directory = pake, pathlib.Path(directory)
        self.wrong = []

    def file(self, name, text):
        """A secret in a file of its owner's alone, as a person would keep it."""
        path = self._directory / name
        with open(path, "w", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(text)
        return str(path)

    def show_typed(self, words, environment=()):
        given = "".join(f"{name}='{value}' " for name, value in environment)
        short = [word.replace(str(self._directory), "DIR").replace(self._pake, "pake") for word in words]
        print(styled(f"  $ {given}{' '.join(short)}", 1))

    def show_printed(self, text):
        for line in text.splitlines():
            print_said(line.replace(str(self._directory), "DIR"))

    def start(self, *words, environment=()):
        """A program that goes on; its words come on stderr."""
        self.show_typed([self._pake, *words], environment)
        return Program([self._pake, *words], env={**os.environ, **dict(environment)})

    def run(self, *words, environment=(), typed=(), code=0):
        """One command to its end. Returns what it printed on stdout."""
        with self.start(*words, environment=environment) as program:
            for line in typed:
                print(f"  > {line}")
                program.send(line)
            ended = program.finish()
        self.show_printed(program.stdout + program.stderr)
        if ended or code:
            print(f"  (exit code {ended})\n")
        self.expect(ended == code, f"the exit code of pake {words[0]} should be {code}, not {ended}")
        return program.stdout

    def expect(self, is_right, otherwise):
        if not is_right:
            self.wrong.append(otherwise)


def fetch(url):
    """The page's text, or why there is none. No proxy of this machine's stands before localhost, and as in a browser that
    name is loopback even if nothing resolves it."""
    request = urllib.request.Request(url.replace("localhost", "127.0.0.1"), headers={"Host": url.split("/")[2]})
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(request, timeout=DEADLINE) as answer:
            return answer.read().decode()
    except urllib.error.URLError as error:
        return f"no page: {error.reason}"


def show_page(scenes, destination, directory):
    print_title("8. The page, through a port of this machine")
    print_text("The browser's side of it. What listens is on loopback, where a browser takes http for secure, and lets in "
               "this user's programs alone. Each connection is a stream in the one channel.")
    print()
    with scenes.start("forward", destination, "wiki", "-L", "0", "--password-file", f"{directory}/password") as forward:
        where = forward.wait_for(r"wiki is at (\S+)$", "stderr")[1]
        scenes.show_printed(forward.stderr)
        url = f"http://localhost:{where.rsplit(':', 1)[1]}/"
        scenes.show_typed(["the browser opens", url])
        page = fetch(url)
        scenes.show_printed(page)
    scenes.expect(page == PAGE, f"the page through the tunnel should be what the web server has, not {page!r}")


def show_what_is_seen(scenes, recordings):
    print_title("What an eavesdropper saw of 6 to 9")
    secrets = [PASSWORD, WRONG, LINE, PAGE.strip()]
    found = sum(recording.count(secrets) for recording in recordings)
    size = sum(len(data) for recording in recordings for _, data in recording.chunks)
    names = sum(recording.count(["alice"]) > 0 for recording in recordings)
    print_text(f"{len(recordings)} connections, {size} bytes. Searched for both passwords, the line and the page: {found} found. "
               f"Who logs in shows: the name alice passed in {names} of them.")
    scenes.expect(found == 0, "neither a password nor the page should have passed in clear")
    scenes.expect(names > 0, "the eavesdropper should have stood where the logins passed")


def show(pake):
    print_title("A SERVER, AND A WEB PAGE BEHIND IT, by OPAQUE and the same channel")
    print_text("A machine at home has a wiki that only the machine itself can reach, and no certificate. Its owner starts a "
               "server beside it. DIR stands for a fresh directory.")
    print()
    with tempfile.TemporaryDirectory(prefix="pake-demo-") as directory:
        os.mkdir(f"{directory}/site")
        pathlib.Path(directory, "site", "index.html").write_text(PAGE)
        web_server = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", f"{directory}/site", "0"]
        with Program(web_server) as wiki:
            port = wiki.wait_for(r"port (\d+)")[1]
            return play(pake, directory, port)


def play(pake, directory, port):
    scenes = Scenes(pake, directory)
    data = f"{directory}/data"
    with scenes.start("serve", "127.0.0.1:0", "--data", data, "--service", f"wiki=127.0.0.1:{port}") as server:
        address = server.wait_for(r"listening on (\S+)$", "stderr")[1]
        scenes.show_printed("\n".join(line for line in server.stderr.splitlines() if line.startswith("note:")))
        with Eavesdropper(address) as eavesdropper:
            destination = f"alice@{eavesdropper.address}"

            print_title("6. Alice is invited, and chooses a password")
            code = scenes.run("user", "invite", "alice", "--data", data).strip()
            scenes.expect(re.fullmatch(r"\d+(-[a-z]+){4}", code), "the invitation should be a number and four words")
            print_text(f"She is told the code. On her laptop she types it, and the password of her choice: {PASSWORD}. The "
                       "server stores a record of it, from which nobody can guess it without the key file beside the "
                       f"database. An eavesdropper sits at {eavesdropper.address} and passes everything on.")
            print()
            scenes.run("enroll", destination, "--code-file", scenes.file("code", code + "\n"),
                       "--password-file", scenes.file("password", PASSWORD + "\n"))

            print_title("7. She logs in, and says a line to the service echo")
            said = scenes.run("connect", destination, "--password-file", f"{directory}/password", typed=[LINE])
            scenes.expect(said == f"receive {LINE}\n", "the service echo should have repeated the line")

            show_page(scenes, destination, directory)

            print_title("9. A wrong password")
            scenes.run("connect", destination, environment=[("PAKE_PASSWORD", WRONG)], code=3)
            print_text("The server counts it: ten such tries an account, then one an hour. An unknown name is "
                       "answered in the same way. If somebody else plays the server, alice sees the same, and he learns nothing "
                       "of her password.")

            show_what_is_seen(scenes, eavesdropper.recordings)
    return scenes.wrong
