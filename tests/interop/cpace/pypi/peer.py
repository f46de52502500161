"""PyPI's cpace behind lines of JSON: ../README.md has the requests and answers."""

import json
import sys

from cpace import CPace, CPaceError, CPaceRole


def start(role, request):
    of = {name: bytes.fromhex(request[name]) for name in ("PRS", "CI", "sid", "AD")}
    return CPace.start(role=role, prs=of["PRS"], ci=of["CI"], sid=of["sid"], ad=of["AD"])


def keys(side):
    return {"ISK": side.isk.hex(), "sid_output": side.sid_output.hex()}


def verify(side, request):
    if not side.verify(bytes.fromhex(request["peer_tag"])):
        raise CPaceError("wrong tag")


class Peer:
    side = None

    def answer(self, request):
        if request["mode"] == "symmetric":
            raise CPaceError("no symmetric mode")
        confirmed = request["mode"] == "confirmed"
        if request["op"] == "start":
            self.side = start(CPaceRole.INITIATOR, request)
            return {"Y": self.side.public_share.hex()}
        if request["op"] == "respond":
            self.side = start(CPaceRole.RESPONDER, request)
        if request["op"] in ("respond", "finish"):
            self.side.derive(bytes.fromhex(request["peer_Y"]), bytes.fromhex(request["peer_AD"]))
        if request["op"] == "respond":
            share = {"Y": self.side.public_share.hex()}
            return {**share, "tag": self.side.tag().hex()} if confirmed else {**share, **keys(self.side)}
        if request["op"] == "finish":
            if not confirmed:
                return keys(self.side)
            verify(self.side, request)
            return {"tag": self.side.tag().hex(), **keys(self.side)}
        if request["op"] == "verify":
            verify(self.side, request)
            return keys(self.side)
        raise CPaceError("unknown op")


def main():
    peer = Peer()
    for line in sys.stdin:
        try:
            answer = peer.answer(json.loads(line))
        except (CPaceError, AttributeError, KeyError, ValueError) as error:
            answer = {"error": str(error)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
