"""What crosses HTTP about golden questions and the shadow mode. Times are ISO 8601 UTC."""

from typing import Annotated, Literal

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from kefu.answering.ports import Said
from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.kit.web import REASONS, Done
from kefu.quality.golden import Kind
from kefu.quality.models import GoldenQuestion, GoldenRun
from kefu.quality.questions import NewQuestion
from kefu.quality.scoring import Measure
from kefu.quality.settings_gate import Fate

REASONS["blank"] = {"en": "must not be blank", "zh": "不能为空白"}
REASONS["too_long"] = {"en": "has too many entries (at most {max_length})", "zh": "条目过多（最多 {max_length} 项）"}
REASONS["kind_mismatch"] = {
    "en": "an answerable question needs articles, no other may have any",
    "zh": "可回答的问题需要指定文章，其他问题不能指定",
}

ShopId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
ID = r"^[a-z0-9_]{1,40}$"
IdInPath = Annotated[str, Path(pattern=ID)]


def _said(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "blank")
    return value.strip()


Words = Annotated[str, StringConstraints(min_length=1, max_length=1000, pattern=r"^[^\x00]*$"), AfterValidator(_said)]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class EarlierTurn(Body):
    role: Literal["user", "assistant"]
    content: Words


class NewGolden(Body):
    """`shop`: the default one when left out. `articles`: ids, any of which answers it; for answerable questions only.

    `history`: what was said before, oldest first.
    """

    shop: ShopId | None = None
    lang: Locale
    kind: Kind
    question: Words
    articles: Annotated[
        list[Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]], Field(max_length=5)
    ] = []
    history: Annotated[list[EarlierTurn], Field(max_length=10)] = []

    @model_validator(mode="after")
    def _fits(self) -> "NewGolden":
        if bool(self.articles) != (self.kind == "answerable"):
            raise PydanticCustomError("kind_mismatch", "mismatch")
        return self

    def new(self) -> NewQuestion:
        history = [Said(one.role, one.content) for one in self.history]
        return NewQuestion(self.lang, self.kind, self.question, self.articles, history)


class InShop(Body):
    """`shop`: the default one when left out."""

    shop: ShopId | None = None


class OfShop(BaseModel):
    shop: ShopId | Literal[""] = ""


class GoldenOut(BaseModel):
    id: str
    shop: str
    lang: Locale
    kind: Kind
    question: str
    articles: list[str]
    history: list[EarlierTurn]
    created_at: str


class GoldenData(Done):
    data: GoldenOut


class GoldenList(BaseModel):
    """`most`: how many a shop may have. `titles`: of the articles, by id."""

    questions: list[GoldenOut]
    titles: dict[str, str]
    most: int


class GoldenListData(Done):
    data: GoldenList


class ScoreOut(BaseModel):
    """0…1; `low` to `high` is the interval of 95 %; of `count` questions."""

    value: float
    low: float
    high: float
    count: int


class WrongOut(BaseModel):
    """`found`: ids of the articles, best first."""

    id: str
    lang: Locale
    kind: Kind
    question: str
    found: list[str]
    answered: bool
    escalated: bool


class RunOut(BaseModel):
    """`done` of `total` questions are asked; the rest is empty until `finished_at`.

    `verdict`: what became of settings that were tried so, empty where none were.
    """

    id: str
    shop: str
    set_version: str
    knowledge_version: int
    provider: str
    total: int
    done: int
    right: int
    scores: dict[Locale, dict[Measure, ScoreOut]]
    wrong: list[WrongOut]
    verdict: Fate
    started_by: str
    created_at: str
    finished_at: str | None


class RunData(Done):
    data: RunOut


class RunList(BaseModel):
    """`titles`: of the articles found in vain, by id."""

    runs: list[RunOut]
    titles: dict[str, str]


class RunListData(Done):
    data: RunList


def golden_out(row: GoldenQuestion) -> GoldenOut:
    names = ("id", "shop", "lang", "kind", "question", "articles", "history")
    return GoldenOut.model_validate({name: getattr(row, name) for name in names} | {"created_at": iso(row.created_at)})


def run_out(row: GoldenRun) -> RunOut:
    plain = set(RunOut.model_fields) - {"created_at", "finished_at"}
    return RunOut.model_validate({name: getattr(row, name) for name in plain} | times_of(row))


def times_of(row: GoldenRun) -> dict[str, str | None]:
    finished = None if row.finished_at is None else iso(row.finished_at)
    return {"created_at": iso(row.created_at), "finished_at": finished}


class BrokenOut(BaseModel):
    id: str
    question: str
    lang: Locale
    kind: Kind


class RehearsalOut(BaseModel):
    """Settings of the bot at the gate. `verdict`: empty while `done` of `total` questions are asked.

    `broken`: what was right before and is wrong with them, the first twenty of `broken_count`; `mended`: how many got
    right. `unjudged`: to how many the provider did not answer, `why` in short. `version`: of the settings that held.
    """

    id: str
    verdict: Fate
    total: int
    done: int
    broken: list[BrokenOut] = []
    broken_count: int = 0
    mended: int = 0
    unjudged: int = 0
    why: str = ""
    version: int | None = None
    started_by: str
    created_at: str
    finished_at: str | None


class RehearsalData(Done):
    """null: no settings have been at the gate yet."""

    data: RehearsalOut | None


def rehearsal_out(row: GoldenRun) -> RehearsalOut:
    facts = {name: getattr(row, name) for name in ("id", "verdict", "total", "done", "started_by")}
    return RehearsalOut.model_validate(row.compared | facts | times_of(row))


class ShadowQuery(OfShop):
    days: Annotated[int, Field(ge=1, le=365)] = 30


class PutShadow(InShop):
    is_on: bool


class IntentOut(BaseModel):
    """`agreement`: 0…1, over the `answered`, those that the bot would have answered.

    `linked`: replies that link to an article; in `same` of them the bot cites it too.
    """

    intent: str
    drafts: int
    answered: int
    agreement: float
    linked: int
    same: int


class ShadowOut(BaseModel):
    """`intents`: of the last `days`, the commonest first."""

    shop: str
    is_on: bool
    days: int
    intents: list[IntentOut]


class ShadowData(Done):
    data: ShadowOut
