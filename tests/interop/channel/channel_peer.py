"""A pipe over the channel, like `pake listen` and `pake dial`, sharing no line with them: stdin goes out, what comes goes to stdout."""

import argparse
import socket
import sys
import threading

import pakes
import wire


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=("listen", "dial"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0, listening: any free one, told on stderr")
    parser.add_argument("--kind", choices=("code", "login"), default="code")
    parser.add_argument("--secret", required=True, help="the code or the password")
    parser.add_argument("--user", default="alice")
    parser.add_argument("--ksf", type=int, default=2, help="profile of the record (listen, login)")
    parser.add_argument("--no-aes", action="store_true", help="name ChaCha20-Poly1305 only")
    return parser.parse_args()


def connect(options):
    if options.role == "dial":
        return socket.create_connection((options.host, options.port))
    with socket.create_server((options.host, options.port)) as listener:
        print(f"listening on {options.host}:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
        return listener.accept()[0]


def open_pipe(options, connection):
    secret, name = options.secret.encode(), options.user.encode() if options.kind == "login" else b""
    aeads = (wire.CHACHA20_POLY1305,) if options.no_aes else (wire.AES_256_GCM, wire.CHACHA20_POLY1305)
    kind = wire.LOGIN if options.kind == "login" else wire.CODE
    if options.role == "dial":
        keys, finish = wire.client_handshake(connection, kind, aeads, name, secret)
        return wire.Pipe(connection, keys, True, finish)
    server = pakes.OpaqueServer(options.ksf)
    if kind == wire.LOGIN:
        server.register(name, secret)
    return wire.Pipe(connection, wire.server_handshake(connection, kind, aeads, server, secret), False)


def main():
    options = parse_options()
    with connect(options) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            pipe = open_pipe(options, connection)
        except (pakes.AuthenticationFailed, wire.Alert) as error:
            print(f"error: authentication failed {error}", file=sys.stderr)
            return 3
        except (wire.ProtocolError, wire.Truncated, ConnectionError) as error:
            print(f"error: the handshake broke off: {error!r}", file=sys.stderr)
            return 7
        print("authenticated", file=sys.stderr, flush=True)

        def pump():
            while data := sys.stdin.buffer.read1(65536):
                pipe.write(data)
            pipe.finish_writing()

        threading.Thread(target=pump, daemon=True).start()
        try:
            pipe.read_all(sys.stdout.buffer)
        except wire.Alert as error:
            print(f"error: authentication failed: {error}", file=sys.stderr)
            return 3
        except (wire.Truncated, ConnectionError):
            print("error: the connection was cut", file=sys.stderr)
            return 6
        return 0


sys.exit(main())
