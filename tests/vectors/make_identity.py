#!/usr/bin/env python3
"""Writes identity.json: names, passwords and codes as they are typed, and the form that enters the key.

    python3 tests/vectors/make_identity.py > tests/vectors/identity.json

Independent of the library: Python's unicodedata (NFC, categories) and a lower-casing by the simple mapping of
UnicodeData.txt, one code point to one. All texts are hex of UTF-8; where a text is refused there is a reason.
"""
import json
import unicodedata


def simple_lower(c):
    # str.lower() is the full mapping: U+0130 alone has more than one code point there. Its simple mapping is U+0069.
    return "i" if c == "\u0130" else c.lower() if c != "\u03a3" else "\u03c3"


def normalised_name(typed):
    name = typed
    while True:
        after = unicodedata.normalize("NFC", "".join(map(simple_lower, name)))
        if after == name:
            break
        name = after
    assert 1 <= len(name.encode()) <= 255
    assert all(c in "._-+@" or unicodedata.category(c)[0] in "LM" or unicodedata.category(c) == "Nd" for c in name), typed
    return name


def normalised_password(typed):
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in typed)
    password = unicodedata.normalize("NFC", spaced)
    assert 1 <= len(password.encode()) <= 1024
    assert all(unicodedata.category(c) != "Cc" for c in password)
    return password


def hexed(text):
    return (text if isinstance(text, bytes) else text.encode()).hex()


NAMES = [
    "alice", "Alice", "ALICE.B", "a_b-c+d@Example.ORG", "0123456789", "x", "A" * 255,
    "\u00c9mile", "E\u0301mile", "e\u0301mile", "\u212bngstro\u0308m", "A\u030angstr\u00f6m",
    "\u212a", "\u2126", "\u0130stanbul", "I\u0307stanbul", "\u0131l\u0131k", "STRASSE", "stra\u00dfe", "STRA\u1e9eE",
    "\u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3", "\u1f88", "\u1fbc", "\u0391\u0345", "\u0410\u0411\u0412", "\u0419", "\u0418\u0306",
    "\u05d0\u05b8", "\u0645\u062d\u0645\u062f", "\u0660\u0661", "\u0939\u093f\u0928\u094d\u0926\u0940", "\u0915\u093c", "\u0958",
    "\u0e44\u0e17\u0e22", "\u30cf\u309a", "\u30d1", "\u1112\u1161\u11ab", "\ud55c", "\u5f20\u4e09", "\uf900",
    "q\u0307\u0323", "q\u0323\u0307", "\u1e0b\u0323", "d\u0323\u0307", "\u01c5", "\u01c4", "\ua64a", "\u10a0", "\u13a0", "\uab70", "\u1c90",
    "\U00010400", "\U0001e900", "\U00020000", "\U0002f800", "\u212a" * 255, "\u023a" * 85,
]
NAMES_REFUSED = [
    ("", "empty"), (" ", "a space"), ("a b", "a space"), ("a\tb", "a control character"), ("a\n", "a line end"), ("a\0", "NUL"),
    ("a/b", "a slash"), ("a:b", "a colon"), ("a\\b", "a backslash"), ("a!b", "an exclamation mark"), ("a%b", "a percent sign"),
    ("\u00b2", "a superscript: No"), ("\u2160", "a Roman numeral: Nl"), ("\u20ac", "a currency sign"), ("\u037e", "becomes a semicolon"),
    ("\u1fef", "becomes a grave accent"), ("\u200b", "a zero width space: Cf"), ("a\u200db", "a joiner: Cf"), ("\u202e", "an override: Cf"),
    ("\ufeffa", "a byte order mark: Cf"), ("\u00a0", "a no-break space"), ("\u2019", "a quotation mark"), ("\u0378", "unassigned"),
    ("\ufdd0", "a noncharacter"), ("\U0010ffff", "a noncharacter"), ("\ue000", "private use"), ("\U0001f600", "an emoji"),
    (b"\xff", "not UTF-8"), (b"a\xc3", "cut"), (b"\xc0\xe1", "overlong"), (b"\xed\xa0\x80", "a surrogate"), (b"\xf4\x90\x80\x80", "above U+10FFFF"),
    ("a" * 256, "256 bytes"), ("\u023a" * 86, "258 bytes as small letters"), ("a" * 1021, "too long to be looked at"),
]
PASSWORDS = [
    "correct horse", "Correct Horse", " x ", "x", "a" * 1024, "p\u00e4ssword", "pa\u0308ssword", "\u212b", "\ufb01", "\uff21", "\u1112\u1161\u11ab",
    "a\u00a0b", "a\u1680b", "a\u2000b", "a\u2001b", "a\u2007b", "a\u202fb", "a\u205fb", "a\u3000b", "a\u200bb", "a\u00adb",
    "q\u0307\u0323", "\U0001f600\U0001f468\u200d\U0001f469", "\u1fef", "\u2028", "\u3000" * 1023 + "a",
]
PASSWORDS_REFUSED = [
    ("", "empty"), ("a\tb", "a tabulator"), ("a\nb", "a line end"), ("a\r", "a carriage return"), ("a\0b", "NUL"), ("\x7f", "DEL"),
    ("a\u0085", "NEL"), ("\u009f", "a C1 control character"), (b"\xff", "not UTF-8"), (b"\xed\xbf\xbf", "a surrogate"), (b"a\xe2\x82", "cut"),
    ("a" * 1025, "1,025 bytes"), ("\u3000" * 1024 + "a", "1,025 bytes once its spaces are ASCII"),
]
FILES = ["secret", "secret\n", "secret\r\n", "pa\u0308ss\n"]
FILES_REFUSED = [("", "empty"), ("\n", "empty but for its line end"), ("secret\n\n", "two line ends"), ("secret\r", "CR alone"), ("secret\n\r", "LF CR"),
                 ("secret\r\r\n", "two carriage returns")]
