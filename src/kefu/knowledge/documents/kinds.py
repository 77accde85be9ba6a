"""Which files may become knowledge, told by their content; of text the name says what it is meant to be."""

import re
from dataclasses import replace
from mmap import mmap

from kefu.files.kinds import DOCX, PDF, TXT, XLSX, FileTypeNotAllowed, Kind, is_text, kind_of
from kefu.knowledge.documents.refusals import DocumentEncrypted, DocumentTypeNotAllowed

LIMIT_MB = 50
MARKDOWN = Kind("text/markdown", (".md", ".markdown"), LIMIT_MB)
HTML = Kind("text/html", (".html", ".htm"), LIMIT_MB)
BEGINS_AS_HTML = re.compile(rb"(?:\xef\xbb\xbf)?\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)
# What Office makes of a file with a password: the old container, with the new file encrypted inside it.
OLD_OFFICE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ENCRYPTED = "EncryptedPackage".encode("utf-16-le")


def document_kind(data: mmap, name: str) -> Kind:
    """Raises DocumentTypeNotAllowed, DocumentEncrypted."""
    if data[:8] == OLD_OFFICE:
        raise DocumentEncrypted if data.find(ENCRYPTED) >= 0 else DocumentTypeNotAllowed
    if BEGINS_AS_HTML.match(data[:512]) or name.lower().endswith(HTML.endings):
        return _text_of_kind(HTML, data)
    if name.lower().endswith(MARKDOWN.endings):
        return _text_of_kind(MARKDOWN, data)
    try:
        kind = kind_of(data, name)
    except FileTypeNotAllowed:
        raise DocumentTypeNotAllowed from None
    if kind not in {PDF, DOCX, XLSX, TXT}:
        raise DocumentTypeNotAllowed
    return replace(kind, limit_mb=LIMIT_MB)


def _text_of_kind(kind: Kind, data: mmap) -> Kind:
    if not is_text(data):
        raise DocumentTypeNotAllowed
    return kind
