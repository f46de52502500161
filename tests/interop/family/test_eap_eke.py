#!/usr/bin/python3
"""EAP-EKE (RFC 6124) against hostapd as the server and against eapol_test, which is wpa_supplicant's peer.

    test_eap_eke.py PEER hostapd|eapol_test

Here is the EAP around it, in RADIUS over loopback (RFC 3579), and the MSK is compared as both sides export it, in the two
MPPE keys (RFC 2548). PEER is family_peer.
Exit code 77: skipped, because the program is not installed (Debian: hostapd, eapoltest).
"""

import hashlib
import hmac
import os
import pathlib
import shutil
import socket
import subprocess
import sys
import tempfile

from ours import Ours

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
import peers  # noqa: E402

SECRET = b"radius"
IDENTITY, PASSWORD = b"eke user", b"hello"
ACCESS_REQUEST, ACCESS_ACCEPT, ACCESS_REJECT, ACCESS_CHALLENGE = 1, 2, 3, 11
USER_NAME, STATE, VENDOR_SPECIFIC, EAP_MESSAGE, MESSAGE_AUTHENTICATOR = 1, 24, 26, 79, 80
MICROSOFT, MPPE_SEND_KEY, MPPE_RECV_KEY = 311, 16, 17
EAP_REQUEST, EAP_RESPONSE, EAP_SUCCESS, EAP_FAILURE = 1, 2, 3, 4
EAP_IDENTITY = 1


def md5(*parts):
    return hashlib.md5(b"".join(parts)).digest()


def attribute(kind, value):
    return bytes([kind, 2 + len(value)]) + value


def eap_attributes(packet):
    return b"".join(attribute(EAP_MESSAGE, packet[i:i + 253]) for i in range(0, len(packet), 253))


def encode(code, identifier, authenticator, attributes):
    """A request with its authenticator, or an answer to the request that had this one."""
    size = (20 + len(attributes) + 18).to_bytes(2, "big")
    head = bytes([code, identifier]) + size
    unsigned = head + authenticator + attributes + attribute(MESSAGE_AUTHENTICATOR, bytes(16))
    attributes += attribute(MESSAGE_AUTHENTICATOR, hmac.digest(SECRET, unsigned, "md5"))
    if code != ACCESS_REQUEST:
        authenticator = md5(head, authenticator, attributes, SECRET)
    return head + authenticator + attributes


class Radius:
    def __init__(self, packet):
        self.code, self.identifier = packet[0], packet[1]
        self.authenticator, rest = packet[4:20], packet[20:int.from_bytes(packet[2:4], "big")]
        self.attributes = []
        while rest:
            self.attributes.append((rest[0], rest[2:rest[1]]))
            rest = rest[rest[1]:]

    def all(self, kind):
        return b"".join(value for found, value in self.attributes if found == kind)


def mppe_stream(salt, authenticator, text, decrypting):
    last, out = authenticator + salt, b""
    for i in range(0, len(text), 16):
        block = bytes(p ^ q for p, q in zip(text[i:i + 16], md5(SECRET, last)))
        last = text[i:i + 16] if decrypting else block
        out += block
    return out


def mppe_attribute(kind, key, authenticator):
    salt = bytes([0x80 | kind, 1])
    text = bytes([len(key)]) + key
    text += bytes(-len(text) % 16)
    value = salt + mppe_stream(salt, authenticator, text, False)
    return attribute(VENDOR_SPECIFIC, MICROSOFT.to_bytes(4, "big") + attribute(kind, value))


def mppe_key(packet, kind, authenticator):
    for found, value in packet.attributes:
        if found == VENDOR_SPECIFIC and value[:4] == MICROSOFT.to_bytes(4, "big") and value[4] == kind:
            text = mppe_stream(value[6:8], authenticator, value[8:], True)
            return text[1:1 + text[0]]
    raise AssertionError("there is no MPPE key")


def program(name, debian_package):
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
    if found is None:
        peers.tool(name, debian_package)  # says so
    return found


