"""A conversation as a file to keep: text or JSON, written page by page from the log, or PDF."""

import re
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any, ClassVar, Literal

import orjson

from kefu.files.service import in_words
from kefu.histories.parts import Part, parts_of, read_parts, rest
from kefu.histories.pdf import pdf_of
from kefu.histories.wording import WORDS, line_of_move
from kefu.kit.clock import iso, now_ms
from kefu.kit.db import Database
from kefu.kit.errors import TooLarge
from kefu.kit.i18n import Locale, Text
from kefu.log.log import Entry
from kefu.log.models import Event
from kefu.sessions.contacts import without_contacts
from kefu.sessions.models import Session
from kefu.shops.look import look_of
from kefu.shops.service import find_shop

Format = Literal["txt", "json", "pdf"]
MEDIA: dict[Format, str] = {
    "txt": "text/plain; charset=utf-8",
    "json": "application/json",
    "pdf": "application/pdf",
}
PAGE = 500
PDF_LIMIT = 10_000
# Neither control characters nor those that turn the direction of what follows.
UNSAFE = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")


class TranscriptTooLong(TooLarge):
    """`limit`: how many events a PDF may have."""

    code = "TRANSCRIPT_TOO_LONG"
    text: ClassVar[Text] = {
        "en": "This conversation is too long for a PDF file. Please take text or JSON.",
        "zh": "该会话过长，无法生成 PDF，请选择文本或 JSON 格式。",
    }


@dataclass(frozen=True, slots=True)
class Wish:
    """How the reader wants it. `internal`: with what visitors never see; `contacts`: with contact data."""

    locale: Locale
    zone: tzinfo
    zone_name: str
    internal: bool
    contacts: bool


@dataclass(frozen=True, slots=True)
class Line:
    """`kind` is message, internal or move; `by` is empty for a move. `at`: the reader's time, or empty."""

    kind: Literal["message", "internal", "move"]
    at: str
    by: str
    text: str


class Transcript:
    """One session with what was merged into it, as it stood when this was made."""

    def __init__(self, session: Session, shop: Text, bot: Text, parts: list[Part], wish: Wish) -> None:
        self._session, self._parts, self._wish = session, parts, wish
        self._words = WORDS[wish.locale]
        self._place = session.name  # whose log is being written
        self._shop, self._bot = shop[wish.locale], bot[wish.locale]

    async def txt(self, db: Database) -> AsyncIterator[bytes]:
        yield "\n".join([self._words.title, *self._facts(), ""]).encode()
        async for page in self._pages(db):
            yield "".join(_as_text(line) for line in self._lines(page)).encode()

    async def json(self, db: Database) -> AsyncIterator[bytes]:
        """One object; `events` are as the log has them, each with the `session_name` it stands in."""
        session = self._session
        head = {"session_name": session.name, "shop": session.shop, "status": session.status, "locale": session.locale}
        head |= {"created_at": iso(session.created_at), "exported_at": iso(now_ms())}
        yield orjson.dumps(head)[:-1] + b',"events":['
        between = b"\n"
        async for page in self._pages(db):
            events = (orjson.dumps({"session_name": name, **entry.shown}) for name, entry in page)
            yield between + b",\n".join(events)
            between = b",\n"
        yield b"]}\n"

    async def pdf(self, db: Database) -> bytes:
        """Raises TranscriptTooLong, FontMissing, PdfBusy."""
        lines: list[Line] = []
        async for page in self._pages(db):
            lines += self._lines(page)
            if len(lines) > PDF_LIMIT:
                raise TranscriptTooLong(limit=PDF_LIMIT)
        facts = self._facts()
        data = {"title": self._words.title, "shop": self._shop, "facts": facts, "lines": [asdict(one) for one in lines]}
        return await pdf_of(self._wish.locale, data)

    async def _pages(self, db: Database) -> AsyncIterator[list[tuple[str, Entry]]]:
        """Each page in a transaction of its own: who reads slowly holds none open."""
        where = () if self._wish.internal else (Event.audience == "public",)
        parts = self._parts
        while parts:
            async with db.read() as tx:
                page = await read_parts(tx, parts, PAGE, *where)
            if page:
                yield page if self._wish.contacts else [(name, without_contacts(one)) for name, one in page]
            parts = rest(parts, page[-1][0], page[-1][1].seq) if len(page) == PAGE else []

    def _facts(self) -> list[str]:
        session, words = self._session, self._words
        times = f"{self._time(session.created_at)} – {self._time(session.updated_at)} ({self._wish.zone_name})"
        visitor = f"{words.visitor}: {safe(session.nickname or '')}"
        return [f"{words.shop}: {safe(self._shop)}", visitor, f"{words.session}: {session.name}", times]

    def _lines(self, page: list[tuple[str, Entry]]) -> list[Line]:
        lines: list[Line] = []
        for name, entry in page:
            line = self._line(entry)
            if line is None:
                continue
            if name != self._place:
                lines.append(Line("move", "", "", f"{self._words.session}: {name}"))
                self._place = name
            lines.append(line)
        return lines

    def _line(self, entry: Entry) -> Line | None:
        at, facts = self._time(entry.at), entry.facts
        if entry.type == "message.posted":
            return Line("message", at, safe(self._speaker(entry, facts)), safe(in_words(facts)))
        if entry.audience == "internal":
            return Line("internal", at, self._words.internal, safe(_inner(entry.type, facts)))
        said = line_of_move(self._words, entry)
        return Line("move", at, "", safe(said)) if said else None

    def _speaker(self, entry: Entry, facts: dict[str, Any]) -> str:
        match facts["role"]:
            case "user":
                return self._session.nickname or self._words.visitor
            case "agent":
                return orjson.loads(entry.actor).get("name") or self._words.agent
            case "assistant":
                return self._bot
            case _:
                return self._words.system

    def _time(self, at: int) -> str:
        return datetime.fromtimestamp(at / 1000, UTC).astimezone(self._wish.zone).strftime("%Y-%m-%d %H:%M:%S")


async def transcript_of(db: Database, session: Session, wish: Wish) -> Transcript:
    async with db.read() as tx:
        shop = await find_shop(tx, session.shop)
        parts = await parts_of(tx, session.name, session.seq)
    return Transcript(session, shop.name, look_of(shop).name, parts, wish)


def safe(text: str) -> str:
    return UNSAFE.sub("", text)


def _as_text(line: Line) -> str:
    """Further lines of a message are indented: none of them can be taken for the next message."""
    if line.kind == "move":
        return f"\n[{line.at}] — {line.text} —\n" if line.at else f"\n=== {line.text} ===\n"
    return f"\n[{line.at}] {line.by}:\n" + "".join(f"    {one}\n" for one in line.text.split("\n"))


def _inner(type_: str, facts: dict[str, Any]) -> str:
    """What an internal event says: its text, what the bot read, or its facts as they are."""
    if type_ == "answer.evidenced":
        facts = {"passages": [one.get("title") for one in facts.get("passages", [])]}
    for name in ("text", "content", "note"):
        if isinstance(facts.get(name), str):
            return f"{type_}: {facts[name]}"
    return f"{type_}: {orjson.dumps(facts).decode()}"
