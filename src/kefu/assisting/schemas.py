"""What crosses HTTP about help for agents."""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, Field, StringConstraints

from kefu.assisting.models import MessageAnalysis, Outcome, Suggestion
from kefu.assisting.packet import MadeBy, Packet
from kefu.assisting.wording import Style
from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.sessions.schemas import Body, Content

SuggestionId = Annotated[str, StringConstraints(pattern=r"^sug_[0-9a-f]{20}$")]


class Judgement(BaseModel):
    """`sure` 0…1; `words`: the customer's words that told."""

    label: str
    sure: float
    words: list[str]
    source: MadeBy


class AnalysisOut(BaseModel):
    """What one message says of its writer. `requirement`: `yes` when they wish for something new."""

    seq: int
    at: str
    sentiment: Judgement
    urgency: Judgement
    intent: Judgement
    requirement: Judgement

    @classmethod
    def of(cls, row: MessageAnalysis) -> Self:
        return cls(seq=row.seq, at=iso(row.at), **row.readings)


class RestsOn(BaseModel):
    """What a suggestion rests on. `score` 0…1: of a passage, how likely it answers."""

    kind: Literal["passage", "quick_reply", "rule"]
    id: str
    title: str
    url: str | None
    score: float


class SuggestionOut(BaseModel):
    """`confidence` 0…1, from what the suggestion rests on."""

    id: str
    for_seq: int
    text: str
    confidence: float
    sources: list[RestsOn]
    made_by: MadeBy
    outcome: Outcome | None

    @classmethod
    def of(cls, row: Suggestion) -> Self:
        sources: list[Any] = row.sources
        return cls(
            id=row.id,
            for_seq=row.for_seq,
            text=row.text,
            confidence=row.confidence,
            sources=sources,
            made_by=MadeBy.model_validate(row.made_by),
            outcome=row.outcome,
        )


class Suggestions(BaseModel):
    """`for_seq`: the visitor's message that they answer."""

    for_seq: int
    suggestions: list[SuggestionOut]


class SuggestionsData(BaseModel):
    success: Literal[True] = True
    data: Suggestions


class Help(Suggestions):
    """`packet`: of the last time that a person was asked for; `has_model`: whether words can be put another way."""

    packet: Packet | None
    analyses: Annotated[list[AnalysisOut], Field(description="Of the newest messages, oldest first")]
    has_model: bool


class HelpData(BaseModel):
    success: Literal[True] = True
    data: Help


class Rewrite(Body):
    text: Content
    style: Style


class Translate(Body):
    text: Content
    to: Locale


class Summarise(Body):
    to: Locale


class Reworded(BaseModel):
    text: str
    made_by: MadeBy


class RewordedData(BaseModel):
    success: Literal[True] = True
    data: Reworded


class Asking(Body):
    q: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]


class RecommendationsData(BaseModel):
    success: Literal[True] = True
    data: list[RestsOn]
