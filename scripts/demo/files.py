"""The end of the show: a file by a code."""

import os
import pathlib
import re
import tempfile

from eavesdropper import Eavesdropper
from programs import Program
from stage import complaints, print_heading, print_rows, print_text, print_title, print_way

MARK = b"This line stands in the photo a thousand times. "


def notes(program):
    return [line for line in program.stderr.splitlines() if not line.startswith(("error:", "hint:"))] + complaints(program.stderr)


def show(pake):
    print_title("A FILE, for whoever types the code")
    print_text("No account, no server. The other side stores it in a folder of its own; nothing there is replaced, and nothing "
               "outside it is touched. DIR stands for a fresh directory.")
    with tempfile.TemporaryDirectory(prefix="pake-demo-") as directory:
        return play(pake, pathlib.Path(directory))


def play(pake, directory):
    photo, got = directory / "photo.jpg", directory / "got" / "photo.jpg"
    photo.write_bytes(MARK * 1000)
    with Program([pake, "send", "--listen", "127.0.0.1:0", str(photo)]) as sender:
        code = sender.wait_for(r"^the code is  (\S+)$", "stderr")[1]
        address = sender.wait_for(r"pake receive (\S+)$", "stderr")[1]
        with Eavesdropper(address) as eavesdropper, \
                Program([pake, "receive", eavesdropper.address, "--out", str(got.parent), "--yes"],
                        env={**os.environ, "PAKE_CODE": code}) as receiver:
            codes = sender.finish(), receiver.finish()
    print_title("10. One side shows the code, the other types it")
    print_way(("sending", "pake send --listen 127.0.0.1:0 DIR/photo.jpg"),
              ("eavesdropper", f"at {eavesdropper.address}, passes everything on to {address}"),
              ("receiving", f"PAKE_CODE={code} pake receive {eavesdropper.address} --out DIR/got --yes"))
    print_heading("sending", "receiving")
    print_rows(*([*notes(program), f"(exit code {ended})"] for program, ended in zip((sender, receiver), codes)))
    recording = eavesdropper.recordings[0]
    passed = sum(len(data) for _, data in recording.chunks)
    found = recording.count([MARK.decode(), code, photo.name])
    print()
    print_text(f"The eavesdropper has {passed} bytes. Searched for the photo's line, its name and the code: {found} found.")
    wrong = []
    if codes != (0, 0):
        wrong.append(f"both sides' exit codes should be 0, not {codes}")
    if not got.is_file() or got.read_bytes() != photo.read_bytes():
        wrong.append("the file should have arrived as it was sent")
    if sorted(os.listdir(got.parent)) != ["photo.jpg"]:
        wrong.append("nothing but the file should be in the folder")
    if found != 0 or passed < len(MARK) * 1000:
        wrong.append("the file should have passed here, and neither its bytes nor its name in clear")
    if not re.search(r"^note: 1 file stored$", receiver.stderr, re.MULTILINE):
        wrong.append("the receiving side should say that the file is stored")
    return wrong