def as_server(ours, password):
    """One run of eapol_test at our server: (whether it says SUCCESS, whether we do)."""
    server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    server.bind(("127.0.0.1", 0))
    server.settimeout(30)
    with server, tempfile.TemporaryDirectory() as folder:
        config = pathlib.Path(folder) / "eapol.conf"
        config.write_text(f'network={{\n key_mgmt=IEEE8021X\n eap=EKE\n identity="{IDENTITY.decode()}"\n'
                          f' password="{password.decode()}"\n}}\n')
        peer = subprocess.Popen([program("eapol_test", "eapoltest"), "-c", config, "-a", "127.0.0.1", "-p",
                                 str(server.getsockname()[1]), "-s", SECRET.decode(), "-r", "0", "-t", "20"],
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        msk, failed = None, False
        while True:
            packet, address = server.recvfrom(4096)
            request = Radius(packet)
            eap = request.all(EAP_MESSAGE)
            if eap[4] == EAP_IDENTITY:
                assert eap[5:] == IDENTITY
                answer = ours.ask("eke-server", password=PASSWORD, identity=b"server", identifier=(eap[1] + 1) % 256)
            elif failed:  # the acknowledgement of our Failure
                answer = {}
            else:
                answer = ours.ask("eke-receive", packet=eap)
            code, attributes = ACCESS_CHALLENGE, b""
            if "packet" in answer:
                sent = answer["packet"]
            elif answer.get("failed"):
                failed, sent = True, answer["failed"]
            elif "MSK" in answer:
                code, sent, msk = ACCESS_ACCEPT, bytes([EAP_SUCCESS, eap[1], 0, 4]), answer["MSK"]
                attributes = (mppe_attribute(MPPE_RECV_KEY, msk[:32], request.authenticator) +
                              mppe_attribute(MPPE_SEND_KEY, msk[32:], request.authenticator))
            else:
                code, sent = ACCESS_REJECT, bytes([EAP_FAILURE, eap[1], 0, 4])
            attributes = eap_attributes(sent) + attributes
            if code == ACCESS_CHALLENGE:
                attributes += attribute(STATE, b"1")
            server.sendto(encode(code, request.identifier, request.authenticator, attributes), address)
            if code != ACCESS_CHALLENGE:
                break
        said = peer.communicate(timeout=60)[0]
    assert "PMK mismatch" not in said, said
    return peer.returncode == 0 and said.rstrip().endswith("SUCCESS"), msk is not None


def as_peer(ours, password, port):
    """One run of our peer at hostapd: the MSK that both have, or None."""
    ours.ask("eke-peer", password=password, identity=IDENTITY)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect(("127.0.0.1", port))
        client.settimeout(30)
        eap = bytes([EAP_RESPONSE, 0]) + (5 + len(IDENTITY)).to_bytes(2, "big") + bytes([EAP_IDENTITY]) + IDENTITY
        state, msk = b"", None
        for identifier in range(10):
            authenticator = os.urandom(16)
            attributes = attribute(USER_NAME, IDENTITY) + eap_attributes(eap) + state
            client.send(encode(ACCESS_REQUEST, identifier, authenticator, attributes))
            answer = Radius(client.recv(4096))
            assert answer.identifier == identifier
            if answer.code == ACCESS_REJECT:
                return None
            if answer.code == ACCESS_ACCEPT:
                theirs = mppe_key(answer, MPPE_RECV_KEY, authenticator) + mppe_key(answer, MPPE_SEND_KEY, authenticator)
                assert msk is not None and theirs == msk, "another MSK"
                return msk
            step = ours.ask("eke-receive", packet=answer.all(EAP_MESSAGE))
            msk = step.get("MSK", msk)
            eap = step["packet"] if "packet" in step else step["failed"]
            if not eap:
                return None
            state = attribute(STATE, answer.all(STATE))
    raise AssertionError("no end")


def with_hostapd(use):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        (folder / "clients").write_text(f"127.0.0.1 {SECRET.decode()}\n")
        (folder / "users").write_text(f'"{IDENTITY.decode()}" EKE "{PASSWORD.decode()}"\n')
        (folder / "conf").write_text(f"interface=lo\ndriver=none\nradius_server_clients={folder}/clients\n"
                                     f"radius_server_auth_port={port}\neap_server=1\neap_user_file={folder}/users\n")
        server = subprocess.Popen([program("hostapd", "hostapd"), folder / "conf"], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        try:
            for line in server.stdout:
                if "AP-ENABLED" in line:
                    break
            else:
                raise AssertionError(f"hostapd ended with {server.wait()}")
            use(port)
        finally:
            server.terminate()
            server.communicate(timeout=30)


def test():
    family_peer, name = sys.argv[1:]
    program(*{"hostapd": ("hostapd", "hostapd"), "eapol_test": ("eapol_test", "eapoltest")}[name])
    runs = int(os.environ.get("PAKE_INTEROP_RUNS", "25")) // 5 or 1
    with Ours(family_peer) as ours:
        if name == "eapol_test":
            for _ in range(runs):
                assert as_server(ours, PASSWORD) == (True, True)
            assert as_server(ours, b"hallo") == (False, False)
        else:
            def use(port):
                for _ in range(runs):
                    assert as_peer(ours, PASSWORD, port) is not None
                assert as_peer(ours, b"hallo", port) is None
            with_hostapd(use)
    print(f"{runs} runs with {name} agree on the MSK, and a wrong password is refused")


peers.main_of(test)
