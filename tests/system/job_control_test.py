"""`pake` as a job of a shell: started in the background, stopped, continued, and ended by signals; bash and dash."""

import contextlib
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios
import time
import unittest

from harness import OK, PAKE, PATIENCE
from pipe_terminal_test import AtTerminals

SHELLS = {"bash": ["bash", "--norc", "--noprofile", "-i"], "dash": ["dash", "-i"]}


class Shell:
    """An interactive shell on a terminal of its own."""

    def __init__(self, argv, env=None):
        self._seen = b""
        self._pid, self._master = pty.fork()
        if self._pid == 0:
            environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "TERM": "xterm", "PS1": "sh> ",
                           "LC_ALL": "C.UTF-8", "PAKE": PAKE} | (env or {})
            os.execvpe(argv[0], argv, environment)
        self.see("sh> ")

    def see(self, pattern):
        deadline = time.monotonic() + PATIENCE
        while not (found := re.search(pattern.encode(), self._seen)):
            assert select.select([self._master], [], [], max(0, deadline - time.monotonic()))[0], \
                f"no {pattern!r} on the screen: {self._seen!r}"
            self._seen += os.read(self._master, 4096)
        self._seen = self._seen[found.end():]
        return found[0].decode()

    def type(self, keys):
        os.write(self._master, keys.encode())

    def run(self, command):
        """A command that ends; what it printed."""
        self.type(command + "; echo do''ne $?\r")
        return self.see(r"(?s)\r\n.*done [0-9]+\r\n")

    def children(self):
        with open(f"/proc/{self._pid}/task/{self._pid}/children") as file:
            return [int(pid) for pid in file.read().split()]

    def wait_until_stopped(self):
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for pid in self.children():
                with open(f"/proc/{pid}/stat") as file:
                    if file.read().rsplit(")", 1)[1].split()[0] == "T":
                        return pid
            time.sleep(0.02)
        raise AssertionError("nothing has stopped")

    def echoes(self):
        return bool(termios.tcgetattr(self._master)[3] & termios.ECHO)

    def close(self):
        os.close(self._master)
        for pid in self.children():
            os.kill(pid, signal.SIGKILL)
        os.kill(self._pid, signal.SIGKILL)
        os.waitpid(self._pid, 0)


