"""Pictures without what they say of their maker: where and when, with what, and what was hung on behind the end.

Nothing is decoded, so no picture can break a decoder or fill the memory, and none loses quality: its parts are read in
order, and those that are no picture are left out. Of a photograph's EXIF only the way up is kept.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap
from typing import ClassVar

from kefu.files.kinds import GIF, JPEG, PNG, WEBP, Kind
from kefu.kit.errors import KefuError, TooLarge
from kefu.kit.i18n import Text

MEGAPIXELS = 50
PNG_PRIVATE = {b"eXIf", b"tEXt", b"zTXt", b"iTXt", b"tIME"}
WEBP_PRIVATE = {b"EXIF", b"XMP "}
WEBP_HAS_PRIVATE = 0x08 | 0x04  # the flags that say so
FRAME = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # a JPEG's markers that say how large it is
SCAN, END, EXIF = 0xDA, 0xD9, 0xE1
# Behind a scan's data: a marker that is neither part of the data nor a restart within it.
NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
TURNED = range(5, 9)  # ways up in which width and height change places

Piece = bytes | slice


class FileDamaged(KefuError):
    status = 415
    code = "FILE_DAMAGED"
    text: ClassVar[Text] = {"en": "This picture is damaged.", "zh": "图片已损坏，无法识别。"}


class PictureTooLarge(TooLarge):
    code = "PICTURE_TOO_LARGE"
    text: ClassVar[Text] = {
        "en": "The picture has more than {limit} megapixels.",
        "zh": "图片超过 {limit} 百万像素。",
    }


@dataclass(frozen=True, slots=True)
class Picture:
    """`width`, `height`: as it is shown, in pixels. `pieces`: its new content, bytes or stretches of the old."""

    width: int
    height: int
    pieces: list[Piece]


def cleaned(kind: Kind, data: mmap) -> Picture:
    """The picture as it may be kept. Raises FileDamaged, PictureTooLarge."""
    try:
        picture = _READERS[kind](data)
    except IndexError:
        raise FileDamaged from None
    if not (picture.width and picture.height):
        raise FileDamaged
    if picture.width * picture.height > MEGAPIXELS * 1_000_000:
        raise PictureTooLarge(limit=MEGAPIXELS)
    return picture


def _number(data: mmap | bytes, at: int, size: int, order: str = "big") -> int:
    """Raises IndexError behind the end."""
    found = data[at : at + size]
    if len(found) < size:
        raise IndexError
    return int.from_bytes(found, "little" if order == "little" else "big")


def _keep(pieces: list[Piece], start: int, end: int) -> None:
    """Neighbours become one: a picture may have a hundred thousand parts."""
    last = pieces[-1] if pieces else None
    if isinstance(last, slice) and last.stop == start:
        pieces[-1] = slice(last.start, end)
    else:
        pieces.append(slice(start, end))


def _png(data: mmap) -> Picture:
    pieces: list[Piece] = [slice(0, 8)]
    at, name = 8, b""
    while name != b"IEND":
        name, end = data[at + 4 : at + 8], at + 12 + _number(data, at, 4)
        if end > len(data) or (at == 8) != (name == b"IHDR"):
            raise FileDamaged
        if name not in PNG_PRIVATE:
            _keep(pieces, at, end)
        at = end
    return Picture(_number(data, 16, 4), _number(data, 20, 4), pieces)


def _gif(data: mmap) -> Picture:
    return Picture(_number(data, 6, 2, "little"), _number(data, 8, 2, "little"), [slice(0, len(data))])


def _webp(data: mmap) -> Picture:
    pieces: list[Piece] = []
    end = min(len(data), 8 + _number(data, 4, 4, "little"))
    width = height = 0
    for name, start, stop in _webp_chunks(data, end):
        if name in WEBP_PRIVATE:
            continue
        if not pieces:
            width, height = _webp_size(data, name, start + 8)
        if name == b"VP8X":
            flags = data[start + 8] & ~WEBP_HAS_PRIVATE
            pieces += [data[start : start + 8] + bytes([flags]), slice(start + 9, stop)]
        else:
            _keep(pieces, start, stop)
    size = 4 + sum(len(one) if isinstance(one, bytes) else one.stop - one.start for one in pieces)
    return Picture(width, height, [b"RIFF" + size.to_bytes(4, "little") + b"WEBP", *pieces])


def _webp_chunks(data: mmap, end: int) -> Iterator[tuple[bytes, int, int]]:
    """The name, the start and the end of each."""
    at = 12
    while at + 8 <= end:
        size = _number(data, at + 4, 4, "little")
        stop = at + 8 + size + size % 2
        if stop > end:
            raise FileDamaged
        yield data[at : at + 4], at, stop
        at = stop


def _webp_size(data: mmap, name: bytes, at: int) -> tuple[int, int]:
    match name:
        case b"VP8X":
            return 1 + _number(data, at + 4, 3, "little"), 1 + _number(data, at + 7, 3, "little")
        case b"VP8 ":
            return _number(data, at + 6, 2, "little") & 0x3FFF, _number(data, at + 8, 2, "little") & 0x3FFF
        case b"VP8L":
            bits = _number(data, at + 1, 4, "little")
            return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        case _:
            raise FileDamaged


def _jpeg(data: mmap) -> Picture:
    pieces: list[Piece] = []
    size, way_up = (0, 0), 1
    for marker, start, stop in _segments(data):
        if marker in FRAME:
            if size != (0, 0):
                raise FileDamaged
            size = _number(data, start + 7, 2), _number(data, start + 5, 2)
        if marker == EXIF and data[start + 4 : start + 10] == b"Exif\0\0":
            way_up = _way_up(data[start + 10 : stop])
        if _is_picture(marker, data[start + 4 : start + 16]):
            _keep(pieces, start, stop)
    width, height = size[::-1] if way_up in TURNED else size
    return Picture(width, height, [b"\xff\xd8" + _exif(way_up), *pieces, b"\xff\xd9"])


def _segments(data: mmap) -> Iterator[tuple[int, int, int]]:
    """The marker, the start and the end of each between the beginning and the end of the picture.

    A photograph that was cut off has no end: then it ends with the file.
    """
    at = 2
    while at < len(data):
        while _number(data, at, 2) == 0xFFFF:
            at += 1
        marker = _number(data, at, 2) - 0xFF00
        if marker == END:
            return
        if marker <= 0 or 0xD0 <= marker <= 0xD8:
            raise FileDamaged
        stop = at + 2 + max(2, _number(data, at + 2, 2))
        if marker == SCAN:
            behind = NEXT_MARKER.search(data, stop)
            stop = behind.start() if behind else len(data)
        if stop > len(data):
            raise FileDamaged
        yield marker, at, stop
        at = stop


def _is_picture(marker: int, head: bytes) -> bool:
    """Not what applications and people wrote beside it; how its colours are meant is part of it."""
    if 0xE0 <= marker <= 0xEF:
        return head.startswith((b"JFIF\0", b"ICC_PROFILE\0", b"Adobe"))
    return marker != 0xFE


def _way_up(tiff: bytes) -> int:
    """The orientation, 1 to 8; 1 where there is none."""
    order = "little" if tiff.startswith(b"II") else "big"
    try:
        at = _number(tiff, 4, 4, order)
        for entry in range(at + 2, at + 2 + 12 * _number(tiff, at, 2, order), 12):
            if _number(tiff, entry, 2, order) == 0x0112:
                found = _number(tiff, entry + 8, 2, order)
                return found if found in range(1, 9) else 1
    except IndexError:
        pass
    return 1


def _exif(way_up: int) -> bytes:
    """A segment that says nothing but this; none for what is upright."""
    if way_up == 1:
        return b""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01" + way_up.to_bytes(2, "big") + b"\0\0"
    return b"\xff\xe1\x00\x22Exif\0\0MM\0*\x00\x00\x00\x08\x00\x01" + entry + b"\0\0\0\0"


_READERS = {PNG: _png, JPEG: _jpeg, GIF: _gif, WEBP: _webp}
