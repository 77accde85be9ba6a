"""Why a file does not become knowledge. The process that reads files raises these too: nothing heavy is imported."""

from typing import ClassVar

from kefu.kit.errors import Invalid, KefuError
from kefu.kit.i18n import Locale, Text


class DocumentTypeNotAllowed(KefuError):
    status = 415
    code = "DOCUMENT_TYPE_NOT_ALLOWED"
    text: ClassVar[Text] = {
        "en": "Only PDF, Word (.docx), Excel (.xlsx), Markdown, HTML and text files can become knowledge.",
        "zh": "仅支持 PDF、Word（.docx）、Excel（.xlsx）、Markdown、HTML 和 TXT 文件。",
    }


class Refused(Invalid):
    """Base of what is found out by reading; a document keeps its `code`."""


class DocumentEncrypted(Refused):
    code = "DOCUMENT_ENCRYPTED"
    text: ClassVar[Text] = {
        "en": "The file is protected by a password. Save it without one and upload it again.",
        "zh": "文件已加密，请去除密码后重新上传。",
    }


class DocumentBroken(Refused):
    code = "DOCUMENT_BROKEN"
    text: ClassVar[Text] = {
        "en": "The file is damaged and cannot be read. Open it, save it anew and upload it again.",
        "zh": "文件已损坏，无法读取，请重新保存后再上传。",
    }


class DocumentEmpty(Refused):
    code = "DOCUMENT_EMPTY"
    text: ClassVar[Text] = {"en": "There is no text in the file.", "zh": "文件中没有文字内容。"}


class DocumentScanned(Refused):
    code = "DOCUMENT_SCANNED"
    text: ClassVar[Text] = {
        "en": "The PDF holds only pictures of pages, no text. Have its text recognised (OCR) first.",
        "zh": "该 PDF 为扫描件，没有文字层，请先进行文字识别（OCR）。",
    }


class DocumentTooLong(Refused):
    code = "DOCUMENT_TOO_LONG"
    text: ClassVar[Text] = {
        "en": "The file holds more text than one document may have (500,000 characters). Upload it in parts.",
        "zh": "文件文字超过单个文档上限（50 万字），请拆分后上传。",
    }


class DocumentTooComplex(Refused):
    """Reading it took more time or memory than it may, or killed who read it."""

    code = "DOCUMENT_TOO_COMPLEX"
    text: ClassVar[Text] = {
        "en": "Reading the file takes too long or too much memory. Upload it in parts, or in another format.",
        "zh": "读取该文件所需的时间或内存过多，请拆分后上传，或换用其他格式。",
    }


REFUSALS: dict[str, type[Refused]] = {
    one.code: one
    for one in (
        DocumentEncrypted,
        DocumentBroken,
        DocumentEmpty,
        DocumentScanned,
        DocumentTooLong,
        DocumentTooComplex,
    )
}


def in_words(code: str, locale: Locale) -> str:
    return REFUSALS.get(code, DocumentBroken).text[locale]
