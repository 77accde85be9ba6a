"""Files to send: real ones, and such as lie."""

import io
import struct
import zlib
from base64 import b64decode
from zipfile import ZIP_DEFLATED, ZipFile

# A photograph of 16 × 8, to be turned by a quarter; its EXIF says SECRET and where it was taken, and so does a comment.
PHOTO = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/4QB4RXhpZgAATU0AKgAAAAgAAwEPAAIAAAAHAAAAMgESAAMAAAABAAYAAIglAAQAAAABAAAAOgAAAABTRUNS"
    "RVQAAAACAAEAAgAAAAJOAAAAAAIABQAAAAMAAABYAAAAAAAAADQAAAABAAAAHgAAAAEAAAAAAAAAAf/+AAhTRUNSRVT/2wBDAFA3PEY8MlBGQUZa"
    "VVBfeMiCeG5uePWvuZHI////////////////////////////////////////////////////wAALCAAIABABAREA/8QAFQABAQAAAAAAAAAAAAAA"
    "AAAAAwT/xAAVEAEBAAAAAAAAAAAAAAAAAAAAA//aAAgBAQAAPwAJLZP/2Q=="
)
# The same in WebP.
WEBP = b64decode(
    "UklGRsIAAABXRUJQVlA4WAoAAAAIAAAADwAABwAAVlA4TCwAAAAvD8ABAH8gEEhC2F94hYEYiPlPbAeDAJAoxBJLLLHEEkssCywQ0f8A5XT3B0VY"
    "SUZwAAAATU0AKgAAAAgAAwEPAAIAAAAHAAAAMgESAAMAAAABAAYAAIglAAQAAAABAAAAOgAAAABTRUNSRVQAAAACAAEAAgAAAAJOAAAAAAIABQAA"
    "AAMAAABYAAAAAAAAADQAAAABAAAAHgAAAAEAAAAAAAAAAQ=="
)
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'
HTML = b"<!doctype html><script>alert(1)</script>"
POLYGLOT = b"GIF89a/*\x01\x00\x00\x00*/=1;alert(1)//;"
PDF = b"%PDF-1.7\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
MP4 = b"\x00\x00\x00\x18ftypisom\x00\x00\x02\x00isomiso2" + bytes(64)
TEXT = "order,state\n1001,顾客".encode()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int = 4, height: int = 2, *extra: tuple[bytes, bytes]) -> bytes:
    """A white picture; one that says it is large holds no more for that."""
    shown = min(width * height, 10_000)
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = (b"\x00" + b"\xff" * width) * height if shown == width * height else b"\x00"
    chunks = [(b"IHDR", head), *extra, (b"IDAT", zlib.compress(rows)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*one) for one in chunks)


def office(*parts: str, unpacked: int = 0, main: str = "word/document.xml") -> bytes:
    """A Word file; `unpacked`: how many bytes one more part of it is, of zeros."""
    made = io.BytesIO()
    with ZipFile(made, "w", ZIP_DEFLATED) as file:
        for name in ("[Content_Types].xml", main, *parts):
            file.writestr(name, "<x/>")
        if unpacked:
            file.writestr("word/media/huge.bin", bytes(unpacked))
    return made.getvalue()
