"""Why the bot said what it said, over HTTP: for agents alone."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request
from pydantic import BaseModel

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.answering.evidence import Held, evidence_of
from kefu.answering.ports import Doubt
from kefu.kit.web import Done
from kefu.knowledge.search import Retrieval
from kefu.sessions.access import in_sight
from kefu.sessions.schemas import MAX_SEQ, NameInPath

# What older records lack.
LATER: dict[str, Any] = {"fell_back_from": [], "refused": "", "claims": [], "retrieval": "keyword", "embedder": ""}
router = APIRouter(tags=["chat"], dependencies=[Depends(in_sight)])


class ClaimOut(BaseModel):
    """A sentence of the answer. `cited`: the passages it named, from 1; `doubt`: why that does not count, or empty."""

    text: str
    cited: list[int]
    doubt: Doubt


class EvidencePassageOut(BaseModel):
    """A passage as it was then. `hash_holds`: the record was not tampered with.

    `has_changed`: the article does not say this any more; `latest`: its version now, null when it is not public.
    """

    passage_id: str
    article_id: str
    version: int
    title: str
    text_hash: str
    text: str
    score: float
    hash_holds: bool
    has_changed: bool
    latest: int | None


class EvidenceOut(BaseModel):
    """`cost` in US dollars. `fell_back_from`: what did not answer before, and why.

    `refused`: what a model said that no passage says; the visitor was told that the bot does not know.
    `retrieval`: how the passages were found; `embedder`: the shop's, also where it did not answer.
    """

    provider: str
    model: str
    knowledge_version: int
    prompt_hash: str
    tokens: int
    cost: float
    latency_ms: int
    answered: bool
    fell_back_from: list[str]
    refused: str
    retrieval: Retrieval
    embedder: str
    claims: list[ClaimOut]
    passages: list[EvidencePassageOut]


class EvidenceData(Done):
    data: EvidenceOut


@router.get("/api/sessions/{name}/evidence/{seq}")
async def evidence(
    request: Request,
    name: NameInPath,
    seq: Annotated[int, Path(ge=1, le=MAX_SEQ)],
    _: Annotated[AgentIdentity, Depends(allowed("sessions.read"))],
) -> EvidenceData:
    """Of the bot's message `seq`: what it rested on then, and whether the articles still say so."""
    async with request.app.state.db.read() as tx:
        facts, passages = await evidence_of(tx, name, seq)
    return EvidenceData(data=EvidenceOut(**LATER | facts | {"passages": [_passage(one) for one in passages]}))


def _passage(one: Held) -> EvidencePassageOut:
    return EvidencePassageOut(**one.facts, hash_holds=one.hash_holds, has_changed=one.has_changed, latest=one.latest)
