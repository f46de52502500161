#!/usr/bin/python3
"""The connecting side of the seed's RSA-EKE (its "server"), as naive on the wire as the seed: one recv() a message."""

import base64
import socket
import sys

from Cryptodome.Cipher import PKCS1_v1_5
from Cryptodome.PublicKey import RSA

from rsa_eke_common import RECV_SIZE, PasswordCipher, parse_options, show, ten_digits, text_of


def authenticate(connection: socket.socket, password: bytes, mode: str, key: RSA.RsaKey) -> None:
    """Messages 3 to 7. Whatever does not decode raises."""
    under_password = PasswordCipher(password, mode)
    connection.send(under_password.encrypt(key.public_key().export_key()))

    sealed = base64.b64decode(under_password.decrypt(connection.recv(RECV_SIZE)))
    Ks = PKCS1_v1_5.new(key).decrypt(sealed, sentinel=None)
    if Ks is None:
        raise ValueError("no PKCS#1 block in message 4")
    show("Ks: " + Ks.decode("ascii"))

    under_Ks = PasswordCipher(Ks, mode)
    NC = ten_digits()
    show("NC: " + NC.decode())
    connection.send(under_Ks.encrypt(NC))

    N1_2 = under_Ks.decrypt(connection.recv(RECV_SIZE))
    show("N1_2: " + N1_2.decode("ascii"))
    show("Authentication success" if N1_2.startswith(NC) else "Authentication faild")  # and on it goes
    connection.send(under_Ks.encrypt(N1_2[len(NC):]))


def chat(connection: socket.socket) -> None:
    while True:
        try:
            line = input("> ").encode()
        except EOFError:  # vanishes without a word, as the seed did
            return
        connection.send(line)
        if line == b"quit":
            return
        show("Server say: " + text_of(connection.recv(RECV_SIZE)))


def main() -> None:
    options = parse_options(__doc__)
    key = RSA.generate(1024)
    with socket.create_connection((options.host, options.port)) as connection:
        show("pk: " + key.public_key().export_key().decode())
        connection.send(options.user.encode())
        if connection.recv(RECV_SIZE) == b"no":
            show("connect error")
            sys.exit(255)
        authenticate(connection, options.password.encode(), options.mode, key)
        chat(connection)


if __name__ == "__main__":
    main()
