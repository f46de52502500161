"""The second half of the show: the same conversation through `pake listen` and `pake dial`."""

import os
import re

from eavesdropper import Eavesdropper, print_seen
from programs import Program
from seed import LINES
from stage import Table, Typed, complaints, print_heading, print_rows, print_text, print_title, print_way

INVITATION = [(r"the code is  [a-z]+-[a-z]+-\d\d", None), (r"on the other side:  pake dial 127\.0\.0\.1:\d+", None)]
KNOWN = [(r"note: connected: 127\.0\.0\.1:\d+ knows the code", "note: connected: both sides know the code")]
CHAT = [row for line in LINES for row in ((re.escape(line), Typed(line)),
                                          (Typed(f"receive {line}"), f"receive {re.escape(line)}"))]
FRAMES = {0x01: "client_hello", 0x03: "server_hello", 0x04: "client_finish", 0x05: "alert", 0x10: "data", 0x11: "close"}


def talk(rows, listener, dialler):
    """Types every line, and waits until the other side has printed it."""
    for left, right in rows:
        for here, there, line in ((listener, dialler, left), (dialler, listener, right)):
            if isinstance(line, Typed):
                here.send(line)
                there.wait_for(f"^{re.escape(line)}$")


def printed(program):
    words = [line for line in program.stderr.splitlines() if not line.startswith(("error:", "hint:"))]
    return words + program.stdout.splitlines()


def play(title, pake, rows, code_typed, expected_code):
    """One pair of programs; `code_typed` makes of the code that is shown the one that is typed."""
    with Program([pake, "listen", "127.0.0.1:0"]) as listener:
        code = listener.wait_for(r"^the code is  (\S+)$", "stderr")[1]
        typed = code_typed(code)
        address = listener.wait_for(r"pake dial (\S+)$", "stderr")[1]
        with Eavesdropper(address) as eavesdropper, \
                Program([pake, "dial", eavesdropper.address], env={**os.environ, "PAKE_CODE": typed}) as dialler:
            talk(rows, listener, dialler)
            for program in (listener, dialler):
                program.end_input()
            codes = listener.finish(), dialler.finish()

    print_title(title)
    print_way(("listening", f"pake listen {address}"),
              ("eavesdropper", f"at {eavesdropper.address}, passes everything on to {address}"),
              ("dialling", f"PAKE_CODE={typed} pake dial {eavesdropper.address}"))
    print_heading("listening", "dialling")
    table = Table(rows, printed(listener), printed(dialler))
    table.show()
    print_rows(*([*complaints(program.stderr), f"(exit code {ended})"] for program, ended in zip((listener, dialler), codes)))
    if codes != (expected_code,) * 2:
        table.wrong.append(f"both sides' exit codes should be {expected_code}, not {codes}")
    return table.wrong, eavesdropper.recordings[0], code


def frames(recording):
    """Every frame of docs/wire.md, section 3, in the order in which the last byte of it passed."""
    pending = {True: b"", False: b""}
    for to_listener, data in recording.chunks:
        rest = pending[to_listener] + data
        while len(rest) >= 4 and len(rest) >= (size := 4 + int.from_bytes(rest[1:4], "big")):
            yield "dialling" if to_listener else "listening", rest[:size], FRAMES.get(rest[0], "unknown")
            rest = rest[size:]
        pending[to_listener] = rest
    if any(pending.values()):
        yield "somebody", b"".join(pending.values()), "unknown"


def show_what_is_seen(recording, code):
    print_title("What an eavesdropper sees of 4: who speaks, how many bytes, how they begin")
    seen = list(frames(recording))
    print_seen(seen)
    found = recording.count([*LINES, code])
    print()
    print_text(f"Searched for the same {len(LINES)} lines and for the code: {found} found. What shows is that this is pake with "
               "a code, how much each side says, and when.")
    print()
    print_text("Nothing in it tells a right guess of the code from a wrong one. To try a code one must ask the listener, "
               "and it answers one guess, as in 5.")
    wrong = [] if found == 0 else ["neither the chat nor the code should have passed in clear"]
    if any(name == "unknown" for _, _, name in seen):
        wrong.append("what passed should be frames of docs/wire.md and nothing else")
    if {speaker for speaker, _, name in seen if name == "data"} != {"listening", "dialling"}:
        wrong.append("the chat should have passed here, both ways")
    return wrong


def another(code):
    return "copper-copper-11" if code != "copper-copper-11" else "copper-copper-12"


def show(pake):
    print_title("THE SAME CONVERSATION, DONE RIGHT, by CPace and an encrypted channel")
    print_text("One side shows a code for this conversation alone, the other types it.")
    wrong, recording, code = play("4. Both know the code", pake, [*INVITATION, *KNOWN, *CHAT], lambda code: code, 0)
    wrong += play("5. A wrong code: one try uses it up", pake, INVITATION, another, 3)[0]
    return wrong + show_what_is_seen(recording, code)