class Jobs(AtTerminals):
    def each_shell(self):
        for name, argv in SHELLS.items():
            if not shutil.which(name):
                raise unittest.SkipTest(f"there is no {name}")
            with self.subTest(shell=name):
                shell = Shell(argv)
                self.addCleanup(shell.close)
                yield shell

    def start_dial(self, shell, host, suffix=""):
        shell.type(f"$PAKE dial {host.address} {suffix}\r")

    def type_half_a_line(self, shell, host):
        self.start_dial(shell, host)
        shell.see("Code: ")
        shell.type(host.code_shown + "\r")
        shell.see("connected: ")
        shell.see("> ")
        shell.type("half")
        shell.see("half")

    def finish(self, shell, host):
        """Types the code, and talks."""
        shell.type(host.code_shown + "\r")
        shell.see("connected: both sides know the code\r\n")
        shell.see("> ")
        self.talk(shell, host)

    def talk(self, shell, host):
        shell.type("a line\r")
        host.wait_for("a line\n")
        shell.type("\x04")
        host.wait_for_end_of_output()
        self.assertEqual(host.wait(), OK)
        shell.see("sh> ")
        self.assertIn("done 0", shell.run("true"), "the shell has its terminal back")
        self.assertIn("a word\r\n", shell.run("echo a  word"))

    def test_the_prompt_waits_for_the_foreground(self):
        for shell in self.each_shell():
            host = self.host(stdin=-1)
            self.start_dial(shell, host, "&")
            shell.wait_until_stopped()
            shell.type("fg\r")
            shell.see("Code: ")
            self.finish(shell, host)

    def test_the_prompt_can_be_stopped_and_continued(self):
        for shell in self.each_shell():
            for hide in ("", "--hide"):
                host = self.host(stdin=-1)
                self.start_dial(shell, host, hide)
                shell.see("Code: ")
                shell.type("half")
                time.sleep(0.1)
                shell.type("\x1a")
                shell.wait_until_stopped()
                shell.see("sh> ")
                self.assertIn("a word\r\n", shell.run("echo a  word"))
                shell.type("fg\r")
                shell.see("Code: ")
                shell.type("copper")
                if hide:
                    shell.type("\x15")  # the line is killed
                    self.assertFalse(shell.echoes(), "a hidden code stays hidden")
                else:
                    shell.see("copper")
                    shell.type("\x15")
                self.finish(shell, host)

    def test_the_prompt_comes_back_after_a_stop_that_cannot_be_seen(self):
        for shell in self.each_shell():
            host = self.host(stdin=-1)
            self.start_dial(shell, host, "--hide")
            shell.see("Code: ")
            os.kill(shell.children()[0], signal.SIGSTOP)
            shell.wait_until_stopped()
            shell.type("fg\r")
            shell.see("Code: ")
            self.assertFalse(shell.echoes())
            self.finish(shell, host)
            self.assertIn("done 0", shell.run("true"))

    def test_a_conversation_can_be_stopped_and_continued(self):
        for number in (signal.SIGTSTP, signal.SIGSTOP):
            for shell in self.each_shell():
                host = self.host(stdin=-1)
                self.type_half_a_line(shell, host)
                if number == signal.SIGTSTP:
                    shell.type("\x1a")
                else:
                    os.kill(shell.children()[0], number)
                shell.wait_until_stopped()
                if number == signal.SIGTSTP:
                    shell.see("sh> ")
                    self.assertIn("a word\r\n", shell.run("echo a  word"))
                shell.type("fg\r")
                shell.see("> half")
                shell.type("way there\r")
                host.wait_for("halfway there\n")
                self.talk(shell, host)

    def test_keys_that_a_shell_took_are_not_waited_for(self):
        """What is typed when all but the thread that reads has been stopped: it is told of keys that the shell then takes."""
        cpus = os.sched_getaffinity(0)
        shell = Shell(SHELLS["bash"])
        self.addCleanup(shell.close)
        host = self.host(stdin=-1)
        self.type_half_a_line(shell, host)
        dial = shell.children()[0]
        threads = [int(thread) for thread in os.listdir(f"/proc/{dial}/task") if int(thread) != dial]
        for _ in range(3):
            busy = subprocess.Popen(["taskset", "-c", str(min(cpus)), "/bin/sh", "-c", "while :; do :; done"])
            for thread in threads:
                os.sched_setaffinity(thread, {min(cpus)})
                os.sched_setscheduler(thread, os.SCHED_IDLE, os.sched_param(0))
            time.sleep(0.1)
            os.kill(dial, signal.SIGSTOP)
            shell.wait_until_stopped()
            shell.type("fg\r")
            time.sleep(0.1)
            busy.kill()
            busy.wait()
            for thread in threads:
                os.sched_setaffinity(thread, cpus)
                with contextlib.suppress(PermissionError):  # not everybody may go back
                    os.sched_setscheduler(thread, os.SCHED_OTHER, os.sched_param(0))
            shell.see("> half")
        shell.type(" a line\r")
        host.wait_for("half a line\n")
        self.talk(shell, host)

    def test_a_conversation_in_the_background_hears_on(self):
        for shell in self.each_shell():
            host = self.host(stdin=-1)
            self.start_dial(shell, host)
            shell.see("Code: ")
            shell.type(host.code_shown + "\r")
            shell.see("connected: ")
            shell.see("> ")
            shell.type("\x1a")
            shell.wait_until_stopped()
            shell.see("sh> ")
            shell.type("bg\r")
            shell.see("sh> ")
            host.write("still heard\n")
            shell.see("still heard\r\n")
            self.assertIn("a word\r\n", shell.run("echo a  word"))
            shell.type("fg\r")
            shell.see("> ")
            self.talk(shell, host)


class Signals(AtTerminals):
    def test_an_interrupt_ends_a_script_too(self):
        for name, argv in SHELLS.items():
            with self.subTest(shell=name):
                script = self.path("script", '"$PAKE" listen 127.0.0.1:0\necho went on\n')
                shell = Shell(argv)
                self.addCleanup(shell.close)
                shell.type(f"{name} {script}\r")
                shell.see("pake dial 127.0.0.1:[0-9]+\r\n")
                shell.type("\x03")
                self.assertNotIn("went on", shell.see("(?s).*sh> "))

    def test_a_quit_key_at_the_prompt_leaves_a_sane_terminal(self):
        host = self.terminal("listen", "127.0.0.1:0")
        code = re.search(r"the code is  (\S+)", host.see(r"the code is  \S+\r\n"))[1]
        caller = self.terminal("dial", host.see(r"127\.0\.0\.1:[0-9]+\r\n").strip())
        caller.see("Code: ")
        caller.type(code + "\r")
        caller.see("connected: ")
        caller.see("> ")
        caller.type("half\x1c")
        self.assert_sane_end(caller, 128 + signal.SIGQUIT)

    def test_what_was_ignored_stays_ignored(self):
        listener = self.start("-c", 'trap "" HUP; exec "$0" listen 127.0.0.1:0', PAKE, program="/bin/sh")
        listener.wait_for(r"pake dial \S+\n", "err")
        listener.process.send_signal(signal.SIGHUP)
        time.sleep(0.3)
        self.assertIsNone(listener.process.poll())
        self.assertEqual(listener.stop(), 128 + signal.SIGTERM)


if __name__ == "__main__":
    unittest.main(verbosity=2)
