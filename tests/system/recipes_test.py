"""Recipes of docs/recipes.md with the real programs from Debian (scripts/install-packages recipes); ssh is in login_test."""

import base64
import glob
import http.server
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import threading
import unittest

from harness import OK, PATIENCE
from login_test import Login
from serving import PASSWORD

POSTGRESQL = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)


CHROMIUM = shutil.which("chromium")
NEEDS = "install it with: scripts/install-packages recipes"


class Page(http.server.BaseHTTPRequestHandler):
    """A page that checks Host and Origin, as the recipe asks for, and says of itself whether it is a secure context."""

    port = 0
    TEXT = b"<p>page</p><script>document.write('secure: ' + isSecureContext)</script>\n"
    REFUSAL = b"<p>none</p><script>document.write('secure: ' + isSecureContext)</script>\n"

    def do_GET(self):
        is_right = self.headers["Host"] == f"localhost:{self.port}" and self.headers["Origin"] in (None, f"http://localhost:{self.port}")
        body = self.TEXT if is_right else self.REFUSAL
        self.send_response(200 if is_right else 403)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class WithPage(Login):
    def setUp(self):
        super().setUp()
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.server = self.serve("--service", "wiki=127.0.0.1:%d" % server.server_address[1])
        self.assertEqual(self.enroll().code, OK)
        forward = self.start("forward", self.destination(), "wiki", "-L", "0", env={"PAKE_PASSWORD": PASSWORD})
        Page.port = int(forward.wait_for(r"wiki is at 127.0.0.1:(\d+)\n", "err")[1])


@unittest.skipUnless(shutil.which("curl"), "there is no curl: " + NEEDS)
class Web(WithPage):
    def test_a_page_at_localhost(self):
        for headers, expected in (((), Page.TEXT), (("-H", "Host: evil.example"), Page.REFUSAL),
                                  (("-H", "Origin: http://evil.example"), Page.REFUSAL)):
            fetched = subprocess.run(["curl", "--silent", "--noproxy", "*", *headers, f"http://localhost:{Page.port}/"],
                                     capture_output=True, timeout=PATIENCE, check=True)
            self.assertEqual(fetched.stdout, expected)


@unittest.skipUnless(CHROMIUM, "there is no Chromium: " + NEEDS)
class Browser(WithPage):
    """Debian's Chromium without a screen."""

    def show(self, host):
        """What the page has become after its script ran."""
        shown = subprocess.run([CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run",
                                "--disable-background-networking", "--no-proxy-server", "--host-resolver-rules=MAP evil.example 127.0.0.1",
                                "--user-data-dir=" + tempfile.mkdtemp(dir=self.directory), "--dump-dom", f"http://{host}:{Page.port}/"],
                               capture_output=True, text=True, timeout=2 * PATIENCE, check=True, env={**os.environ, "HOME": self.directory})
        return shown.stdout

    def test_localhost_is_a_secure_context_and_a_foreign_name_for_it_is_refused(self):
        self.assertRegex(self.show("localhost"), "(?s)<p>page</p>.*secure: true")
        self.assertRegex(self.show("evil.example"), "(?s)<p>none</p>.*secure: false")


@unittest.skipUnless(shutil.which("Xtigervnc") and shutil.which("xtigervncviewer"), "there is no TigerVNC: " + NEEDS)
class Desktop(Login):
    """A VNC server that listens on loopback, and a viewer of it, whose own window is on that desktop."""

    def vnc_password(self, name, text):
        obscured = subprocess.run(["tigervncpasswd", "-f"], input=text.encode(), capture_output=True, timeout=PATIENCE, check=True)
        path = self.path(name, "")
        with open(path, "wb") as file:
            file.write(obscured.stdout)
        return path

    def test_through_a_forward(self):
        right, wrong = self.vnc_password("right", "tabletop"), self.vnc_password("wrong", "armchair")
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        reading, writing = os.pipe()
        desktop = self.start("-displayfd", str(writing), "-localhost", "-SecurityTypes", "VncAuth", "-PasswordFile", right, "-rfbport",
                             str(port), "-geometry", "320x200", program=shutil.which("Xtigervnc"), pass_fds=(writing,))
        self.addCleanup(desktop.stop)  # it takes its lock file away
        os.close(writing)
        with os.fdopen(reading) as numbers:
            display = numbers.readline().strip()  # said when it is ready
        self.server = self.serve("--service", f"desktop=127.0.0.1:{port}")
        self.assertEqual(self.enroll().code, OK)
        forward = self.start("forward", self.destination(), "desktop", "-L", "0", env={"PAKE_PASSWORD": PASSWORD})
        here = forward.wait_for(r"desktop is at 127.0.0.1:(\d+)\n", "err")[1]
        for password, said in ((right, "Using pixel format"), (wrong, "Authentication failure")):
            viewer = self.start("-Log", "*:stderr:30", "-passwd", password, f"127.0.0.1::{here}", program=shutil.which("xtigervncviewer"),
                                env={"DISPLAY": ":" + display, "HOME": self.directory})
            viewer.wait_for(said, "err")
            viewer.stop()


