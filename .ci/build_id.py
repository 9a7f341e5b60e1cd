"""Makes a binary's build id the SHA-1 of what is shipped, in the binary and in the symbols cut off it.

The linker's own is computed over the symbols too, and those of zig's libc have lines with zig's path: one
commit would have another id in each folder. Prints the new id.

usage: build_id.py LINKED_ID BINARY SYMBOLS
"""

import hashlib
import sys
from pathlib import Path

linked = bytes.fromhex(sys.argv[1])
files = [Path(name) for name in sys.argv[2:]]
contents = [file.read_bytes() for file in files]
for file, content in zip(files, contents):
    if content.count(linked) != 1:
        sys.exit(f"{file} has the build id {linked.hex()} {content.count(linked)} times, and not once")

shipped = contents[0].replace(linked, bytes(len(linked)))
build_id = hashlib.sha1(shipped).digest()
for file, content in zip(files, contents):
    file.write_bytes(content.replace(linked, build_id))
print(build_id.hex())
