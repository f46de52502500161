"""`pake draw`: valid SVG and HTML of any trace, which hold text alone, whatever is in it."""

import html.parser
import json
import os
import unittest
import xml.etree.ElementTree

from harness import FAILED, OK, USAGE, Case

SVG = "{http://www.w3.org/2000/svg}"
PLAIN_ELEMENTS = {SVG + name for name in ("svg", "title", "desc", "style", "rect", "line", "polygon", "circle", "text", "tspan", "g")}
VOID = {"meta", "br"}


class Page(html.parser.HTMLParser):
    """Every element that is opened is closed, in order; counts them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.open, self.count, self.attributes, self.said = [], {}, [], ""
        self.feed(text)
        self.close()
        if self.open:
            raise AssertionError(f"not closed: {self.open}")

    def handle_starttag(self, tag, attrs):
        self.count[tag] = self.count.get(tag, 0) + 1
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            raise AssertionError(f"</{tag}> closes nothing")

    def handle_data(self, data):
        if "style" not in self.open:
            self.said += data


def line(**members):
    return json.dumps({"us": 1, "passed": "sent", "frame": "line", "size": 2, "bytes": "6869", **members}) + "\n"


class Draw(Case):
    def draw(self, *args, code=OK, **how):
        program = self.run_pake("draw", *args, **how)
        self.assertEqual(program.code, code, program.err)
        return program

    def svg(self, *args):
        """The picture as a tree, held to what may be in it."""
        path = self.path("run.svg")
        self.draw(*args, "-o", path)
        root = xml.etree.ElementTree.parse(path).getroot()
        self.assertEqual(root.get("role"), "img")
        self.assertEqual({element.tag for element in root.iter()} - PLAIN_ELEMENTS, set())
        for element in root.iter():
            self.assertFalse([name for name in element.keys() if name.startswith("on") or name.endswith("href")])
        width, height = (float(root.get(name)) for name in ("width", "height"))
        for rect in root.iter(SVG + "rect"):
            x, y, w, h = (float(rect.get(name, 0)) for name in ("x", "y", "width", "height"))
            self.assertTrue(0 <= x and x + w <= width and 0 <= y and y + h <= height, rect.attrib)
        return root

    def page(self, *args):
        path = self.path("run.html")
        self.draw(*args, "-o", path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        page = Page(text)
        self.assertNotIn("script", page.count)
        self.assertFalse([name for name, _ in page.attributes if name.startswith("on") or name in ("src", "href")])
        self.assertNotRegex(text, r"https?://|url\(|@import")
        return page

    def eke_trace(self):
        trace = self.path("1992.jsonl")
        listener = self.listen("--once")
        self.assertEqual(self.connect(listener.address, "--trace", trace, lines="hello\n").code, OK)
        return trace

    def today_trace(self):
        trace = self.path("today.jsonl")
        host = self.start("listen", "127.0.0.1:0")
        code = host.wait_for(r"the code is  (\S+)\n", "err")[1]
        self.assertEqual(self.run_pake("dial", host.wait_for(r"pake dial (\S+)\n", "err")[1], "--trace", trace,
                                       env={"PAKE_CODE": code}).code, OK)
        return trace


class Drawings(Draw):
    def test_show_every_message_with_its_fields(self):
        trace = self.eke_trace()
        with open(trace, encoding="ascii") as file:
            frames = [json.loads(each) for each in file]
        root = self.svg(trace)
        words = "\n".join(root.itertext())
        page = self.page(trace)
        self.assertEqual(len(frames), 10)
        for number, frame in enumerate(frames, 1):
            for text in (words, page.said):
                self.assertIn(f"{number} {frame['frame']}", text)
                for field in frame["fields"]:
                    self.assertIn(field["name"], text)
        self.assertEqual(page.count["details"], len(frames))
        self.assertEqual(page.count["summary"], len(frames))
        self.assertEqual(len(root.findall(f".//{SVG}polygon")), len(frames))
        for kind in ("password", "session", "clear"):
            self.assertGreater(len([rect for rect in root.iter(SVG + "rect") if rect.get("class") == kind]), 1, kind)
        # The chat is in clear, and the bytes of a message are there field by field.
        self.assertIn("\u201creceive hello\u201d", words)
        self.assertIn(b"receive hello".hex(" ", -4), page.said)
        # A screen reader is told every message.
        description = root.find(SVG + "desc").text
        self.assertIn("3. C, connects to L, listens: public_key, 364 bytes", description)
        self.assertIn("password: E_pw(PK)", description)

    def test_stand_side_by_side_and_are_watched(self):
        traces = self.eke_trace(), self.today_trace()
        one, both = self.svg(traces[0]), self.svg(*traces, "--eavesdropper")
        self.assertGreater(float(both.get("width")), 1.8 * float(one.get("width")))
        self.assertEqual("".join(both.itertext()).count("eavesdropper"), 2)
        self.assertEqual(self.page(*traces, "--eavesdropper").count["section"], 2)

    def test_go_to_stdout_as_svg(self):
        trace = self.eke_trace()
        self.svg(trace)
        with open(self.path("run.svg"), encoding="utf-8") as file:
            self.assertEqual(self.draw(trace).out, file.read())

    def test_of_a_trace_of_an_older_version(self):
        trace = self.today_trace()
        with open(trace, encoding="ascii") as file:
            old = [{name: value for name, value in json.loads(each).items()
                    if name in ("us", "passed", "frame", "size", "bytes")} for each in file]
        self.assertIn("Ya", "".join(self.svg(self.path("old", "".join(json.dumps(each) + "\n" for each in old))).itertext()))

    def test_refuse_what_they_cannot_do(self):
        trace = self.path("trace", line())
        for args, code, said in (((), USAGE, "there is no trace to draw"),
                                 ((trace, "-o", self.path("run.png")), USAGE, "neither .svg nor .html"),
                                 ((trace,) * 5, USAGE, "at most 4"),
                                 ((self.path("nothing"),), FAILED, "cannot read"),
                                 ((self.directory,), FAILED, "cannot read"),
                                 ((trace, "-o", self.path("nowhere") + "/run.svg"), FAILED, "cannot write"),
                                 ((trace, "-o", self.path("run.svg"), "--messages", "0"), USAGE, "1 to 10000"),
                                 ((self.path("text", line() + "hello\n"),), FAILED, "line 2 is not a line of a trace")):
            with self.subTest(args=args):
                program = self.draw(*args, code=code)
                self.assertIn(said, program.err)
                self.assertEqual(program.out, "")
        with open("/dev/full", "wb") as full:
            self.assertIn("No space left", self.draw(trace, code=FAILED, stdout=full).err)

    def test_are_not_written_to_a_terminal(self):
        reader, terminal = os.openpty()
        with os.fdopen(reader), os.fdopen(terminal) as stdout:
            program = self.draw(self.path("trace", line()), code=USAGE, stdout=stdout)
        self.assertIn("hint: pake draw", program.err)


NASTY = ["<script>alert(1)</script>", "]]>", "\"><img src=x onerror=alert(1)>", "a\nb\0c\x1b[2J", "\u202e\u2066\uffff",
         "&lt;&amp;", "' onclick='", "</style></title></desc>", "\U0001f600" * 60, "{0}{}%s"]


class Hostile(Draw):
    def assert_is_text(self, trace):
        words = "".join(self.svg(trace).itertext()) + self.page(trace).said
        for control in ("\0", "\x1b", "\u202e", "\u2066", "\uffff"):
            self.assertNotIn(control, words)
        return words

    def test_names_and_words_stay_text(self):
        text = ""
        for nasty in NASTY:
            content = nasty.encode()
            fields = [{"name": nasty, "at": 0, "size": len(content), "kind": "clear"}]
            text += line(frame=nasty, protocol=nasty, size=len(content), bytes=content.hex(), fields=fields, role="client")
        words = self.assert_is_text(self.path("trace <b>&.jsonl", text))
        self.assertIn("<script>alert(1)</script>", words)
        self.assertIn("a\\nb\\x00c\\x1b[2J", words)

    def test_bytes_that_are_no_text(self):
        fields = [{"name": "x", "at": 0, "size": 256, "kind": "clear"}]
        self.assert_is_text(self.path("trace", line(size=256, bytes=bytes(range(256)).hex(), fields=fields)))

    def test_a_hundred_thousand_frames_are_bounded(self):
        trace = self.path("trace", line() * 100_000)
        self.assertIn("99,800 more not drawn", self.assert_is_text(trace))
        for name in ("run.svg", "run.html"):
            self.assertLess(os.path.getsize(self.path(name)), 1 << 20)

    def test_large_frames_and_many_fields_are_bounded(self):
        fields = [{"name": "n" * 256, "at": i, "size": 30_000, "kind": "clear"} for i in range(64)]
        trace = self.path("trace", line(frame="f" * 256, size=32_784, bytes="41" * 32_784, fields=fields) * 20)
        self.assert_is_text(trace)
        for name in ("run.svg", "run.html"):
            self.assertLess(os.path.getsize(self.path(name)), 8 << 20)

    def test_numbers_are_held_to_their_bounds(self):
        for members in ({"us": 2 ** 64}, {"us": 1.5}, {"size": 2 ** 70}, {"conn": 2 ** 60}, {"us": None}, {"bytes": "zz"},
                        {"fields": [{"name": "x", "at": 2 ** 63, "size": 2 ** 63, "kind": "clear"}]}):
            with self.subTest(**members):
                self.draw(self.path("trace", line(**members)), code=FAILED)
        self.assert_is_text(self.path("trace", line(us=2 ** 64 - 1)))

    def test_an_empty_trace_says_so(self):
        self.assertIn("The trace has no message.", self.assert_is_text(self.path("trace", "")))


if __name__ == "__main__":
    unittest.main()
