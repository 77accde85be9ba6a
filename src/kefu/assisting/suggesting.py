"""Proposes replies to the agent: from the shop's passages and the team's quick replies, or a model's words from them.

How sure a proposal is comes from what it rests on: the likelihood that a passage answers (`knowledge.search`), the
share of the question's words that a quick reply has, of a model's reply the share of its words that its passages have.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.ai.ports import ModelOf
from kefu.analysis.rules import analyse
from kefu.assisting.asking import ask_of, told_as
from kefu.assisting.handover import LANGUAGES, transcript
from kefu.assisting.packet import ORDER
from kefu.assisting.questions import QUESTIONS
from kefu.collaboration.models import QuickReply
from kefu.collaboration.replies import SHARED
from kefu.kit.i18n import Locale
from kefu.knowledge.quoting import quote
from kefu.knowledge.search import Found, Hit, search
from kefu.knowledge.vectors import Near
from kefu.knowledge.words import language_of, terms
from kefu.log.log import Entry
from kefu.sessions.models import Session

MOST = 5
REPLIES_LOOKED_AT = 200
LONGEST = 1500
QUOTED = 420
MODEL_SECONDS = 12.0
# Below this no quick reply is proposed; what a passage is worth its score says.
LEAST = 0.15
INSTRUCTION = (
    "Propose three to five different replies that the colleague may send to the customer's last message. "
    "Write in {language}. Use only what the numbered passages say. Answer with one JSON object: "
    '{{"replies": [{{"text": the reply, "passages": [numbers of the passages it uses]}}]}}'
)

Kind = Literal["passage", "quick_reply", "rule"]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A reply, how sure it is (0…1), what it rests on, and who wrote it."""

    text: str
    confidence: float
    sources: list[dict[str, Any]]
    made_by: dict[str, str]


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to be answered: the visitor's words since anybody replied, and what was said before."""

    session: Session
    entries: Sequence[Entry]
    question: str
    seq: int
    locale: Locale


class ModelReply(BaseModel):
    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST, strip_whitespace=True)]
    passages: Annotated[list[int], Field(max_length=10)] = []


class ModelReplies(BaseModel):
    replies: Annotated[list[ModelReply], Field(min_length=1, max_length=10)]


def asked_of(session: Session, entries: Sequence[Entry]) -> Asked:
    """From the newest messages, oldest first. `question` is empty when the visitor said nothing."""
    said = [(one.seq, one.facts) for one in entries if one.type == "message.posted"]
    answered = max((n for n, (_, facts) in enumerate(said, 1) if facts["role"] == "agent"), default=0)
    mine = [(seq, facts["content"]) for seq, facts in said[answered:] if facts["role"] == "user"]
    if not mine:
        mine = [(seq, facts["content"]) for seq, facts in said if facts["role"] == "user"][-1:]
    question = "\n".join(content for _, content in mine[-3:] if content)
    otherwise = session.locale
    return Asked(session, entries, question, mine[-1][0] if mine else 0, language_of(question, otherwise))


async def material_for(tx: AsyncSession, asked: Asked, near: Near | None) -> tuple[Found, list[QuickReply]]:
    found = await search(tx, asked.session.shop, asked.question, asked.locale, MOST, near)
    shared = select(QuickReply).where(QuickReply.owner == SHARED)
    return found, list(await tx.scalars(shared.order_by(QuickReply.usage_count.desc()).limit(REPLIES_LOOKED_AT)))


async def propose(
    model_of: ModelOf | None, asked: Asked, found: Found, replies: Sequence[QuickReply]
) -> list[Proposal]:
    """The surest first, at most MOST; a model's where there is one that answers in time. Holds no transaction."""
    if not asked.question:
        return []
    hits = [hit for hit in found.best if hit.score > 0]
    own = await _by_model(model_of, asked, hits) if hits else []
    own = own or [_quoted(found, hit) for hit in hits]
    best = max((one.confidence for one in own), default=0.0)
    proposals = [*own, *_from_replies(asked, replies), *_asking_back(asked, best)]
    return sorted(proposals, key=lambda one: -one.confidence)[:MOST]


def _quoted(found: Found, hit: Hit) -> Proposal:
    text = quote(found.asked, hit.text, found.words, QUOTED)
    return Proposal(text, hit.score, [source_of(hit)], {"kind": "rule", "name": "quote"})


def source_of(hit: Hit) -> dict[str, Any]:
    return {"kind": "passage", "id": hit.passage_id, "title": hit.title, "url": hit.url, "score": hit.score}


async def _by_model(model_of: ModelOf | None, asked: Asked, hits: Sequence[Hit]) -> list[Proposal]:
    passages = "\n\n".join(f"[{n}] {hit.title}\n{hit.text}" for n, hit in enumerate(hits, 1))
    material = f"{transcript(asked.entries)}\n\nPassages:\n{passages}"
    instruction = INSTRUCTION.format(language=LANGUAGES[asked.locale])
    ask = ask_of(instruction, material, asked.session.name, "suggest", wants_json=True)
    said = await told_as(ModelReplies, model_of, asked.session.shop, ask, MODEL_SECONDS)
    if said is None:
        return []
    replies, model = said
    return [_checked(one, hits, model) for one in replies.replies[:MOST]]


def _checked(reply: ModelReply, hits: Sequence[Hit], model: str) -> Proposal:
    """Only as sure as the best passage it names, times the share of its words that stand in those passages."""
    used = [hits[n - 1] for n in dict.fromkeys(reply.passages) if 0 < n <= len(hits)]
    known = {term for hit in used for term in terms(f"{hit.title} {hit.text}")}
    said = set(terms(reply.text))
    support = len(said & known) / len(said) if said else 0.0
    best = max((hit.score for hit in used), default=0.0)
    sources = [source_of(hit) for hit in used]
    return Proposal(reply.text, round(best * support, 3), sources, {"kind": "model", "name": model})


def _from_replies(asked: Asked, replies: Sequence[QuickReply]) -> list[Proposal]:
    """Quick replies of the question's language that share its rarer words."""
    own = [one for one in replies if language_of(one.content, asked.locale) == asked.locale]
    said = [frozenset(terms(f"{one.title} {one.content}")) for one in own]
    wanted = set(terms(asked.question))
    weights = {term: 1 / (1 + sum(term in one for one in said)) for term in wanted}
    whole = sum(weights.values())
    found = []
    for reply, has in zip(own, said, strict=True):
        score = round(sum(weights[term] for term in wanted & has) / whole, 3) if whole else 0.0
        if score >= LEAST:
            source = {"kind": "quick_reply", "id": reply.id, "title": reply.title, "url": None, "score": score}
            found.append(Proposal(reply.content, score, [source], {"kind": "rule", "name": "quick_reply"}))
    return found


def _asking_back(asked: Asked, best: float) -> list[Proposal]:
    """What one asks first about such a matter: as sure as we are of the matter, and needed as far as no answer is sure.

    Not what was told already.
    """
    intent = analyse(asked.question, asked.locale).intent
    told = " ".join(one.facts["content"] for one in asked.entries if one.type == "message.posted")
    found = []
    for question in QUESTIONS.get(intent.label, ()):
        if not (question.asks_for_order and ORDER.search(told)):
            source = {"kind": "rule", "id": intent.rule, "title": question.name, "url": None, "score": intent.sure}
            made_by = {"kind": "rule", "name": question.name}
            sure = round(intent.sure * (1 - best), 3)
            found.append(Proposal(question.text[asked.locale], sure, [source], made_by))
    return found
