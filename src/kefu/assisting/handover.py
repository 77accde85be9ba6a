"""Writes the handoff packet when a person was asked for, whoever or whatever asked: once, and within two seconds."""

import asyncio
from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.ai.ports import ModelOf
from kefu.assisting.asking import ask_of, told_as
from kefu.assisting.packet import ModelWords, Packet, by_rules, in_words_of
from kefu.jobs.queue import Taken, finish, finish_alone
from kefu.kit.db import Database
from kefu.kit.i18n import Locale
from kefu.log.log import SYSTEM, Entry, Fact, read_last
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import find
from kefu.sessions.service import locked, record, repeated
from kefu.sessions.states import Status
from kefu.sessions.work import WritePacket

TYPE = "handoff.packet"
READ = ("message.posted", "answer.evidenced", "page.shown")
LOOK_BACK = 60
# The rest of the two seconds is for reading and writing.
MODEL_SECONDS = 1.5
# How many packets read or write at a time, however many people were asked for: who asks waits for the same connections.
AT_ONCE = 2
OVER = {Status.BOT_ACTIVE, Status.CLOSED}
INSTRUCTION = (
    "Sum this conversation up for the colleague who takes it over. Answer in {language} with one JSON object: "
    '{{"wants": what the customer wants, in one or two sentences, "next_step": what the colleague should do first, '
    '"mood": "positive", "neutral" or "negative", "mood_sure": how sure you are of that, from 0 to 1}}'
)
LANGUAGES: dict[Locale, str] = {"en": "English", "zh": "Simplified Chinese"}


class Handover:
    """Handles `WritePacket`. Repeating it is safe: there is one packet for each time that a person was asked for."""

    def __init__(self, db: Database, model_of: ModelOf | None) -> None:
        self._db = db
        self._model_of = model_of
        self._turns = asyncio.Semaphore(AT_ONCE)

    async def __call__(self, job: Taken) -> None:
        work = WritePacket(**job.payload)
        async with self._turns, self._db.read() as tx:
            session = await find(tx, work.session)
            entries = await read_last(tx, stream_of(work.session), LOOK_BACK, types=READ, public_only=False)
        if session is None or not is_wanted(session, work):
            await finish_alone(self._db, job.id)
            return
        packet = await self._packet(session, entries, work.episode)
        async with self._turns, self._db.write() as tx:
            await _write(tx, work, packet)
            await finish(tx, job.id)

    async def _packet(self, session: Session, entries: Sequence[Entry], episode: int) -> Packet:
        locale = session.locale
        packet = by_rules(entries, episode, session.escalation_reason or "manual", locale)
        ask = ask_of(
            INSTRUCTION.format(language=LANGUAGES[locale]), transcript(entries), session.name, "packet", wants_json=True
        )
        said = await told_as(ModelWords, self._model_of, session.shop, ask, MODEL_SECONDS)
        return in_words_of(packet, *said) if said else packet


async def _write(tx: AsyncSession, work: WritePacket, packet: Packet) -> None:
    key = f"packet/{work.episode}"  # no sender may use a slash
    session = await locked(tx, work.session)
    if is_wanted(session, work) and not await repeated(tx, work.session, key):
        await record(tx, session, Fact(TYPE, SYSTEM, packet.model_dump(mode="json"), "internal", key))


def is_wanted(session: Session, work: WritePacket) -> bool:
    """Whether that time is not over yet; an agent who was quick may have it already."""
    return session.episode == work.episode and session.status not in OVER


def transcript(entries: Sequence[Entry]) -> str:
    """Who said what, oldest first, for a prompt."""
    said = [one.facts for one in entries if one.type == "message.posted"]
    names = {"user": "customer", "assistant": "bot"}
    return "\n".join(f"{names.get(one['role'], one['role'])}: {one['content']}" for one in said if one["content"])
