"""The channel's other side, sharing no line with ours: codes like `pake listen` and `pake dial`, logins like login_peer.

Stream 1 is a two-way pipe: stdin goes out, what comes goes to stdout, unless `--echo` sends it back.
"""

import argparse
import io
import queue
import socket
import sys
import threading

import pakes
import wire

OK, AUTH_FAILED, THROTTLED, CUT_SHORT, PROTOCOL = 0, 3, 5, 6, 7
TICKET_LIFETIME = 3600
SUITES = {"ristretto255": wire.OPAQUE_RISTRETTO255, "p256": wire.OPAQUE_P256}


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=("listen", "dial"))
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0, listening: any free one, told on stderr")
    parser.add_argument("--kind", choices=("code", "login"), default="code")
    parser.add_argument("--secret", required=True, help="the code or the password")
    parser.add_argument("--user", default="alice")
    parser.add_argument("--server-name", default="", help="as the user typed it")
    parser.add_argument("--suites", default="ristretto255,p256", help="login: of the client, the first is preferred; of the server, the first only")
    parser.add_argument("--ksf", type=int, default=2, help="profile of the record (listen, login)")
    parser.add_argument("--no-aes", action="store_true", help="name ChaCha20-Poly1305 only")
    parser.add_argument("--service", default="pipe")
    parser.add_argument("--echo", action="store_true", help="send back what comes, in place of stdin")
    parser.add_argument("--connections", type=int, default=1, help="listening: how many, one after the other")
    parser.add_argument("--resume", action="store_true", help="dialling: once more, by the ticket that was lent")
    parser.add_argument("--device", action="store_true", help="dialling: once more, by the password, from the device that the ticket names")
    options = parser.parse_args()
    options.aeads = (wire.CHACHA20_POLY1305,) if options.no_aes else (wire.AES_256_GCM, wire.CHACHA20_POLY1305)
    options.suites = [SUITES[name] for name in options.suites.split(",")]
    options.secret, options.user, options.server_name, options.service = (
        text.encode() for text in (options.secret, options.user, options.server_name, options.service))
    return options


class Echo:
    """A sink that is also the source of what it was given."""

    def __init__(self, pipe):
        self.queue = queue.SimpleQueue()
        self.write, self.flush = self.queue.put, lambda: None
        pipe.heard_all = lambda: self.queue.put(b"")

    def read1(self, _):
        return self.queue.get()


def carry(pipe, source, sink):
    def pump():
        while data := source.read1(65536):
            pipe.write(data)
        pipe.finish_writing()

    threading.Thread(target=pump, daemon=True).start()
    pipe.read_all(sink)


def run(options, connect, source):
    """One connection to its end: the exit code, and the ticket that was lent in it with its secret."""
    try:
        pipe, keys = connect()
        print("authenticated", file=sys.stderr, flush=True)
        echo = Echo(pipe) if options.echo else None
        carry(pipe, echo or source, echo or sys.stdout.buffer)
        return OK, pipe.ticket and (pipe.ticket, keys.resumption)
    except (pakes.AuthenticationFailed, wire.Alert, wire.Refusal) as error:
        print(f"error: authentication failed: {error!r}", file=sys.stderr)
        code = error.code if isinstance(error, wire.Alert) else wire.REFUSED
        return {wire.REFUSED: AUTH_FAILED, wire.THROTTLED: THROTTLED}.get(code, PROTOCOL), None
    except (wire.Truncated, ConnectionError):
        print("error: the connection was cut", file=sys.stderr)
        return CUT_SHORT, None
    except wire.ProtocolError as error:
        print(f"error: not this protocol: {error}", file=sys.stderr)
        return PROTOCOL, None


def dial(options):
    def by(client):
        connection = socket.create_connection((options.host, options.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        suites = options.suites if client.kind == wire.LOGIN else None
        keys, finish = wire.client_handshake(connection, client, options.aeads, options.server_name, suites)
        return wire.Pipe(connection, keys, True, finish, service=options.service), keys

    is_login = options.kind == "login"
    client = wire.ByPassword(options.user, options.secret) if is_login else wire.ByCode(options.secret)
    if not options.resume and not options.device:
        return run(options, lambda: by(client), sys.stdin.buffer)[0]
    said = sys.stdin.buffer.read()
    code, ticket = run(options, lambda: by(client), io.BytesIO(said))
    if code != OK or not ticket:
        return code or PROTOCOL
    again = wire.ByTicket(*ticket) if options.resume else wire.ByPassword(options.user, options.secret, device=wire.Device(*ticket))
    return run(options, lambda: by(again), io.BytesIO(said))[0]


def listen(options):
    if options.kind == "login":
        host = wire.LoginHost(options.suites[0], options.ksf)
        host.opaque.register(options.user, options.secret)
    else:
        host = wire.CodeHost(options.secret)
    listener = socket.create_server((options.host, options.port))
    print(f"listening on {options.host}:{listener.getsockname()[1]}", file=sys.stderr, flush=True)

    def answer():
        connection = listener.accept()[0]
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        keys, kind = wire.server_handshake(connection, host, options.aeads, options.server_name)
        pipe = wire.Pipe(connection, keys, False, service=options.service)
        if kind == wire.LOGIN and host.has_known_device:
            print("known device", file=sys.stderr, flush=True)
        if kind != wire.CODE:
            pipe.lend(host.new_ticket(keys, options.server_name), TICKET_LIFETIME)
        return pipe, keys

    return max(run(options, answer, sys.stdin.buffer)[0] for _ in range(options.connections))


def main():
    options = parse_options()
    return dial(options) if options.role == "dial" else listen(options)


sys.exit(main())
