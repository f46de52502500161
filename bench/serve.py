#!/usr/bin/python3
"""`pake serve` measured from outside, by `login_load`: scripts/bench serve WHAT [OPTIONS].

  timing    what a guess takes for names that are unknown, whose password is another, that are disabled, and for two that
            are throttled; passes if every difference of medians and of 90th percentiles has a 99 % bootstrap interval
            within 2 us or 1 % of a login. --raw FILE keeps (or adds to) the samples, --planted NS must make it fail
  logins    logins a second, a new connection each, on SQLite and PostgreSQL, with 1 and 1,000,000 users
  idle      what 10,000 idle sessions take, first without a stream and then with one each, and how long a line there and
            back takes beside them
  flood     logins while strangers connect, say nothing, say half, and do not read

The server is on the first core and who measures on the second. Each says which limits it raises. Key stretching is left
out throughout: clients keep what they have stretched.
"""

import argparse
import collections
import contextlib
import itertools
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PASSWORD = "correct horse battery"
USERS = 8
RAISED = """[guesses]
account_burst = 1000000
source_burst = 1000000
source_rows = 1000000
[limits]
sessions = 100000
sessions_per_user = 100000
"""


def log(*words):
    print(*words, flush=True)


class Server:
    """A server on a fresh store, on one core."""

    def __init__(self, programs, config=RAISED, store=None, core="0", env=None, folder=None, before=()):
        self.before = list(before)
        self.programs, self.store, self.core, self.env = programs, store, core, env or {}
        self.directory = tempfile.mkdtemp(prefix="pake-bench-", dir=folder)
        os.chmod(self.directory, 0o711)
        self.data = os.path.join(self.directory, "data")
        self.config = os.path.join(self.directory, "pake.toml")
        threads = "" if "," in core else "threads = 1\n"
        with open(self.config, "w", encoding="utf-8") as file:
            file.write(threads + '[services]\necho = "echo"\n[log]\nlevel = "error"\n' + config)
        self.process = None
        self.start()

    def start(self):
        store = ["--store", self.store] if self.store else []
        self.process = subprocess.Popen(
            [*self.before, "taskset", "-c", self.core, self.programs.pake, "serve", "127.0.0.1:0", "--data", self.data, "--config", self.config, "--ksf",
             "small", *store], stderr=subprocess.PIPE, text=True, env={**os.environ, **self.env})
        for line in self.process.stderr:
            listening = re.search(r"listening on (\S+)", line)
            if listening:
                self.address = listening[1]
                break
        else:
            raise SystemExit("the server did not start")
        threading.Thread(target=self.process.stderr.read, daemon=True).start()

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def close(self):
        self.stop()
        shutil.rmtree(self.directory)

    def user(self, *args):
        store = ["--store", self.store] if self.store else []
        subprocess.run([self.programs.pake, "user", *args, "--data", self.data, *store], check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL, env={**os.environ, "PAKE_PASSWORD": PASSWORD})

    def add_users(self, count=USERS):
        for number in range(count):
            self.user("add", f"bench{number}")

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_kib(self):
        """RSS, PSS, and what is the process's own alone."""
        with open(f"/proc/{self.process.pid}/smaps_rollup", encoding="utf-8") as file:
            text = file.read()
        return tuple(int(re.search(rf"^{name}:\s+(\d+) kB", text, re.M)[1]) for name in ("Rss", "Pss", "Anonymous"))

    def pss_kib(self):
        return self.memory_kib()[1]

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def load(self, *args, core="1", users=USERS, **how):
        command = [*self.before, "taskset", "-c", core, self.programs.load, self.address, str(users), *map(str, args)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PAKE_PASSWORD": PASSWORD}, **how)

    def measure(self, *args, **how):
        out, _ = self.load(*args, **how).communicate()
        return json.loads(out.splitlines()[-1])

    def sql(self, *statements):
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, "pake.db"), timeout=30)) as database:
            rows = []
            for statement in statements:
                rows = database.execute(statement).fetchall()
            database.commit()
            return rows


# --- Timing.

ANSWERED, THROTTLED = ("nobody", "bench0", "dora"), ("thea", "theo")  # theo has no account
CLASSES = {"nobody": "unknown", "bench0": "wrong", "dora": "disabled", "thea": "throttled", "theo": "throttled, unknown"}


def quantile_draws(ordered, at, draws):
    """The bootstrap's distribution of a quantile: that of the order statistic of a sample drawn with replacement, exactly."""
    count = len(ordered)
    rank = min(count, int(at * count) + 1)
    return [ordered[min(count - 1, int(count * random.betavariate(rank, count + 1 - rank)))] for _ in range(draws)]