@unittest.skipUnless(POSTGRESQL and shutil.which("psql"), "there is no PostgreSQL: " + NEEDS)
class Database(Login):
    """Through its unix socket, with its own SCRAM."""

    def postgres(self, *words, **how):
        """A program of PostgreSQL's, which refuses to be root."""
        as_owner = {"user": self.owner.pw_uid, "group": self.owner.pw_gid} if os.getuid() == 0 else {}
        return subprocess.run(words, timeout=PATIENCE, check=True, capture_output=True, cwd="/", **as_owner, **how)

    def setUp(self):
        super().setUp()
        self.owner = pwd.getpwnam("nobody") if os.getuid() == 0 else pwd.getpwuid(os.getuid())
        self.place = tempfile.mkdtemp(prefix="pake-pg-", dir="/tmp")
        self.addCleanup(shutil.rmtree, self.place)
        os.chown(self.place, self.owner.pw_uid, self.owner.pw_gid)
        first = self.path("first", "the owner's\n")
        os.chown(self.directory, self.owner.pw_uid, -1)
        os.chown(first, self.owner.pw_uid, -1)
        data = self.place + "/data"
        self.postgres(f"{POSTGRESQL}/initdb", "--no-sync", "-D", data, "-U", "owner", "--auth=scram-sha-256", "--pwfile", first)
        self.postgres(f"{POSTGRESQL}/pg_ctl", "-D", data, "-w", "-t", str(PATIENCE), "-l", self.place + "/log", "-o",
                      f"-c listen_addresses= -c unix_socket_directories={self.place} -c fsync=off", "start")
        self.addCleanup(self.postgres, f"{POSTGRESQL}/pg_ctl", "-D", data, "-m", "immediate", "stop")

    def psql(self, directory, password, statement, user="owner"):
        return subprocess.run(["psql", "-X", "-w", "-A", "-t", "-h", directory, "-U", user, "-c", statement, "postgres"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False,
                              env={"PATH": os.environ["PATH"], "PGPASSWORD": password, "PGCONNECT_TIMEOUT": str(PATIENCE)})

    def test_through_its_unix_socket(self):
        self.server = self.serve("--service", f"database=unix:{self.place}/.s.PGSQL.5432")
        self.assertEqual(self.enroll().code, OK)
        sockets = self.path("sockets")
        os.mkdir(sockets, 0o700)
        forward = self.start("forward", self.destination(), "-L", f"unix:{sockets}/.s.PGSQL.5432:database",
                             env={"PAKE_PASSWORD": PASSWORD})
        forward.wait_for("database is at unix:", "err")
        made = self.psql(sockets, "the owner's", "CREATE ROLE alice LOGIN PASSWORD 'hers'")
        self.assertEqual(made.returncode, 0, made.stderr)
        asked = self.psql(sockets, "hers", "SELECT current_user, 6 * 7", user="alice")
        self.assertEqual((asked.returncode, asked.stdout), (0, "alice|42\n"), asked.stderr)
        wrong = self.psql(sockets, "not hers", "SELECT 1", user="alice")
        self.assertIn("password authentication failed", wrong.stderr)



def interface_kind():
    """How this machine can have a WireGuard interface: the kernel's, wireguard-go's, or not at all."""
    def works(*words):
        return subprocess.run(words, capture_output=True, check=False).returncode == 0

    if os.getuid() != 0 or not all(map(shutil.which, ("ip", "wg", "unshare"))) or not works("unshare", "--net", "true"):
        return None
    if works("unshare", "--net", "ip", "link", "add", "wg0", "type", "wireguard"):
        return "kernel"
    has_tun = works("unshare", "--net", "ip", "tuntap", "add", "dev", "tun9", "mode", "tun")
    return "program" if has_tun and shutil.which("wireguard-go") else None


class WireGuard(Login):
    """The key that both machines of two people get by --export, as WireGuard's pre-shared key."""

    def exported(self):
        """One key at each side, as files, by the recipe's two lines."""
        listener = self.start("listen", "127.0.0.1:0", "--export", "wireguard")
        code = listener.wait_for(r"the code is  (\S+)\n", "err")[1]
        dialler = self.run_pake("dial", listener.wait_for(r"pake dial (\S+)\n", "err")[1], "--export", "wireguard",
                                env={"PAKE_CODE": code})
        self.assertEqual((listener.wait(), dialler.code), (OK, OK), dialler.err)
        return self.path("psk-one", listener.out), self.path("psk-other", dialler.out)

    @unittest.skipUnless(shutil.which("wg"), "there is no wg: " + NEEDS)
    def test_wg_takes_what_is_exported_for_a_key(self):
        for path in self.exported():
            with open(path, "rb") as file:
                taken = subprocess.run(["wg", "pubkey"], stdin=file, capture_output=True, timeout=PATIENCE, check=False)
            self.assertEqual((taken.returncode, len(base64.b64decode(taken.stdout))), (0, 32), taken.stderr)

    @unittest.skipUnless(shutil.which("wg"), "there is no wg: " + NEEDS)
    def test_a_server_hands_wg_the_key_that_the_client_prints(self):
        taken = self.path("taken")
        self.server = self.serve("--config", self.path("pake.toml", f'''[services.tunnel]
exec = ["/bin/sh", "-c", "case $PAKE_USER in alice) wg pubkey <&3 >{taken} ;; *) exit 1 ;; esac"]
export = "wireguard"
'''))
        self.assertEqual(self.enroll().code, OK)
        key = self.connect("tunnel", "--export", "wireguard")
        self.assertEqual(key.returncode, OK, key.stderr)
        of_client = subprocess.run(["wg", "pubkey"], input=key.stdout, capture_output=True, timeout=PATIENCE, check=True).stdout
        with open(taken, "rb") as file:
            self.assertEqual(file.read(), of_client)

    @unittest.skipUnless(interface_kind(), "no WireGuard interface can be made here: neither the kernel nor wireguard-go with root and /dev/net/tun")
    def test_a_tunnel_stands_with_the_key_at_both_ends_and_not_with_another(self):
        keys = self.exported()
        names = [f"pake-wg-{side}-{os.getpid()}" for side in "ab"]
        pairs = []
        for name in names:
            self.run_all(f"ip netns add {name}")
            self.addCleanup(self.run_all, f"ip netns delete {name}")
            private = subprocess.run(["wg", "genkey"], capture_output=True, text=True, check=True).stdout
            public = subprocess.run(["wg", "pubkey"], input=private, capture_output=True, text=True, check=True).stdout.strip()
            pairs.append((self.path(name, private), public))
        self.run_all(f"ip link add one netns {names[0]} type veth peer name one netns {names[1]}")
        tunnels = [f"pw{side}{os.getpid()}" for side in "ab"]  # wireguard-go's sockets are not of the namespace
        for i, (name, tunnel) in enumerate(zip(names, tunnels)):
            self.run_all(f"ip -n {name} addr add 192.0.2.{i + 1}/24 dev one", f"ip -n {name} link set one up")
            if interface_kind() == "kernel":
                self.run_all(f"ip -n {name} link add {tunnel} type wireguard")
            else:
                self.start("netns", "exec", name, "wireguard-go", "-f", tunnel, program=shutil.which("ip"),
                           env={"LOG_LEVEL": "verbose"}).wait_for("UAPI listener started")
            self.set_peer(names, tunnels, i, pairs, self.path("another", base64.b64encode(os.urandom(32)).decode()) if i else keys[0])
            self.run_all(f"ip -n {name} addr add 198.51.100.{i + 1}/24 dev {tunnel}", f"ip -n {name} link set {tunnel} up")
        page = self.start("netns", "exec", names[0], "/usr/bin/python3", "-u", "-m", "http.server", "--directory", self.directory,
                          "--bind", "198.51.100.1", "8000", program=shutil.which("ip"))
        page.wait_for("Serving HTTP")
        self.assertNotEqual(self.fetch(names[1], 3), b"")  # two keys that differ: no handshake
        self.set_peer(names, tunnels, 1, pairs, keys[1])
        self.assertEqual(self.fetch(names[1], PATIENCE), b"")

    def set_peer(self, names, tunnels, i, pairs, psk):
        self.run_all(f"ip netns exec {names[i]} wg set {tunnels[i]} listen-port 51820 private-key {pairs[i][0]} peer {pairs[1 - i][1]} "
                     f"preshared-key {psk} allowed-ips 198.51.100.0/24 endpoint 192.0.2.{2 - i}:51820")

    def fetch(self, name, patience):
        """Empty if a page came through the tunnel, otherwise what the one who asked was told."""
        script = f"import urllib.request as r; r.urlopen('http://198.51.100.1:8000/', timeout={patience}).read()"
        return subprocess.run(["ip", "netns", "exec", name, "/usr/bin/python3", "-c", script], capture_output=True, check=False,
                              timeout=2 * PATIENCE).stderr

    @staticmethod
    def run_all(*lines):
        for line in lines:
            subprocess.run(line.split(), capture_output=True, timeout=PATIENCE, check=True)


if __name__ == "__main__":
    unittest.main()
