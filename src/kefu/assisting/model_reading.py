"""Has a model read again what rules have read, where the shop wants that: new messages of one session in one call.

What rules made of a message stands until then, and stays where there is no model, or it is slow, over budget, or says
anything but what it was asked for.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.ai.ports import Ask, ModelOf
from kefu.analysis.rules import DIMENSIONS, LOOKED_AT, TOLD, Intent, Sentiment, Urgency
from kefu.assisting.asking import ask_of, told_as
from kefu.assisting.handover import transcript
from kefu.assisting.models import MessageAnalysis
from kefu.assisting.packet import Sure
from kefu.jobs.queue import Lane, Taken, Work, finish, finish_alone
from kefu.kit.db import Database
from kefu.log.log import Entry
from kefu.sessions.models import Session
from kefu.sessions.queries import find, history

# So many messages go into one call, and so many before them say what they are about.
MOST = 10
CONTEXT = 8
LOOK_BACK = 40
# Nobody waits for it.
MODEL_SECONDS = 20.0
TOKENS_EACH = 200
INSTRUCTION = (
    "Judge each of the customer's new messages, `message 1` to `message {count}`; `before` was said before them and is "
    "not judged. Answer with one JSON object and nothing else: "
    '{{"messages": [{{"n": number of the message, "sentiment": J, "urgency": J, "intent": J, "requirement": J}}]}}, '
    'each message once. J is {{"label": …, "sure": how sure you are, from 0 to 1, "words": the words of that message '
    "that tell, copied as they stand there, at most {words}}}. Labels of sentiment: positive, neutral, negative. Of "
    "urgency: high (harm, danger or a deadline of hours), normal, low. Of intent: delivery, return (also refunds and "
    "exchange), fault (something is broken), product (before buying), payment, usage (how something is done), "
    "complaint (about the shop or its people), person (wants a human), chat (greetings, thanks), other. Of "
    "requirement: yes when the customer wishes for something that the shop or its product does not offer yet, "
    "otherwise no."
)

Label = TypeVar("Label")


@dataclass(frozen=True, slots=True)
class ReadByModel(Work):
    """Have a model read the visitor's messages from seq `first` to `last`. Repeating it reads none twice."""

    kind: ClassVar[str] = "read_by_model"
    lane: ClassVar[Lane] = "bulk"

    session: str
    first: int
    last: int


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Said(Strict, Generic[Label]):
    """As the model puts it. `words` are checked against the message before they are kept."""

    label: Label
    sure: Sure
    words: Annotated[list[Annotated[str, StringConstraints(max_length=200)]], Field(max_length=20)]


class MessageSaid(Strict):
    n: int
    sentiment: Said[Sentiment]
    urgency: Said[Urgency]
    intent: Said[Intent]
    requirement: Said[Literal["yes", "no"]]


class Answered(Strict):
    messages: Annotated[list[MessageSaid], Field(min_length=1, max_length=MOST)]

    @model_validator(mode="after")
    def _each_once(self) -> "Answered":
        if sorted(one.n for one in self.messages) != list(range(1, len(self.messages) + 1)):
            raise ValueError("not each message once")
        return self


class ModelReader:
    """Handles `ReadByModel`. `reader_of`: the model that a shop wants its messages read by, None for rules alone."""

    def __init__(self, db: Database, reader_of: ModelOf | None) -> None:
        self._db = db
        self._reader_of = reader_of

    async def __call__(self, job: Taken) -> None:
        work = ReadByModel(**job.payload)
        async with self._db.read() as tx:
            session = await find(tx, work.session)
            entries = await history(tx, work.session, LOOK_BACK, public_only=True)
            unread = await _unread(tx, work)
        new = [one for one in entries if one.seq in unread]
        found = await self._read(session, entries, new) if session is not None and new else {}
        if not found:
            await finish_alone(self._db, job.id)
            return
        async with self._db.write() as tx:
            for seq, values in found.items():
                of_message = MessageAnalysis.session == work.session, MessageAnalysis.seq == seq
                await tx.execute(update(MessageAnalysis).where(*of_message).values(values))
            await finish(tx, job.id)

    async def _read(self, session: Session, entries: Sequence[Entry], new: Sequence[Entry]) -> dict[int, Any]:
        """The columns of each message by its seq; empty when rules must do."""
        said = await told_as(Answered, self._reader_of, session.shop, ask_for(session, entries, new), MODEL_SECONDS)
        if said is None or len(said[0].messages) != len(new):
            return {}
        answered, model = said
        return {new[one.n - 1].seq: _columns(one, new[one.n - 1].facts["content"], model) for one in answered.messages}


async def _unread(tx: AsyncSession, work: ReadByModel) -> set[int]:
    """Those that rules alone have read: whoever did this job before, and died before its end, wrote the others."""
    of_work = MessageAnalysis.session == work.session, MessageAnalysis.seq.between(work.first, work.last)
    rows = await tx.execute(select(MessageAnalysis.seq, MessageAnalysis.readings).where(*of_work))
    return {seq for seq, readings in rows if readings["intent"]["source"]["kind"] == "rule"}


def ask_for(session: Session, entries: Sequence[Entry], new: Sequence[Entry]) -> Ask:
    """`new` are of `entries`, oldest first. Each stands in a fence of its own, so that none speaks for another."""
    before = [one for one in entries if one.seq < new[0].seq][-CONTEXT:]
    materials = {"before": transcript(before)} if before else {}
    materials |= {f"message {n}": one.facts["content"][:LOOKED_AT] for n, one in enumerate(new, 1)}
    instruction = INSTRUCTION.format(count=len(new), words=TOLD)
    ask = ask_of(instruction, materials, session.name, "analyse", wants_json=True)
    return replace(ask, max_tokens=TOKENS_EACH * (1 + len(new)), temperature=0.0)


def _columns(said: MessageSaid, content: str, model: str) -> Mapping[str, Any]:
    source = {"kind": "model", "name": model[:120]}
    readings = {}
    for dimension in DIMENSIONS:
        one: Said[str] = getattr(said, dimension)
        words = [word for word in one.words if word.strip() and word.casefold() in content.casefold()][:TOLD]
        readings[dimension] = {"label": one.label, "source": source, "sure": round(one.sure, 3), "words": words}
    return {
        "sentiment": said.sentiment.label,
        "urgency": said.urgency.label,
        "intent": said.intent.label,
        "wishes": said.requirement.label == "yes",
        "readings": readings,
    }