def interval(first, second, at, draws=4000):
    """99 % of the difference of two quantiles."""
    differences = sorted(a - b for a, b in zip(quantile_draws(first, at, draws), quantile_draws(second, at, draws)))
    return differences[int(0.005 * draws)], differences[int(0.995 * draws) - 1]


def judge(samples):
    """Whether all classes take the same time."""
    ordered = {key: sorted(values) for key, values in samples.items()}
    median = {key: values[len(values) // 2] for key, values in ordered.items()}
    login = median["bench0", "answer"] + median["bench0", "alert"]
    bound = max(2.0, 0.01 * login)
    log(f"a login's two steps take {login:.1f} us (median): every interval is to lie within {bound:.2f} us")
    for (name, step), values in sorted(ordered.items()):
        log(f"  {CLASSES[name]:20} to {step:6} n={len(values):6} median {median[name, step]:8.2f}  p90 {values[int(0.9 * len(values))]:8.2f} us")
    passes = True
    pairs = [(a, b, step) for step in ("answer", "alert") for a, b in itertools.combinations(ANSWERED, 2)]
    for a, b, step in pairs + [(*THROTTLED, "answer")]:
        for what, at in (("median", 0.5), ("90th", 0.9)):
            low, high = interval(ordered[a, step], ordered[b, step], at)
            good = -bound <= low and high <= bound
            passes = passes and good
            log(f"  {CLASSES[a]:9} - {CLASSES[b]:18} to {step:6} {what:6}: {low:+7.2f} to {high:+7.2f} us {'' if good else '  OUTSIDE'}")
    log("passed" if passes else "FAILED")
    return passes


def read_samples(lines):
    samples, left_out = collections.defaultdict(list), 0
    for line in lines:
        name, answer, alert = line.split()
        if name in ANSWERED and int(alert) == 0:
            left_out += 1
            continue
        samples[name, "answer"].append(int(answer) / 1000)
        if name in ANSWERED:
            samples[name, "alert"].append(int(alert) / 1000)
    if left_out:
        log(f"left out: {left_out} guesses that met four of their name whose failures were not committed yet")
    return samples


def timing(programs, args):
    lines = []
    if args.raw and os.path.exists(args.raw):
        with open(args.raw, encoding="utf-8") as file:
            lines = file.readlines()
    if args.blocks:
        env = {"LD_PRELOAD": programs.planted, "PLANTED_NAME": "dora", "PLANTED_NS": str(args.planted)} if args.planted else {}
        log(f"raised: {RAISED!r}; the store is in memory (/dev/shm), so that failures are committed at once")
        before = ("chrt", "-f", "50") if os.geteuid() == 0 else ()
        log("both run in real time (chrt -f 50): what else the machine does hardly disturbs" if before else "not root: nothing else should run")
        server = Server(programs, env=env, folder="/dev/shm", before=before)
        try:
            server.add_users(1)
            for name in ("dora", "thea"):
                server.user("add", name)
            server.user("disable", "dora")
            server.load("probe", 0, *THROTTLED).communicate()  # they have a row each now, which is made to last
            server.sql("UPDATE ledger SET full_at = full_at + 4000000000000 WHERE of_account = 1 OR key NOT IN "
                       "(SELECT key FROM ledger ORDER BY full_at LIMIT 2)")
            out, _ = server.load("probe", args.blocks, *ANSWERED, *THROTTLED).communicate()
            lines += out.splitlines(keepends=True)
        finally:
            server.close()
    if args.raw:
        with open(args.raw, "w", encoding="utf-8") as file:
            file.writelines(lines)
    return judge(read_samples(lines))


# --- Logins a second.

def fill_sqlite(server, users):
    server.stop()
    size = server.sql("SELECT length(sealed) FROM users WHERE name = 'bench0'")[0][0]
    server.sql("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < %d) INSERT INTO users "
               "SELECT 'user' || i, 1, i, 1, 1, 4, 1, randomblob(%d), 0, 0 FROM n" % (users, size), )
    server.sql("PRAGMA wal_checkpoint(TRUNCATE)")
    server.start()


def fill_postgresql(database, users):
    database._run("psql", "-X", "-q", "-h", database.directory, "-U", "pake", "-d", "postgres", "-c",
                  "INSERT INTO pake_users SELECT convert_to('user' || i, 'UTF8'), 1, i, 1, 1, 4, 1, (SELECT sealed FROM pake_users WHERE "
                  "name = 'bench0'), 0, 0 FROM generate_series(1, %d) AS i" % users, "-c", "VACUUM ANALYZE pake_users")


def one_rate(server, args, what):
    before = server.cpu_seconds()
    found = server.measure("logins", args.seconds, args.at_once)
    cpu = server.cpu_seconds() - before
    # Each of the users logs in once before the clock starts.
    each = cpu / (found["logins"] + args.at_once) * 1e6
    log(f"  {what}: {found['a_second']:.0f} logins/s on the clock, {each:.0f} us of CPU each in the server (a whole core: {1e6 / each:.0f}/s); "
        f"median {found['median_us']} us, 99th {found['p99_us']} us; {found['failed']} failed")
    return found["failed"] == 0


def logins(programs, args):
    log(f"raised: {RAISED!r}; {args.at_once} at once over {USERS} users, {args.seconds} s each")
    good = True
    if "sqlite" in args.on:
        server = Server(programs)
        try:
            server.add_users()
            good &= one_rate(server, args, "SQLite, %d users" % USERS)
            fill_sqlite(server, args.users)
            good &= one_rate(server, args, "SQLite, %d users" % args.users)
        finally:
            server.close()
    if "postgresql" in args.on:
        os.environ.setdefault("PAKE", programs.pake)
        sys.path.insert(0, os.path.join(ROOT, "tests", "system"))
        from serving import Postgresql  # pylint: disable=import-outside-toplevel
        with tempfile.TemporaryDirectory() as directory:
            database = Postgresql(directory, durable=True)
            server = None
            try:
                server = Server(programs, store=database.url)
                server.add_users()
                good &= one_rate(server, args, "PostgreSQL (its own CPU is not counted), %d users" % USERS)
                fill_postgresql(database, args.users)
                good &= one_rate(server, args, "PostgreSQL, %d users" % args.users)
            finally:
                if server:
                    server.close()
                database.stop()
    return good


# --- Idle sessions.

def idle(programs, args):
    log(f"raised: {RAISED!r} and the limit of open files")
    server = Server(programs)
    try:
        server.add_users()
        server.measure("logins", 1, 4)
        empty = server.measure("echo", args.lines)
        log(f"  empty: a line there and back {empty['median_us']} us, 99th {empty['p99_us']} us")
        time.sleep(20)  # buffers of what was busy are small again
        before, good = server.pss_kib(), True
        for streams in (0, 1):
            holder = server.load("hold", args.sessions, streams, stdin=subprocess.PIPE)
            said = holder.stdout.readline().strip()
            good &= said == f"held {args.sessions} failed 0"
            time.sleep(20)
            held = server.pss_kib()
            each = (held - before) / args.sessions
            log(f"  {said}, {streams} streams each: PSS {before} KiB before, {held} KiB with them, {each:.2f} KiB each"
                + (" (goal 4)" if streams == 0 else ""))
            full = server.measure("echo", args.lines)
            log(f"  with them: a line there and back {full['median_us']} us, 99th {full['p99_us']} us")
            holder.communicate()
            time.sleep(2)
            log(f"  after them: PSS {server.pss_kib()} KiB, {server.files()} open files")
        return good
    finally:
        server.close()


# --- A flood.

IP_BIND_ADDRESS_NO_PORT = 24
MOST_MORE_KIB = 512


class Attack:
    """Strangers from some sources, in a process of their own."""

    def __init__(self, address, sources, seconds):
        self.process = subprocess.Popen([sys.executable, os.path.abspath(__file__), "attack", address, str(seconds), *sources],
                                        stdout=subprocess.PIPE, text=True)
        self.began = self.process.stdout.readline().strip()

    def end(self):
        out, _ = self.process.communicate()
        return json.loads(out)


def attack(address, seconds, sources):
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    host, port = address.rsplit(":", 1)
    sys.path.insert(0, os.path.join(ROOT, "tests", "interop", "channel"))
    import pakes  # noqa: F401 pylint: disable=import-outside-toplevel,unused-import
    import wire  # pylint: disable=import-outside-toplevel
    source = itertools.cycle(sources)

    def connect():
        one = socket.socket()
        one.setsockopt(socket.IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1)
        one.bind((next(source), 0))
        one.setblocking(False)
        one.connect_ex((host, int(port)))
        return one

    def hello(number):
        return wire.make_hello(wire.ByPassword(f"ghost{number}".encode(), b"x"), os.urandom(32), (wire.CHACHA20_POLY1305,),
                               (wire.OPAQUE_RISTRETTO255,), b"", b"")

    hellos = [hello(number) for number in range(500)]
    silent = [connect() for _ in range(3000)]
    half, slow = [], []
    for number in range(500):
        one = connect()
        one.setblocking(True)
        one.sendall(hellos[number][:40])
        half.append(one)
    for number in range(500):  # they say a whole hello, and do not read
        one = connect()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        one.setblocking(True)
        one.sendall(hellos[number])
        slow.append(one)
    print(f"{len(silent)} silent, {len(half)} half hellos, {len(slow)} that do not read", flush=True)
    passing = collections.deque(maxlen=3000)
    began, made = time.monotonic(), 0
    while time.monotonic() - began < seconds:
        while made < (time.monotonic() - began) * 1000:
            passing.append(connect())
            made += 1
        time.sleep(0.005)
    print(json.dumps({"connects": made, "seconds": time.monotonic() - began}), flush=True)


def flood(programs, args):
    log("raised: nothing but what `login_load`'s own users need (source_burst, account_burst); the server has both cores, and so has everything else here")
    server = Server(programs, config="[guesses]\naccount_burst = 1000\n", core="0,1")
    good = True
    try:
        server.add_users()
        def honest(what, *how):
            found = server.measure(*how, core="0,1")
            log(f"  {what}: {found['logins']} logins, {found['failed']} failed, median {found['median_us'] / 1000:.1f} ms, 99th {found['p99_us'] / 1000:.1f} ms")
            return found

        honest("quiet", "paced", 5, args.a_second)
        files, memory = server.files(), [server.memory_kib()]
        log(f"  before: {files} open files, RSS {memory[0][0]} KiB, PSS {memory[0][1]} KiB, anonymous {memory[0][2]} KiB")
        for number in range(args.times):
            attackers = Attack(server.address, [f"127.0.{1 + i // 250}.{2 + i % 250}" for i in range(40)], args.seconds + 12)
            log(f"  attackers from 40 sources: {attackers.began}, and 1,000 connects a second")
            stretching = server.load("paced", 1, 1, 4000, core="0,1")
            found = honest("honest, from another source", "paced", args.seconds, args.a_second)
            good &= found["failed"] == 0 and found["p99_us"] < 1e6
            patient = json.loads(stretching.communicate()[0].splitlines()[-1])
            log(f"  a login whose client stretches for 4 s: {patient['logins']} done, {patient['failed']} failed, {patient['p99_us'] / 1e6:.2f} s")
            good &= patient["failed"] == 0
            said = attackers.end()
            log(f"  the attackers made {said['connects']} connections in {said['seconds']:.0f} s")
            deadline = time.monotonic() + 70
            while server.files() > files and time.monotonic() < deadline:
                time.sleep(0.5)
            memory.append(server.memory_kib())
            log(f"  after flood {number + 1}: {server.files()} open files, RSS {memory[-1][0]} KiB, PSS {memory[-1][1]} KiB, anonymous {memory[-1][2]} KiB")
            good &= server.files() <= files
        if args.times > 1:
            # What the first flood leaves the allocator keeps; what each further one adds is lost. (PSS moves with who else runs.)
            more = (memory[-1][2] - memory[1][2]) / (args.times - 1)
            leaks = more > MOST_MORE_KIB
            log(f"  each flood after the first adds {more:.0f} KiB of anonymous memory: {'memory is lost' if leaks else 'nothing is lost'}")
            good &= not leaks
        attackers = Attack(server.address, ["127.0.0.1"], args.seconds)
        honest("honest, from the attackers' own source", "paced", args.seconds // 2, args.a_second)
        attackers.end()
    finally:
        server.close()
    return good


class Programs:
    def __init__(self, folder, pake):
        self.pake = os.path.abspath(pake or os.path.join(folder, "pake"))
        self.load = os.path.abspath(os.path.join(folder, "login_load"))
        self.planted = os.path.abspath(os.path.join(folder, "libplanted_delay.so"))


def main():
    if sys.argv[1:2] == ["attack"]:
        return attack(sys.argv[2], float(sys.argv[3]), sys.argv[4:])
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", default=os.path.join(ROOT, "build", "bench", "bin"), help="the folder of pake and login_load")
    parser.add_argument("--pake", help="another pake")
    commands = parser.add_subparsers(required=True)

    def command(function, **options):
        made = commands.add_parser(function.__name__)
        made.set_defaults(run=function)
        for name, default in options.items():
            made.add_argument("--" + name.replace("_", "-"), type=type(default) if default is not None else str, default=default)

    command(timing, blocks=800, planted=0, raw=None)
    command(logins, seconds=10, at_once=16, users=1_000_000, on="sqlite,postgresql")
    command(idle, sessions=10_000, lines=20_000)
    command(flood, seconds=30, a_second=20, times=2)
    args = parser.parse_args()
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    return 0 if args.run(Programs(args.programs, args.pake), args) else 1


if __name__ == "__main__":
    sys.exit(main())
