"""Why the bot said what it said: the record made then, held against what the knowledge says now."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.errors import NotFound
from kefu.kit.i18n import Text
from kefu.knowledge.queries import standing
from kefu.log.log import read
from kefu.sessions.models import stream_of


class NoEvidence(NotFound):
    code = "NO_EVIDENCE"
    text: ClassVar[Text] = {"en": "There is no evidence for this message.", "zh": "该消息没有回答依据。"}


@dataclass(frozen=True, slots=True)
class Held:
    """A passage of the record. `hash_holds`: its text is what was hashed then.

    `has_changed`: its article does not say this any more. `latest`: the article's version now, None when visitors
    cannot read it.
    """

    facts: dict[str, Any]
    hash_holds: bool
    has_changed: bool
    latest: int | None


async def evidence_of(tx: AsyncSession, session: str, seq: int) -> tuple[dict[str, Any], list[Held]]:
    """The record of the bot's message `seq`, and its passages. Raises NoEvidence."""
    entries = await read(tx, stream_of(session), seq - 1, public_only=False, limit=2)
    facts = next((one.facts for one in entries if one.type == "answer.evidenced" and one.seq == seq + 1), None)
    if facts is None:
        raise NoEvidence
    now = await standing(tx, {passage["article_id"] for passage in facts["passages"]})
    return facts, [_held(passage, *now.get(passage["article_id"], (None, set()))) for passage in facts["passages"]]


def _held(passage: dict[str, Any], latest: int | None, hashes: set[str]) -> Held:
    holds = sha256(passage["text"].encode()).hexdigest() == passage["text_hash"]
    return Held(passage, holds, passage["text_hash"] not in hashes, latest)
