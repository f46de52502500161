"""The key derivation of magic-wormhole (PyPI) behind lines of JSON: its own Key machine, between a mailbox and a boss that
write down what they are told. See test_magic_wormhole.py.

  {"op": "key", "code", "appid", "side", "body", "code_first"}   {"body", "key", "verifier", "version"}, or {"scared"}
  {"op": "phase-key", "key", "side", "phase"}                    {"key"}
  {"op": "decrypt", "key", "data"}                               {"text"}
"""

import contextlib
import json
import sys

from nacl.exceptions import CryptoError
from wormhole import _interfaces, _key
from wormhole.timing import DebugTiming
from zope.interface import implementer


@implementer(_interfaces.IMailbox, _interfaces.IBoss, _interfaces.IReceive)
class Around:
    def __init__(self):
        self.messages, self.key, self.verifier, self.is_scared = {}, None, None, False

    def add_message(self, phase, body):
        self.messages[phase] = body

    def scared(self):
        self.is_scared = True

    def got_verifier(self, verifier):
        self.verifier = verifier

    def got_key(self, key):  # both the boss and the receiver are told
        self.key = key


def make_key(request):
    around = Around()
    key = _key.Key(request["appid"], {"app_versions": {}}, request["side"], DebugTiming())
    key.wire(around, around, around)
    steps = [lambda: key.got_code(request["code"]), lambda: key.got_pake(bytes.fromhex(request["body"]))]
    for step in steps if request["code_first"] else reversed(steps):
        step()
    if around.is_scared:
        return {"scared": True}
    verifier = around.verifier or _key.derive_key(around.key, b"wormhole:verifier")
    return {"body": around.messages["pake"].hex(), "key": around.key.hex(), "verifier": verifier.hex(),
            "version": around.messages["version"].hex()}


def answer(request):
    if request["op"] == "key":
        return make_key(request)
    key = bytes.fromhex(request["key"])
    if request["op"] == "phase-key":
        return {"key": _key.derive_phase_key(key, request["side"], request["phase"]).hex()}
    return {"text": _key.decrypt_data(key, bytes.fromhex(request["data"])).decode()}


for line in sys.stdin:
    try:
        with contextlib.redirect_stdout(sys.stderr):
            said = answer(json.loads(line))
    except CryptoError as error:
        said = {"error": str(error)}
    print(json.dumps(said), flush=True)
