"""The first half of the show: the conversation of the teaching programs of 1992's protocol, RSA-EKE."""

import os
import re
import socket

from eavesdropper import Eavesdropper, print_seen, tcp
from programs import DEADLINE, Program
from stage import Table, Typed, complaints, print_heading, print_rows, print_text, print_title, print_way

LINES = ["hello", "how are you?", "this goes in clear"]
PEM = [r"pk: -----BEGIN PUBLIC KEY-----", *[r"[A-Za-z0-9+/]{64}"] * 3, r"[A-Za-z0-9+/=]{24}", r"-----END PUBLIC KEY-----"]
CONNECTED = [(r"Connected From \('127\.0\.0\.1', \d+\)", None)]
KNOWN = [*CONNECTED, ("user is server", None)]
AUTHENTICATED = [*zip(PEM, PEM), (r"Ks: \d{10}",) * 2, (r"NC: \d{10}",) * 2, ("N2 is equal to NS", r"N1_2: \d{20}"),
                 ("Authentication success",) * 2]
CHAT = [row for line in LINES for row in ((f"User server say: {re.escape(line)}", Typed(line)),
                                          (None, f"Server say: receive {re.escape(line)}"))]
SCENES = [
    ("1. Both know the password", {}, 0, [*KNOWN, *AUTHENTICATED, *CHAT, ("User server quit!", Typed("quit"))]),
    ("2. A wrong password", {"password": "87654321"}, 3, [*KNOWN, *((None, line) for line in PEM)]),
    ("3. A user that the listening side does not know", {"user": "mallory"}, 3,
     [*CONNECTED, *((None, line) for line in PEM), ("user error", "connect error")]),
]
GUESSES = ["password", "87654321", "12345678"]
USER_NAME, ENCRYPTED_KEY = slice(0, 6), slice(6, 370)  # messages 1 and 3 of docs/rsa-eke.md


def play(scene, pake, address, listener):
    title, given, expected_code, rows = scene
    name_options = ["--user", given["user"]] if "user" in given else []
    password = {"PAKE_PASSWORD": given["password"]} if "password" in given else {}
    out, err = len(listener.stdout), len(listener.stderr)

    with Program([pake, "eke", "connect", address, *name_options], env={**os.environ, **password}) as connector:
        connector.send(*(right for _, right in rows if isinstance(right, Typed)))
        code = connector.finish()
    last_of_listener = [left for left, _ in rows if left][-1]
    listener.wait_for(f"^{last_of_listener}$", since=out)
    if expected_code != 0:
        listener.wait_for("^error: ", "stderr", since=err)

    environment = "".join(f"{name}={value} " for name, value in password.items())
    print_title(title)
    print_way(("listening", f"pake eke listen {listener.address}"),
              ("eavesdropper", f"at {address}, passes everything on to {listener.address}"),
              ("connecting", " ".join([f"{environment}pake eke connect", address, *name_options])))
    print_heading("listening", "connecting")
    table = Table(rows, listener.stdout[out:].splitlines(), connector.stdout.splitlines())
    table.show()
    print_rows(complaints(listener.stderr[err:]), [*complaints(connector.stderr), f"(exit code {code})"])
    if code != expected_code:
        table.wrong.append(f"the connecting side's exit code should be {expected_code}, not {code}")
    return table.wrong


def is_password(guess, recording, pake):
    """Whether the recorded key decrypts under `guess`. Any program that knows the cipher can tell; here it is our own."""
    passed = recording.one_way(to_listener=True)
    with Program([pake, "eke", "listen", "127.0.0.1:0", "--once"], env={**os.environ, "PAKE_PASSWORD": guess}) as decrypter:
        address = decrypter.wait_for(r"127\.0\.0\.1:\d+", "stderr")[0]
        with socket.create_connection(tcp(address), DEADLINE) as connection:
            connection.sendall(passed[USER_NAME])
            connection.recv(3)
            connection.sendall(passed[ENCRYPTED_KEY])
            return connection.recv(1024) != b""  # it answers where it has found a key


def show_what_is_seen(recording, pake):
    print_title("What an eavesdropper sees of 1: who speaks, how many bytes, how they begin")
    print_seen(("connecting" if to_listener else "listening", data) for to_listener, data in recording.chunks)
    found = recording.count(LINES)
    print()
    print_text(f"Searched for the {len(LINES)} lines of the chat: {found} found. They pass in clear.")
    print()
    print_text("The password is in it too. The third message is a public key, encrypted under the password: whoever has "
               "this recording tries one word after the other at home, and sees which one is right.")
    print()
    fits = {guess: is_password(guess, recording, pake) for guess in GUESSES}
    for guess, fit in fits.items():
        print(f"    {guess:<10}  {'a public key: this is the password' if fit else 'noise'}")
    wrong = [] if found == len(LINES) else ["the chat should have passed in clear"]
    if fits != {guess: guess == "12345678" for guess in GUESSES}:
        wrong.append(f"of {GUESSES} the last alone should give a public key")
    return wrong


def show(pake):
    wrong = []
    print_title("A CONVERSATION OF 1992, by the protocol RSA-EKE")
    with Program([pake, "eke", "listen", "127.0.0.1:0"]) as listener:
        address = listener.wait_for(r"127\.0\.0\.1:\d+", "stderr")[0]
        with Eavesdropper(address) as eavesdropper:
            print_text("Two programs prove to each other that they know a password, then chat. Between them somebody passes "
                       "everything on and writes it down.")
            listener.address = address
            print()
            print_text("Both programs begin with a warning:")
            print_text(listener.wait_for("^.*insecure.*$", "stderr")[0])
            for scene in SCENES:
                wrong += play(scene, pake, eavesdropper.address, listener)
            return wrong + show_what_is_seen(eavesdropper.recordings[0], pake)
