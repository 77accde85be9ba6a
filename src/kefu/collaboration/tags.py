"""Tags: the team's list of them, and what sessions carry.

A session's tags change by events, as everything of a session does; its row and `session_tags` follow from those.
"""

from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.collaboration.models import Tag
from kefu.collaboration.presets import GROUP_ORDER, PRESETS, preset
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.log.log import Actor, Fact
from kefu.sessions.models import Session
from kefu.sessions.service import Member, NotHolder, holder_of, locked, record
from kefu.sessions.several import Outcome, for_each

PER_SESSION = 20
PER_TEAM = 200
AUDITED = ("name", "group", "color", "icon", "description", "rules", "is_archived")


class TagNotFound(NotFound):
    code = "TAG_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such tag.", "zh": "找不到该标签。"}


class TagArchived(Conflict):
    code = "TAG_ARCHIVED"
    text: ClassVar[Text] = {"en": "This tag is archived; it is not given any more.", "zh": "该标签已归档，不能再使用。"}


class TagExists(Conflict):
    code = "TAG_EXISTS"
    text: ClassVar[Text] = {"en": "There is a tag of this name already.", "zh": "已有同名标签。"}


class TooManyTags(Conflict):
    """`most`: how many there may be."""

    code = "TOO_MANY_TAGS"
    text: ClassVar[Text] = {"en": "There may be at most {most} tags.", "zh": "最多只能有 {most} 个标签。"}


async def all_tags(tx: AsyncSession) -> list[Tag]:
    """Presets and the team's own, archived ones too, by group and then as they came."""
    rows = {tag.id: tag for tag in await tx.scalars(select(Tag).order_by(Tag.created_at, Tag.id))}
    presets = [rows.pop(tag_id) if tag_id in rows else preset(tag_id) for tag_id in PRESETS]
    return sorted([*presets, *rows.values()], key=lambda tag: GROUP_ORDER.index(tag.group))


async def find_tag(tx: AsyncSession, tag_id: str) -> Tag:
    """Raises TagNotFound."""
    tag = await tx.get(Tag, tag_id)
    if tag is None and tag_id not in PRESETS:
        raise TagNotFound(tag=tag_id)
    return tag or preset(tag_id)


async def create_tag(tx: AsyncSession, wanted: dict[str, Any]) -> Tag:
    """A tag of the team's own. Raises TagExists, TooManyTags."""
    name: str = wanted.pop("name")
    known = await all_tags(tx)
    if len(known) >= PER_TEAM:
        raise TooManyTags(most=PER_TEAM)
    tag = Tag(id=new_id("tag_custom"), is_archived=False, created_at=now_ms(), **wanted)
    _call(tag, name, known)
    await _store(tx, tag)
    audit(tx, "tag.created", ("tag", tag.id), after=fields(tag, *AUDITED))
    return tag


async def change_tag(tx: AsyncSession, tag_id: str, changes: dict[str, Any]) -> Tag:
    """Change the tag; a preset becomes the team's own version of it. Safe to repeat.

    Raises TagNotFound, TagExists.
    """
    await tx.get(Tag, tag_id, with_for_update=True)
    tag = await find_tag(tx, tag_id)
    before = fields(tag, *AUDITED)
    name = changes.pop("name", None)
    if name is not None:
        _call(tag, name, await all_tags(tx))
    for field, value in changes.items():
        setattr(tag, field, value)
    await _store(tx, tag)
    audit(tx, "tag.changed", ("tag", tag_id), before, fields(tag, *AUDITED))
    return tag


def _call(tag: Tag, name: str, known: list[Tag]) -> None:
    """Raises TagExists when another tag is called that in either language."""
    key = name.casefold()
    if any(key in {called.casefold() for called in one.name.values()} for one in known if one.id != tag.id):
        raise TagExists
    if key not in {called.casefold() for called in (tag.name or {}).values()}:
        tag.name = {"en": name, "zh": name}
        tag.name_key = key


async def _store(tx: AsyncSession, tag: Tag) -> None:
    tx.add(tag)
    try:
        await tx.flush()
    except IntegrityError:  # two leads at once
        raise TagExists from None


async def tag_session(tx: AsyncSession, name: str, tag_ids: list[str], member: Member) -> Session:
    """Add these tags; one that it has already stays as it is, so a repeat changes nothing.

    Raises SessionNotFound, NotHolder, TagNotFound, TagArchived, TooManyTags; nothing is added then.
    """
    for tag_id in tag_ids:
        if (await find_tag(tx, tag_id)).is_archived:
            raise TagArchived(tag=tag_id)
    session = await locked(tx, name)
    _check_may_tag(session, member)
    await add(tx, session, tag_ids, member.actor)
    return session


async def add(tx: AsyncSession, session: Session, tag_ids: list[str], actor: Actor, *, is_auto: bool = False) -> bool:
    """Whether any was new to the (locked) session. Raises TooManyTags."""
    new = [tag_id for tag_id in dict.fromkeys(tag_ids) if tag_id not in session.tags]
    if len(session.tags) + len(new) > PER_SESSION:
        raise TooManyTags(most=PER_SESSION)
    facts = [Fact("tag.added", actor, {"tag": one, "is_auto": is_auto}, audience="internal") for one in new]
    if facts:
        await record(tx, session, *facts)
    return bool(facts)


async def untag_session(tx: AsyncSession, name: str, tag_id: str, member: Member) -> Session:
    """Take the tag off, also an archived one. Safe to repeat. Raises SessionNotFound, NotHolder, TagNotFound."""
    await find_tag(tx, tag_id)
    session = await locked(tx, name)
    _check_may_tag(session, member)
    await _take_off(tx, session, tag_id, member.actor)
    return session


async def _take_off(tx: AsyncSession, session: Session, tag_id: str, actor: Actor) -> bool:
    """Whether the (locked) session had it."""
    if tag_id not in session.tags:
        return False
    await record(tx, session, Fact("tag.removed", actor, {"tag": tag_id}, audience="internal"))
    return True


async def tag_several(tx: AsyncSession, names: list[str], tag_id: str, member: Member) -> Outcome:
    """Add one tag to many sessions. Raises TagNotFound, TagArchived."""
    if (await find_tag(tx, tag_id)).is_archived:
        raise TagArchived(tag=tag_id)

    async def act(name: str) -> bool:
        session = await locked(tx, name)
        _check_may_tag(session, member)
        return await add(tx, session, [tag_id], member.actor)

    return await for_each(names, act)


async def untag_several(tx: AsyncSession, names: list[str], tag_id: str, member: Member) -> Outcome:
    """Take one tag, also an archived one, off many sessions. Raises TagNotFound."""
    await find_tag(tx, tag_id)

    async def act(name: str) -> bool:
        session = await locked(tx, name)
        _check_may_tag(session, member)
        return await _take_off(tx, session, tag_id, member.actor)

    return await for_each(names, act)


def _check_may_tag(session: Session, member: Member) -> None:
    """Who serves it, anybody while nobody does, and leads. Raises NotHolder."""
    if session.agent_id not in {None, member.id} and not member.is_lead:
        raise NotHolder(agent=holder_of(session))
