"""Our side of a run: family_peer behind lines of JSON."""

import json
import subprocess


class Refused(Exception):
    """A step of ours that ended in an error."""


class Ours:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=60)

    def ask(self, op, **fields):
        request = {"op": op}
        for name, value in fields.items():
            request[name] = value.hex() if isinstance(value, bytes) else value
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        answer = json.loads(self.process.stdout.readline())
        if "error" in answer:
            raise Refused(answer["error"])
        return {name: bytes.fromhex(value) for name, value in answer.items()}
