"""Much to send: a file of PAKE_FILES_BYTES (24 MiB unless told) through cuts and kills, and PAKE_FILES_COUNT small files (300).
scripts/soak has 4 GiB and 100,000."""

import hashlib
import os
import random
import shutil
import signal
import stat
import subprocess
import time
import unittest

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from harness import CUT_SHORT, OK
from sending import Cutter, Transfers

BYTES = int(os.environ.get("PAKE_FILES_BYTES", 24 << 20))
COUNT = int(os.environ.get("PAKE_FILES_COUNT", 300))
LONGEST = 3600  # seconds for all of a step
PIECE = 1 << 20


def describe(top):
    """What is kept of a folder: path, kind, size, hash, time, the executable bit."""
    found = {}
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = os.path.join(folder, name)
            status = os.lstat(path)
            is_file = stat.S_ISREG(status.st_mode)
            content = None
            if is_file:
                with open(path, "rb") as file:
                    content = hashlib.file_digest(file, "blake2b").digest()
            found[os.path.relpath(path, top)] = (stat.S_IFMT(status.st_mode), content, status.st_mtime_ns,
                                                 is_file and status.st_mode & 0o100)
    return found


class Volume(Transfers):
    def begin(self, path, *cuts, stall=None):
        """Both programs, through a way that is cut so often, and then stands still."""
        sender = self.sender(path, "--wait", "20")
        self.ways = []
        for after, stalls in (([stall] if stall else [], True), (cuts, False)):
            self.ways.append(Cutter(sender.address, after, stalls))
            self.addCleanup(self.ways[-1].close)
            sender.address = self.ways[-1].address
        return sender, self.receiver(sender, "--wait", "20")

    def wait_for_standstill(self):
        deadline = time.monotonic() + LONGEST
        while self.ways[0].cuts == 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.01)

    def kill_one(self, killed, other):
        killed.process.kill()
        self.assertEqual(killed.wait(), 128 + signal.SIGKILL)
        other.process.send_signal(signal.SIGTERM)  # it would wait for the other side to come back
        self.assertEqual(other.wait(), 128 + signal.SIGTERM, other.err)

    def test_a_large_file_through_three_cuts_and_a_kill_of_each_side(self):
        keystream = Cipher(algorithms.AES(os.urandom(16)), modes.CTR(bytes(16))).encryptor()
        path = self.put("big")
        with open(path, "wb") as file:
            for at in range(0, BYTES, PIECE):
                file.write(keystream.update(bytes(min(PIECE, BYTES - at))))
        seed = int.from_bytes(os.urandom(4), "big")
        choice = random.Random(seed)
        with self.subTest(seed=seed):
            sender, receiver = self.begin(path, *(choice.randrange(BYTES // 50, BYTES // 10) for _ in range(3)), stall=BYTES // 4)
            self.wait_for_standstill()
            self.assertEqual(self.ways[1].cuts, 3)
            self.kill_one(receiver, sender)
            sender, receiver = self.begin(path, stall=BYTES // 4)
            self.wait_for_standstill()
            self.kill_one(sender, receiver)
            sender, receiver = self.begin(path)
            self.assertEqual((sender.wait(LONGEST), receiver.wait(LONGEST)), (OK, OK), sender.err + receiver.err)
            self.assertIn("big goes on behind", receiver.err)
            self.assertEqual(os.listdir(self.path("out")), ["big"])
            digests = []
            for one in (path, self.path("out/big")):
                with open(one, "rb") as file:
                    digests.append(hashlib.file_digest(file, "sha256").hexdigest())
            self.assertEqual(*digests)

    def test_many_small_files(self):
        choice = random.Random(COUNT)
        for number in range(COUNT):
            file = self.put(f"tree/{number // 100:04}/{number:06}", choice.randbytes(choice.randrange(2000)))
            if number % 10 == 0:
                os.chmod(file, 0o755)
        begun = time.monotonic()
        sender = self.sender(self.path("tree"))
        receiver = self.receiver(sender)
        self.assertEqual((sender.wait(LONGEST), receiver.wait(LONGEST)), (OK, OK), sender.err[-1000:] + receiver.err[-1000:])
        print(f"{COUNT} files in {time.monotonic() - begun:.1f} s ", end="", flush=True)
        self.assertEqual(describe(self.path("tree")), describe(self.path("out/tree")))
        if shutil.which("rsync"):
            differs = subprocess.run(["rsync", "-rtn", "--executability", "--checksum", "--delete", "--itemize-changes", self.path("tree/"),
                                      self.path("out/tree/")], capture_output=True, text=True, check=True)
            self.assertEqual(differs.stdout, "")

    def test_a_disk_that_fills_is_told_on_both_sides(self):
        """A file system of its own, as far as this machine permits; send_test has the limit of a process everywhere."""
        if os.geteuid() != 0 or subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode != 0:
            self.skipTest("no file system can be mounted here")
        out, size = self.folder("out"), 4 << 20
        sender = self.sender(self.put("tree/a", b"a" * 1000), self.put("tree/b", os.urandom(2 * size)))
        script = f'mount -t tmpfs -o size={size} none "$1" && shift && "$@"; code=$?; ls -s --block-size=1 "{out}" >&2; exit $code'
        receiver = self.start("--mount", "sh", "-c", script, "sh", out, os.environ["PAKE"], "receive", sender.address, "--yes",
                              "--out", out, program="unshare", env={"PAKE_CODE": sender.code_shown})
        self.assert_ends(sender, receiver, (CUT_SHORT, 1))
        self.assertIn("its disk is full", sender.err)
        self.assertRegex(receiver.err, r"error: 1 of 2 files were not stored")
        self.assertRegex(receiver.err, r"(?m)^ *\d+ a$")
        self.assertRegex(receiver.err, r"(?m)^ *\d{7} b\.pake-part$")


if __name__ == "__main__":
    unittest.main()
