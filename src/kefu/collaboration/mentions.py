"""Who is named in a note, and whether they have read it."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.models import Agent, key_of
from kefu.bus.telling import tell
from kefu.collaboration.models import Mention, Note
from kefu.kit.clock import now_ms
from kefu.kit.errors import Invalid
from kefu.kit.i18n import Text
from kefu.sessions.guests import let_in


class MentionUnknown(Invalid):
    """`usernames`: whom nobody knows."""

    code = "MENTION_UNKNOWN"
    text: ClassVar[Text] = {"en": "There is no such colleague.", "zh": "找不到被提及的同事。"}


@dataclass(frozen=True, slots=True)
class Page:
    """`next_key`: where the next page begins, if there is one."""

    mentions: list[tuple[Mention, Note]]
    unread: int
    next_key: list[Any] | None


async def named(tx: AsyncSession, content: str, usernames: Iterable[str]) -> list[dict[str, str]]:
    """Whom the note names, by `@username` in its text or in the list. Raises MentionUnknown for one of the list."""
    rows = await tx.execute(select(Agent.username_key, Agent.id, Agent.username, Agent.name).where(Agent.is_active))
    team = {key: {"id": id_, "username": username, "name": name} for key, id_, username, name in rows}
    listed = {key_of(username): username for username in usernames}
    if unknown := [username for key, username in listed.items() if key not in team]:
        raise MentionUnknown(usernames=unknown)
    keys = {*listed, *in_text(content, team)}
    return sorted((team[key] for key in keys), key=lambda one: one["username"])


def in_text(content: str, keys: Iterable[str]) -> set[str]:
    """The usernames (their keys) that stand behind an `@`. Chinese text goes on behind a name without a space."""
    longest_first = sorted(map(re.escape, keys), key=len, reverse=True)
    if not longest_first:
        return set()
    pattern = rf"(?<![A-Za-z0-9._-])@({'|'.join(longest_first)})(?![A-Za-z0-9_])"
    return set(re.findall(pattern, key_of(content)))


async def keep(tx: AsyncSession, note: Note) -> None:
    """Have a mention for each colleague that the note names now, but for its author, and tell whom it concerns.

    Who was named before and is still has read it or not, as before.
    """
    wanted = {one["id"] for one in note.mentions} - {note.author_id}
    before = set(await tx.scalars(select(Mention.agent_id).where(Mention.note_id == note.id)))
    await tx.execute(delete(Mention).where(Mention.note_id == note.id, Mention.agent_id.not_in(wanted)))
    tx.add_all(Mention(note_id=note.id, agent_id=one, at=note.updated_at) for one in wanted - before)
    await tx.flush()
    for agent_id in wanted - before:
        await let_in(tx, note.session, agent_id, "mention")
    for agent_id in wanted ^ before:
        tell(tx, agent_id, "mentions.changed", session=note.session, note_id=note.id, by=note.author_name)


async def forget(tx: AsyncSession, note: Note) -> None:
    """The note is to go, and its mentions with it."""
    gone = delete(Mention).where(Mention.note_id == note.id).returning(Mention.agent_id)
    for agent_id in (await tx.scalars(gone)).all():
        tell(tx, agent_id, "mentions.changed", session=note.session, note_id=None, by=None)


async def find(tx: AsyncSession, agent_id: str, after: list[Any] | None, limit: int, *, unread_only: bool) -> Page:
    """The agent's mentions, the newest first. `after`: where the last page ended."""
    query = select(Mention, Note).join(Note, Note.id == Mention.note_id).where(Mention.agent_id == agent_id)
    if unread_only:
        query = query.where(Mention.read_at.is_(None))
    if after:
        query = query.where(tuple_(Mention.at, Mention.note_id) < tuple_(*after))
    query = query.order_by(Mention.at.desc(), Mention.note_id.desc()).limit(limit + 1)
    rows = [(mention, note) for mention, note in await tx.execute(query)]
    page = rows[:limit]
    next_key = [page[-1][0].at, page[-1][0].note_id] if len(rows) > limit else None
    return Page(page, await count_unread(tx, agent_id), next_key)


async def count_unread(tx: AsyncSession, agent_id: str) -> int:
    query = select(func.count()).where(Mention.agent_id == agent_id, Mention.read_at.is_(None))
    return (await tx.execute(query)).scalar_one()


async def mark_read(tx: AsyncSession, agent_id: str, note_ids: Sequence[str] | None) -> int:
    """The agent has read those, or all; how many are left. Safe to repeat."""
    marked = update(Mention).where(Mention.agent_id == agent_id, Mention.read_at.is_(None))
    if note_ids is not None:
        marked = marked.where(Mention.note_id.in_(note_ids))
    if (await tx.scalars(marked.values(read_at=now_ms()).returning(Mention.note_id))).all():
        tell(tx, agent_id, "mentions.changed", session=None, note_id=None, by=None)
    return await count_unread(tx, agent_id)
