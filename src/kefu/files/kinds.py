"""Which kinds of files may be sent, told by their content; a name or a header may say anything.

The table is ours and short: a library that knows hundreds of formats would be asked for these few, and says "zip" of a
Word file, which has to be looked into anyway.
"""

import codecs
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from mmap import mmap
from pathlib import PurePosixPath
from typing import IO, ClassVar, cast
from zipfile import BadZipFile, ZipFile

from kefu.kit.errors import KefuError
from kefu.kit.i18n import Text

NAME_LENGTH = 120
CHUNK = 1 << 20
# Of a Word or Excel file: its directory, and what it says it holds when it is unpacked, which nobody does here.
ZIP_ENTRIES, ZIP_DIRECTORY, ZIP_UNPACKED = 5000, 1 << 20, 512 << 20
ZIP_END = 22  # bytes of the record that ends a zip file without a comment, as these are
MP4_BRANDS = re.compile(rb"iso[m2-9]|mp4[12v]|avc1|M4V |MSNV|dash|mmp4")
CONTROLS = re.compile(rb"[\x00-\x08\x0b\x0e-\x1a\x1c-\x1f\x7f]")


class FileTypeNotAllowed(KefuError):
    status = 415
    code = "FILE_TYPE_NOT_ALLOWED"
    text: ClassVar[Text] = {
        "en": "Only pictures (PNG, JPEG, GIF, WebP), PDF, text, CSV, Word, Excel and MP4 files can be sent.",
        "zh": "仅支持发送图片（PNG、JPEG、GIF、WebP）、PDF、TXT、CSV、Word、Excel 和 MP4 文件。",
    }


@dataclass(frozen=True, slots=True)
class Kind:
    """`endings`: a name has one of them, or is given the first. `limit_mb`: MiB at most, whatever the settings say."""

    media_type: str
    endings: tuple[str, ...]
    limit_mb: int = 10

    @property
    def is_picture(self) -> bool:
        return self.media_type.startswith("image/")


PNG = Kind("image/png", (".png",))
JPEG = Kind("image/jpeg", (".jpg", ".jpeg"))
GIF = Kind("image/gif", (".gif",))
WEBP = Kind("image/webp", (".webp",))
PDF = Kind("application/pdf", (".pdf",))
TXT = Kind("text/plain", (".txt",))
CSV = Kind("text/csv", (".csv",))
DOCX = Kind("application/vnd.openxmlformats-officedocument.wordprocessingml.document", (".docx",))
XLSX = Kind("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", (".xlsx",))
MP4 = Kind("video/mp4", (".mp4",), limit_mb=50)

MEDIA_TYPES = [kind.media_type for kind in (PNG, JPEG, GIF, WEBP, PDF, TXT, CSV, DOCX, XLSX, MP4)]
OFFICE = {"word/document.xml": DOCX, "xl/workbook.xml": XLSX}

KINDS: tuple[tuple[Kind, Callable[[bytes], bool]], ...] = (
    (PNG, lambda head: head.startswith(b"\x89PNG\r\n\x1a\n")),
    (JPEG, lambda head: head.startswith(b"\xff\xd8\xff")),
    (GIF, lambda head: head.startswith((b"GIF87a", b"GIF89a"))),
    (WEBP, lambda head: head.startswith(b"RIFF") and head[8:12] == b"WEBP"),
    (PDF, lambda head: head.startswith(b"%PDF-")),
    (MP4, lambda head: head[4:8] == b"ftyp" and MP4_BRANDS.fullmatch(head[8:12]) is not None),
)


def kind_of(data: mmap, name: str) -> Kind:
    """What the content is. Text says nothing of itself, so its name must say that it is meant to be text.

    Raises FileTypeNotAllowed.
    """
    head = data[:16]
    if found := next((kind for kind, begins in KINDS if begins(head)), None):
        return found
    if head.startswith(b"PK\x03\x04"):
        return _office(data)
    meant = next((kind for kind in (TXT, CSV) if name.lower().endswith(kind.endings)), None)
    if meant and is_text(data):
        return meant
    raise FileTypeNotAllowed


def _office(data: mmap) -> Kind:
    """By the names in the directory. A file with macros, or one that unpacks without measure, is none of ours."""
    end = data[-ZIP_END:]
    entries, directory = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    is_plain = end.startswith(b"PK\x05\x06") and data[-ZIP_END - 20 : -ZIP_END - 16] != b"PK\x06\x07"
    if not is_plain or entries > ZIP_ENTRIES or directory > ZIP_DIRECTORY:
        raise FileTypeNotAllowed
    try:
        infos = ZipFile(cast("IO[bytes]", data)).infolist()
    except (BadZipFile, NotImplementedError, ValueError):
        raise FileTypeNotAllowed from None
    names = {info.filename for info in infos}
    found = next((kind for part, kind in OFFICE.items() if part in names), None)
    has_macros = any(name.lower().endswith("vbaproject.bin") for name in names)
    is_bomb = sum(info.file_size for info in infos) > ZIP_UNPACKED
    if found is None or "[Content_Types].xml" not in names or has_macros or is_bomb:
        raise FileTypeNotAllowed
    return found


def is_text(data: mmap) -> bool:
    """In UTF-8, or in GB18030 as Windows writes it in China, and without control characters."""
    return any(_is_written_in(encoding, data) for encoding in ("utf-8", "gb18030"))


def _is_written_in(encoding: str, data: mmap) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        for start in range(0, len(data), CHUNK):
            chunk = data[start : start + CHUNK]
            if CONTROLS.search(chunk):
                return False
            decoder.decode(chunk, final=start + CHUNK >= len(data))
    except UnicodeDecodeError:
        return False
    return True


def label(name: str, kind: Kind) -> str:
    """The name as people see it: no path, nothing that hides or turns letters, the ending that the content has."""
    base = PurePosixPath(unicodedata.normalize("NFC", name).replace("\\", "/")).name
    visible = "".join(one for one in base if unicodedata.category(one)[0] != "C" and one not in "\u2028\u2029")
    stem = " ".join(visible.split()).strip(". ")
    ending = next((one for one in kind.endings if stem.lower().endswith(one)), "")
    stem = stem[: len(stem) - len(ending)].rstrip(". ") if ending else stem
    ending = ending or kind.endings[0]
    return f"{stem[: NAME_LENGTH - len(ending)].strip() or 'file'}{ending}"
