"""The rows of files: a new one, those that a message takes along, and what becomes of those that none took."""

import asyncio
import secrets
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import delete, func, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from kefu.files.models import File
from kefu.files.store import FileStore, Kept
from kefu.jobs.queue import Lane, Taken, Work, again
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text

VISITOR = "visitor"
MOST_IN_MESSAGE = 5
MOST_IN_SESSION = 50
UNSENT_LASTS = timedelta(days=1)
EVERY = timedelta(hours=6)
BATCH = 500


class TooManyFiles(Conflict):
    """`limit`: how many one side may send in a conversation."""

    code = "TOO_MANY_FILES"
    text: ClassVar[Text] = {
        "en": "No more than {limit} files can be sent in one conversation.",
        "zh": "每个会话最多可发送 {limit} 个文件。",
    }


class FileNotAvailable(Conflict):
    """One of the files is not there, not the sender's, not of this session, or was sent before."""

    code = "FILE_NOT_AVAILABLE"
    text: ClassVar[Text] = {
        "en": "A file of this message is no longer there. Please attach it again.",
        "zh": "消息中的文件已失效，请重新添加。",
    }


class FileNotFound(NotFound):
    code = "FILE_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such file.", "zh": "找不到该文件。"}


@dataclass(frozen=True, slots=True)
class SweepFiles(Work):
    """Take away what was uploaded and not sent, and contents that nothing names any more. Recurring."""

    kind: ClassVar[str] = "sweep_files"
    lane: ClassVar[Lane] = "bulk"


async def check_room(tx: AsyncSession, session: str, owner: str) -> None:
    """Raises TooManyFiles. Exact only while the session's row is locked."""
    count = select(func.count()).select_from(File).where(File.session == session, File.owner == owner)
    if (await tx.execute(count)).scalar_one() >= MOST_IN_SESSION:
        raise TooManyFiles(limit=MOST_IN_SESSION)


async def add(tx: AsyncSession, session: str, owner: str, kept: Kept) -> File:
    """A file that is not sent yet. The caller holds the session's lock. Raises TooManyFiles."""
    await check_room(tx, session, owner)
    new = File(
        id=f"file_{secrets.token_hex(16)}", session=session, owner=owner, created_at=now_ms(), seq=None, **asdict(kept)
    )
    tx.add(new)
    return new


async def take(tx: AsyncSession, session: str, owner: str, ids: Sequence[str]) -> list[File]:
    """The sender's files for one message, in the order asked for; `sent` marks them. The caller holds the lock.

    Raises FileNotAvailable.
    """
    if not ids:
        return []
    unsent = select(File).where(File.id.in_(ids), File.session == session, File.owner == owner, File.seq.is_(None))
    found = {one.id: one for one in await tx.scalars(unsent)}
    if len(found) != len(ids):
        raise FileNotAvailable
    return [found[one] for one in ids]


def sent(files: Sequence[File], seq: int) -> None:
    for one in files:
        one.seq = seq


def facts_of(file: File) -> dict[str, Any]:
    """As the log keeps it and everybody is told: `width` and `height` only of a picture."""
    facts = {"id": file.id, "name": file.name, "media_type": file.media_type, "size": file.size}
    return facts | ({"width": file.width, "height": file.height} if file.width else {})


def in_words(message: dict[str, Any]) -> str:
    """What a message says where there is only text: its words, and the names of its files."""
    names = [f"[{one['name']}]" for one in message.get("files", ())]
    return "\n".join([message["content"]] * bool(message["content"]) + names)


Named = Sequence[InstrumentedAttribute[str]]


async def sweep_files(db: Database, store: FileStore, hashes: Named, job: Taken) -> None:
    """Handles `SweepFiles`. `hashes`: the columns that name contents.

    Contents go after their rows: one that stays for a crash goes the next time.
    """
    before = time.time() - UNSENT_LASTS.total_seconds()
    async with db.write() as tx:
        await tx.execute(delete(File).where(File.seq.is_(None), File.created_at < int(before * 1000)))
        await again(tx, job, EVERY)
    old = await asyncio.to_thread(store.older_than, before)
    for start in range(0, len(old), BATCH):
        some = old[start : start + BATCH]
        async with db.read() as tx:
            named = {one for column in hashes for one in await tx.scalars(select(column).where(column.in_(some)))}
        for sha256 in set(some) - named:
            await asyncio.to_thread(store.remove, sha256, before)
