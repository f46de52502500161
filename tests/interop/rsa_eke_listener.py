#!/usr/bin/python3
"""The listening side of the seed's RSA-EKE (its "client"), as naive on the wire as the seed: one recv() a message."""

import base64
import socket
import sys
import threading

from Cryptodome.Cipher import PKCS1_v1_5
from Cryptodome.PublicKey import RSA

from rsa_eke_common import RECV_SIZE, PasswordCipher, parse_options, show, ten_digits, text_of


def authenticate(connection: socket.socket, password: bytes, mode: str) -> None:
    """Messages 3 to 7. Whatever does not decode raises."""
    under_password = PasswordCipher(password, mode)

    pk = under_password.decrypt(connection.recv(RECV_SIZE))
    show("pk: " + pk.decode("ascii"))

    Ks = ten_digits()
    show("Ks: " + Ks.decode())
    sealed = PKCS1_v1_5.new(RSA.import_key(pk)).encrypt(Ks)
    connection.send(under_password.encrypt(base64.b64encode(sealed)))

    under_Ks = PasswordCipher(Ks, mode)
    NC = under_Ks.decrypt(connection.recv(RECV_SIZE))
    show("NC: " + NC.decode("ascii"))
    NS = ten_digits()
    connection.send(under_Ks.encrypt(NC + NS))

    if under_Ks.decrypt(connection.recv(RECV_SIZE)) == NS:
        show("N2 is equal to NS")
        show("Authentication success")
    else:
        show("Authentication faild")  # and on it goes, as the seed did


def chat(connection: socket.socket, user: str) -> None:
    while True:
        try:
            data = connection.recv(RECV_SIZE)
            if not data:
                raise ConnectionError("closed without quit")
        except ConnectionError:
            show("User Abnormal Exit")
            return
        if data == b"quit":
            show(f"User {user} quit!")
            return
        show(f"User {user} say: {text_of(data)}")
        connection.send(b"receive " + data)


def serve(connection: socket.socket, passwords: dict[bytes, bytes], mode: str) -> None:
    with connection:
        name = connection.recv(RECV_SIZE)
        if name not in passwords:
            connection.send(b"no")
            show("user error")
            return
        connection.send(b"yes")
        show("user is " + text_of(name))
        authenticate(connection, passwords[name], mode)
        chat(connection, text_of(name))


def main() -> None:
    options = parse_options(__doc__)
    passwords = {options.user.encode(): options.password.encode()}
    with socket.create_server((options.host, options.port)) as listener:
        print("listening on %s:%d" % listener.getsockname(), file=sys.stderr, flush=True)
        while True:
            connection, address = listener.accept()
            show(f"Connected From {address}")
            threading.Thread(target=serve, args=(connection, passwords, options.mode), daemon=True).start()


if __name__ == "__main__":
    main()
