"""What the bot did not know, over HTTP: looked through, answered, dismissed."""

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.identity import AgentIdentity, allowed
from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.kit.pages import from_cursor, to_cursor
from kefu.kit.web import REASONS, Done
from kefu.knowledge.models import UnansweredQuestion
from kefu.knowledge.questions import State, list_questions, settle
from kefu.knowledge.schemas import Body, ShopId
from kefu.sessions.access import reader_of
from kefu.sessions.models import Session
from kefu.sessions.queries import visible

router = APIRouter(tags=["knowledge"])

Reader = Annotated[AgentIdentity, Depends(allowed("knowledge.read"))]
Author = Annotated[AgentIdentity, Depends(allowed("knowledge.write"))]
Id = r"^[A-Za-z0-9_\-]{1,40}$"

REASONS["article_if_linked"] = {
    "en": "article_id goes with linked, and with nothing else",
    "zh": "article_id 仅用于 linked 状态，且必填",
}


class QuestionQuery(BaseModel):
    shop: ShopId | Literal[""] = ""
    lang: Locale | Literal[""] = ""
    status: State | Literal[""] = ""
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class Settlement(Body):
    """`article_id`: what answers it, when it is `linked`."""

    status: State
    article_id: Annotated[str, StringConstraints(pattern=Id)] | None = None

    @model_validator(mode="after")
    def _together(self) -> Self:
        if (self.status == "linked") != (self.article_id is not None):
            raise PydanticCustomError("article_if_linked", "article_if_linked")
        return self


class QuestionExample(BaseModel):
    """The bot's reply `seq` in that session."""

    session: str
    seq: int
    at: str


class QuestionOut(BaseModel):
    """`asked`: the newest wording. `examples`: where it was asked, of what the reader may see; the newest first."""

    id: str
    shop: str
    lang: Locale
    asked: str
    times: int
    status: State
    article_id: str | None
    first_at: str
    last_at: str
    examples: list[QuestionExample]


class QuestionData(Done):
    data: QuestionOut


class QuestionPage(BaseModel):
    questions: list[QuestionOut]
    next_cursor: str | None


class QuestionPageData(Done):
    data: QuestionPage


async def questions_out(
    tx: AsyncSession, agent: AgentIdentity, rows: Sequence[UnansweredQuestion]
) -> list[QuestionOut]:
    names = {one["session"] for row in rows for one in row.examples}
    theirs = visible(reader_of(agent)).where(Session.name.in_(names)).with_only_columns(Session.name)
    seen = {*await tx.scalars(theirs)}
    return [_question_out(row, seen) for row in rows]


def _question_out(row: UnansweredQuestion, seen: set[str]) -> QuestionOut:
    names = ("id", "shop", "lang", "asked", "times", "status", "article_id")
    facts = {name: getattr(row, name) for name in names} | {"first_at": iso(row.first_at), "last_at": iso(row.last_at)}
    examples = [one | {"at": iso(one["at"])} for one in row.examples if one["session"] in seen]
    return QuestionOut.model_validate(facts | {"examples": examples})


@router.get("/api/knowledge/questions")
async def unanswered_questions(
    request: Request, query: Annotated[QuestionQuery, Query()], agent: Reader
) -> QuestionPageData:
    """What visitors asked and the bot did not know, the most asked first."""
    after = from_cursor(query.cursor, (int, str)) if query.cursor else None
    where = query.model_dump(include={"shop", "lang", "status"})
    async with request.app.state.db.read() as tx:
        found, next_key = await list_questions(tx, where, after, query.limit)
        questions = await questions_out(tx, agent, found)
    return QuestionPageData(
        data=QuestionPage(questions=questions, next_cursor=to_cursor(next_key) if next_key else None)
    )


@router.put("/api/knowledge/questions/{question_id}")
async def settle_question(
    request: Request, question_id: Annotated[str, Path(pattern=Id)], body: Settlement, agent: Author
) -> QuestionData:
    """Dismiss it, say which article answers it, or open it again."""
    async with request.app.state.db.write() as tx:
        row = await settle(tx, question_id, body.status, body.article_id)
        (question,) = await questions_out(tx, agent, [row])
    return QuestionData(data=question)
