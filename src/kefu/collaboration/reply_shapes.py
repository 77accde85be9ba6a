"""What crosses HTTP about quick replies."""

from typing import Annotated

from fastapi import Path
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from kefu.collaboration.models import QuickReply
from kefu.collaboration.placeholders import VARIABLES, Filled, Variable, fill, known, names_in
from kefu.collaboration.replies import CATEGORIES, Category, Sort
from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.kit.web import Done
from kefu.sessions.schemas import Name

TITLE, CONTENT = 50, 1000
ReplyId = Annotated[str, Path(pattern=r"^[A-Za-z0-9_\-]{1,40}$")]


def _said(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "blank")
    return value.strip()


Title = Annotated[
    str, StringConstraints(min_length=1, max_length=TITLE, pattern=r"^[^\x00-\x1f]*$"), AfterValidator(_said)
]
Content = Annotated[
    str, StringConstraints(min_length=1, max_length=CONTENT, pattern=r"^[^\x00]*$"), AfterValidator(_said)
]
Shortcut = Annotated[int, Field(ge=1, le=9)]
OrderFact = Annotated[str, StringConstraints(max_length=120, pattern=r"^[^\x00]*$")]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


class NewReply(Body):
    """`is_shared`: the whole team's, which needs the permission replies.write."""

    title: Title
    content: Content
    category: Category = "custom"
    shortcut: Shortcut | None = None
    is_shared: bool = False


class ReplyChange(Body):
    """What is left out stays; `shortcut: null` frees the key."""

    title: Title = ""
    content: Content = ""
    category: Category = "custom"
    shortcut: Shortcut | None = None
    is_shared: bool = False


class ReplyQuery(BaseModel):
    """`session_name`: fill the variables in for this session, as `preview`."""

    category: Category | None = None
    keyword: Annotated[str, StringConstraints(max_length=100, pattern=r"^[^\x00]*$")] = ""
    include_shared: bool = True
    session_name: Name | None = None
    sort: Sort = "used"
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 100


class OrderFacts(Body):
    """What the caller's shop knows of the order; what is left out stays a variable."""

    order_id: OrderFact = ""
    order_status: OrderFact = ""
    tracking_number: OrderFact = ""
    product_name: OrderFact = ""


class Use(Body):
    session_name: Name | None = None
    order: OrderFacts = OrderFacts()


class PreviewWish(Use):
    content: Content


class FilledOut(BaseModel):
    """`missing`: variables with no value, left standing in the text; `unknown`: names in braces that are none."""

    text: str
    missing: list[str]
    unknown: list[str]


class FilledData(Done):
    data: FilledOut


class ReplyOut(BaseModel):
    """`can_edit`: by who asks."""

    id: str
    title: str
    content: str
    category: Category
    shortcut: int | None
    is_shared: bool
    can_edit: bool
    variables: list[Variable]
    usage_count: int
    used_at: str | None
    created_at: str
    updated_at: str
    preview: FilledOut | None = None


class ReplyData(Done):
    data: ReplyOut


class ReplyPage(BaseModel):
    """`total`: of all pages."""

    items: list[ReplyOut]
    total: int
    next_cursor: str | None
    has_more: bool
    limit: int


class ReplyPageData(Done):
    data: ReplyPage


class UsedReply(BaseModel):
    id: str
    title: str
    original_content: str
    replaced_content: str
    variables: list[Variable]
    missing: list[str]
    usage_count: int


class UsedReplyData(Done):
    data: UsedReply


class Explained(BaseModel):
    name: str
    description: str


class ExplainedVariable(BaseModel):
    name: str
    example: str


class Vocabulary(BaseModel):
    categories: dict[Category, Explained]
    supported_variables: dict[Variable, ExplainedVariable]


class VocabularyData(Done):
    data: Vocabulary


class CategoryStats(BaseModel):
    count: int
    usage: int


class ReplyStats(BaseModel):
    """Of the team's replies; agents' own are their own."""

    total_count: int
    total_usage: int
    category_stats: dict[Category, CategoryStats]
    top_10: list[ReplyOut]


class ReplyStatsData(Done):
    data: ReplyStats


def filled_out(filled: Filled) -> FilledOut:
    return FilledOut(text=filled.text, missing=filled.missing, unknown=filled.unknown)


def reply_out(reply: QuickReply, *, may_share: bool, values: dict[str, str] | None = None) -> ReplyOut:
    """With the variables filled in when there are `values`."""
    names = ("id", "title", "content", "category", "shortcut", "is_shared", "usage_count")
    return ReplyOut(
        **{name: getattr(reply, name) for name in names},
        can_edit=may_share or not reply.is_shared,
        variables=known(names_in(reply.content)),
        used_at=None if reply.used_at is None else iso(reply.used_at),
        created_at=iso(reply.created_at),
        updated_at=iso(reply.updated_at),
        preview=None if values is None else filled_out(fill(reply.content, values)),
    )


def vocabulary(locale: Locale) -> Vocabulary:
    return Vocabulary(
        categories={
            key: Explained(name=name[locale], description=description[locale])
            for key, (name, description) in CATEGORIES.items()
        },
        supported_variables={
            key: ExplainedVariable(name=name[locale], example=example[locale])
            for key, (name, example) in VARIABLES.items()
        },
    )


def stats_out(by_category: dict[str, tuple[int, int]], top: list[QuickReply], *, may_share: bool) -> ReplyStats:
    stats = {key: CategoryStats(count=count, usage=usage) for key, (count, usage) in by_category.items()}
    return ReplyStats(
        total_count=sum(one.count for one in stats.values()),
        total_usage=sum(one.usage for one in stats.values()),
        category_stats={key: stats.get(key, CategoryStats(count=0, usage=0)) for key in CATEGORIES},
        top_10=[reply_out(one, may_share=may_share) for one in top],
    )
