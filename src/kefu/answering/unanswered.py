"""Collects what the bot did not know by following the log: never in the way of a turn, and each answer exactly once.

As in `sessions.indexing` the mark moves in the transaction that counts.
"""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.answering.off_topic import OFFER
from kefu.answering.wording import ONLY_FILES, wants_a_person
from kefu.jobs.queue import Taken, again
from kefu.kit.db import Database
from kefu.kit.ids import SessionName
from kefu.knowledge.questions import Asked, collect
from kefu.knowledge.words import language_of
from kefu.log.feed import Place, Placed, follow
from kefu.log.log import COLUMNS, Entry
from kefu.log.models import Event
from kefu.sessions.marks import Overtaken, move, place_of
from kefu.sessions.models import stream_of
from kefu.sessions.queries import find_many
from kefu.supervision.talk import WITHHELD

FOLLOWER = "unanswered-questions"
EVERY = timedelta(seconds=5)
BATCH = 200
LOOK_BACK = 10
# Said without looking for an answer, to who did not ask for one.
NO_ANSWERS = {*OFFER.values(), *ONLY_FILES.values()}


async def collect_questions(db: Database, job: Taken) -> None:
    """Handles `CollectQuestions`: follows the log to its end. Repeating it, or doing it twice at once, counts once."""
    while not await _collect_page(db, job):
        pass


async def _collect_page(db: Database, job: Taken) -> bool:
    """Whether it was the last one, with which the job is due again."""
    async with db.read() as tx:
        place = await place_of(tx, FOLLOWER)
        found = await follow(tx, place, BATCH)
        asked = await _asked(tx, found)
    is_last = len(found) < BATCH
    try:
        async with db.write() as tx:
            if found:
                await _write(tx, place, found[-1].place, asked)
            if is_last:
                await again(tx, job, EVERY)
    except Overtaken:
        return False
    return is_last


async def _write(tx: AsyncSession, place: Place, reached: Place, asked: Sequence[Asked]) -> None:
    await move(tx, FOLLOWER, place, reached)
    await collect(tx, asked)


async def _asked(tx: AsyncSession, found: Sequence[Placed]) -> list[Asked]:
    """The questions behind those replies of the bot that did not answer, the oldest first."""
    replies = [one.entry for one in found if _is_at_a_loss(one.entry)]
    names = {one.stream.removeprefix(stream_of("")) for one in replies}
    sessions = {one.name: one for one in await find_many(tx, sorted(names))}
    questions = list[Asked]()
    for reply in sorted(replies, key=lambda one: one.at):
        name = reply.stream.removeprefix(stream_of(""))
        text = await _question(tx, reply)
        session = sessions.get(SessionName(name))
        if session and text and not wants_a_person(text):
            lang = language_of(text, session.locale)
            questions.append(Asked(session.shop, lang, text, name, reply.seq, reply.at))
    return questions


def _is_at_a_loss(entry: Entry) -> bool:
    """Also where a policy withheld it, as the third in a row."""
    if entry.type not in {"message.posted", WITHHELD}:
        return False
    facts = entry.facts
    is_unknown = facts.get("role", "assistant") == "assistant" and facts.get("answered") is False
    return is_unknown and facts["content"] not in NO_ANSWERS


async def _question(tx: AsyncSession, reply: Entry) -> str:
    """What the visitor had written since anybody last answered, as the bot read it."""
    earlier = select(*COLUMNS).where(
        Event.stream == reply.stream, Event.type == "message.posted", Event.seq <= reply.facts["reply_to"]
    )
    said = list[str]()
    for row in await tx.execute(earlier.order_by(Event.seq.desc()).limit(LOOK_BACK)):
        facts = Entry(*row).facts
        if facts["role"] != "user":
            break
        said.append(facts["content"])
    return "\n".join(filter(None, reversed(said)))
