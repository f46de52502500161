"""Recipes of docs/recipes.md with the real programs from Debian; ssh is in login_test, WireGuard's key too."""

import glob
import http.server
import os
import pwd
import shutil
import subprocess
import tempfile
import threading
import unittest

from harness import OK, PATIENCE
from login_test import Login
from serving import PASSWORD

POSTGRESQL = next(iter(sorted(glob.glob("/usr/lib/postgresql/*/bin"), reverse=True)), None)


class Page(http.server.BaseHTTPRequestHandler):
    """A page that checks Host and Origin, as the recipe asks for."""

    port = 0

    def do_GET(self):
        is_right = self.headers["Host"] == f"localhost:{self.port}" and self.headers["Origin"] in (None, f"http://localhost:{self.port}")
        self.send_response(200 if is_right else 403)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"page\n" if is_right else b"none\n")

    def log_message(self, *_):
        pass


@unittest.skipUnless(shutil.which("curl"), "there is no curl")
class Web(Login):
    def test_a_page_at_localhost(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        self.server = self.serve("--service", "wiki=127.0.0.1:%d" % server.server_address[1])
        self.assertEqual(self.enroll().code, OK)
        forward = self.start("forward", self.destination(), "wiki", "-L", "0", env={"PAKE_PASSWORD": PASSWORD})
        Page.port = int(forward.wait_for(r"wiki is at 127.0.0.1:(\d+)\n", "err")[1])
        for headers, expected in (((), "page\n"), (("-H", "Host: evil.example"), "none\n"),
                                  (("-H", "Origin: http://evil.example"), "none\n")):
            fetched = subprocess.run(["curl", "--silent", "--noproxy", "*", *headers, f"http://localhost:{Page.port}/"],
                                     capture_output=True, text=True, timeout=PATIENCE, check=True)
            self.assertEqual(fetched.stdout, expected)


@unittest.skipUnless(POSTGRESQL and shutil.which("psql"), "there is no PostgreSQL")
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


if __name__ == "__main__":
    unittest.main()
