"""Tags that are given by rules, when a person's part in a session ended or was rated."""

from collections.abc import Callable
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.collaboration.models import Tag
from kefu.collaboration.tags import PER_SESSION, add, all_tags
from kefu.jobs.queue import Taken, finish
from kefu.kit.db import Database
from kefu.log.log import SYSTEM, read_last
from kefu.sessions.episodes import last_episode
from kefu.sessions.models import Episode, Session, stream_of
from kefu.sessions.queries import history
from kefu.sessions.service import SessionNotFound, locked

TextField = Literal["text", "reason", "shop", "locale"]
NumberField = Literal["rating", "wait_seconds", "service_seconds", "messages"]
Operator = Literal["contains", "=", ">", "<"]
# So much of what the visitor wrote is looked at, the newest first.
LOOKED_AT = 200
COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "contains": lambda fact, value: value in fact,
    "=": lambda fact, value: fact == value,
    ">": lambda fact, value: fact > value,
    "<": lambda fact, value: fact < value,
}


async def tag_by_rules(db: Database, job: Taken) -> None:
    """Handles `TagByRules`. Repeating it is safe: a tag that is there is not added again."""
    async with db.write() as tx:
        await give_tags(tx, job.payload["session"])
        await finish(tx, job.id)


async def give_tags(tx: AsyncSession, name: str) -> None:
    """Add every tag with a rule that fits, as far as there is room. What a person took off is not put back."""
    ruled = [tag for tag in await all_tags(tx) if tag.rules and not tag.is_archived]
    if not ruled:
        return
    try:
        session = await locked(tx, name)
    except SessionNotFound:
        return
    removed = await read_last(tx, stream_of(name), LOOKED_AT, types=("tag.removed",), public_only=False)
    settled = {one.facts["tag"] for one in removed} | set(session.tags)
    facts = await _facts(tx, session)
    fitting = [tag.id for tag in ruled if tag.id not in settled and _fits(tag, facts)]
    await add(tx, session, fitting[: max(0, PER_SESSION - len(session.tags))], SYSTEM, is_auto=True)


def _fits(tag: Tag, facts: dict[str, Any]) -> bool:
    return any(_holds(rule, facts[rule["field"]]) for rule in tag.rules)


def _holds(rule: dict[str, Any], fact: Any) -> bool:
    """Whether the rule holds for the fact; never for one that is not known."""
    value = rule["value"].casefold() if isinstance(rule["value"], str) else rule["value"]
    return fact is not None and COMPARE[rule["operator"]](fact, value)


async def _facts(tx: AsyncSession, session: Session) -> dict[str, Any]:
    """What rules ask of, None when it is not known. Text in lower case; times are the last episode's."""
    said = [one.facts for one in await history(tx, session.name, LOOKED_AT, public_only=True)]
    episode = await last_episode(tx, session.name) or Episode()
    return {
        "text": "\n".join(one["content"] for one in said if one["role"] == "user").casefold(),
        "reason": episode.reason,
        "shop": session.shop,
        "locale": session.locale,
        "rating": episode.rating,
        "wait_seconds": _seconds(episode.started_at, episode.taken_at or episode.ended_at),
        "service_seconds": _seconds(episode.taken_at, episode.ended_at),
        "messages": session.message_count,
    }


def _seconds(start: int | None, end: int | None) -> float | None:
    return None if start is None or end is None else (end - start) / 1000
