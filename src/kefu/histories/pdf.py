"""A transcript as PDF: set by Typst on a thread of its own, with a font of this machine that has Chinese."""

import asyncio
import unicodedata
from functools import cache
from importlib.resources import files
from threading import BoundedSemaphore
from typing import Any, ClassVar

import orjson
import typst

from kefu.kit.errors import Unavailable
from kefu.kit.i18n import Locale, Text
from kefu.kit.threads import modest_threads

# The first that is there. fonts-noto-cjk of Debian and Ubuntu has the first; docs/operate/production.md.
FAMILIES = (
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "WenQuanYi Micro Hei",
    "PingFang SC",
    "Microsoft YaHei",
)
# One is set at a time: ten thousand messages take about two seconds of a core and 250 MB.
PLACES = 8
PICTURES = 0x1F000
INVISIBLE = dict.fromkeys([*range(0xFE00, 0xFE10), 0x200D])

_thread = modest_threads(1, "pdf")
_places = BoundedSemaphore(PLACES)


class FontMissing(Unavailable):
    """No font of this machine has Chinese: rather no file than one of boxes."""

    code = "PDF_FONT_MISSING"
    text: ClassVar[Text] = {
        "en": "The server has no font for PDF files with Chinese. Please take another format.",
        "zh": "服务器缺少可用于 PDF 的中文字体，请选择其他格式。",
    }


class PdfBusy(Unavailable):
    code = "PDF_BUSY"
    text: ClassVar[Text] = {
        "en": "Too many PDF files are being made. Try again in {retry_after} s.",
        "zh": "正在生成的 PDF 过多，请在 {retry_after} 秒后再试。",
    }


@cache
def _fonts() -> typst.Fonts:
    return typst.Fonts()


def chinese_fonts(families: list[str]) -> list[str]:
    """Those of the families that have Chinese, the best first. Raises FontMissing."""
    found = [family for family in FAMILIES if family in families]
    if not found:
        raise FontMissing
    return found


def printable(text: str) -> str:
    """Pictures that fonts for text do not have, by their names: 🚲 is [bicycle]."""
    return "".join(_named(one) for one in text.translate(INVISIBLE))


def _named(one: str) -> str:
    return f"[{unicodedata.name(one, 'symbol').lower()}]" if ord(one) >= PICTURES and _is_picture(one) else one


def _is_picture(one: str) -> bool:
    return unicodedata.category(one) in {"So", "Sk", "Cn"}


async def pdf_of(lang: Locale, data: dict[str, Any]) -> bytes:
    """The file with these texts (what `transcript.typ` asks for). Raises FontMissing, PdfBusy."""
    if not _places.acquire(blocking=False):
        raise PdfBusy
    future = _thread.submit(_set, lang, data)
    future.add_done_callback(lambda _: _places.release())
    return await asyncio.wrap_future(future)


def _set(lang: Locale, data: dict[str, Any]) -> bytes:
    fonts = chinese_fonts(_fonts().families())
    texts = printable(orjson.dumps({**data, "lang": lang, "fonts": fonts}).decode())
    template = files("kefu.histories").joinpath("transcript.typ").read_bytes()
    made = typst.compile(template, format="pdf", font_paths=_fonts(), sys_inputs={"data": texts})
    assert isinstance(made, bytes)
    return made