CODES = ["1234567-acid-walnut-zone-acid", "1234567 acid walnut zone acid", " 9999999 - ACID--Walnut ZONE acid- ", "1000000-acid-acid-acid-acid\n",
         "1000000-acid-acid-acid-acid\r\n"]
CODES_REFUSED = [("", "empty"), ("acid-walnut-zone-acid", "no selector"), ("123456-acid-walnut-zone-acid", "six digits"),
                 ("12345678-acid-walnut-zone-acid", "eight digits"), ("0123456-acid-walnut-zone-acid", "begins with zero"),
                 ("1234567-acid-walnut-zone", "three words"), ("1234567-acid-walnut-zone-acid-acid", "five words"),
                 ("1234567-acid-walnut-zone-axid", "no word of the list"), ("acid-1234567-walnut-zone-acid", "another order")]


def code(typed):
    selector, *words = typed.lower().replace("-", " ").split()
    return {"typed": hexed(typed), "selector": hexed(selector), "words": hexed("-".join(words))}


document = {
    "about": {
        "encoding": "Every text is hex of its bytes, UTF-8 where it is accepted.",
        "names": "utf8proc_tolower per code point, then NFC, repeated until nothing changes; letters, marks, decimal digits, . _ - + @; 1 to 255 bytes.",
        "passwords": "Zs to U+0020, NFC, no control characters, 1 to 1,024 bytes. Files: one LF or CRLF at the end does not count.",
        "invitation_codes": "SELECTOR-word-word-word-word.",
    },
    "names": [{"typed": hexed(t), "normalised": hexed(normalised_name(t)), "is_normalised": normalised_name(t) == t} for t in NAMES],
    "names_refused": [{"typed": hexed(t), "reason": why} for t, why in NAMES_REFUSED],
    "passwords": [{"typed": hexed(t), "normalised": hexed(normalised_password(t))} for t in PASSWORDS],
    "passwords_refused": [{"typed": hexed(t), "reason": why} for t, why in PASSWORDS_REFUSED],
    "password_files": [{"content": hexed(t), "normalised": hexed(normalised_password(t.rstrip("\r\n")))} for t in FILES],
    "password_files_refused": [{"content": hexed(t), "reason": why} for t, why in FILES_REFUSED],
    "invitation_codes": [code(t) for t in CODES],
    "invitation_codes_refused": [{"typed": hexed(t), "reason": why} for t, why in CODES_REFUSED],
}
print(json.dumps(document, indent=1))
