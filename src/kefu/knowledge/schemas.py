"""What crosses HTTP about knowledge. Times are ISO 8601 UTC."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints
from pydantic_core import PydanticCustomError

from kefu.kit.clock import iso
from kefu.kit.i18n import Locale
from kefu.kit.web import REASONS, Done
from kefu.knowledge.models import Article, ArticleVersion
from kefu.knowledge.search import QUESTION_LIMIT, Found, Retrieval
from kefu.knowledge.service import Content, Kind
from kefu.knowledge.states import Status

REASONS["blank"] = {"en": "must not be blank", "zh": "不能为空白"}
REASONS["too_long"] = {"en": "has too many entries (at most {max_length})", "zh": "条目过多（最多 {max_length} 项）"}

NO_NUL = r"^[^\x00]*$"


def _said(value: str) -> str:
    if not value.strip():
        raise PydanticCustomError("blank", "blank")
    return value.strip()


Title = Annotated[
    str, StringConstraints(min_length=1, max_length=200, pattern=r"^[^\x00\n\r]*$"), AfterValidator(_said)
]
Markdown = Annotated[str, StringConstraints(min_length=1, max_length=50_000, pattern=NO_NUL), AfterValidator(_said)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9](?:[a-z0-9\-]{0,78}[a-z0-9])?$")]
Category = Annotated[str, StringConstraints(max_length=60, pattern=NO_NUL, strip_whitespace=True)]
Questions = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=NO_NUL), AfterValidator(_said)]],
    Field(max_length=50),
]
Tags = Annotated[
    list[Annotated[str, StringConstraints(min_length=1, max_length=40, pattern=NO_NUL), AfterValidator(_said)]],
    Field(max_length=20),
]
ShopId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9\-]{0,39}$")]
Version = Annotated[int, Field(ge=1, le=2_000_000_000)]
Why = Annotated[str, StringConstraints(min_length=1, max_length=300, pattern=NO_NUL), AfterValidator(_said)]


class Body(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")


# What is written here; documents come as files.
Written = Literal["article", "qa"]


class NewArticle(Body):
    """`shop`: the default one when left out.

    `slug`: made from the title when left out; unique per shop and language.
    """

    shop: ShopId | None = None
    lang: Locale
    kind: Written = "article"
    slug: Slug | None = None
    title: Title
    body: Markdown
    questions: Questions = []
    category: Category = ""
    tags: Tags = []

    def content(self) -> Content:
        return Content(**self.model_dump(exclude={"shop", "slug"}), slug=self.slug or "")


class ArticleChange(Body):
    """What is left out stays. `version`: the one the author had before their eyes."""

    version: Version
    kind: Written = "article"
    slug: Slug = ""
    title: Title = ""
    body: Markdown = ""
    questions: Questions = []
    category: Category = ""
    tags: Tags = []

    def changes(self) -> dict[str, Any]:
        return self.model_dump(exclude_unset=True, exclude={"version"})


class AtVersion(Body):
    """`version`: the one the author had before their eyes."""

    version: Version


class Publishing(AtVersion):
    """`force`: why it is done although golden questions break; for those with `quality.write`."""

    force: Why | None = None


class SentBack(AtVersion):
    """`reason`: what the author has to do."""

    reason: Annotated[str, StringConstraints(min_length=1, max_length=500, pattern=NO_NUL), AfterValidator(_said)]


class ArticleQuery(BaseModel):
    shop: ShopId | Literal[""] = ""
    lang: Locale | Literal[""] = ""
    status: Status | Literal[""] = ""
    kind: Kind | Literal[""] = ""
    category: Category = ""
    keyword: Annotated[str, StringConstraints(max_length=100, pattern=NO_NUL)] = ""
    cursor: Annotated[str, StringConstraints(max_length=400)] = ""
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class ArticleSummary(BaseModel):
    """`status` is that of the newest `version`; visitors see `public_version`, if any."""

    id: str
    shop: str
    lang: Locale
    kind: Kind
    slug: str
    title: str
    category: str
    tags: list[str]
    status: Status
    version: int
    created_at: str
    updated_at: str
    published_at: str | None
    public_version: int | None


class ArticleOut(ArticleSummary):
    """`url` opens for visitors once it is published. `author`: the id of who wrote this version, empty for the system.

    `note`: why it was sent back. The pages of a document's `body` are parted by form feeds.
    """

    author: str
    note: str
    body: str
    questions: list[str]
    url: str


def summary_of(article: Article) -> ArticleSummary:
    return ArticleSummary.model_validate(_facts(article))


def article_out(article: Article) -> ArticleOut:
    more = {
        "author": article.author,
        "note": article.note,
        "body": article.body,
        "questions": article.questions,
        "url": f"/articles/{article.id}?v={article.version}",
    }
    return ArticleOut.model_validate(_facts(article) | more)


def _facts(article: Article) -> dict[str, Any]:
    names = ("id", "shop", "lang", "kind", "slug", "title", "category", "tags", "version", "public_version")
    return {name: getattr(article, name) for name in names} | {
        "status": Status(article.status),
        "created_at": iso(article.created_at),
        "updated_at": iso(article.updated_at),
        "published_at": None if article.published_at is None else iso(article.published_at),
    }


class ArticleData(Done):
    data: ArticleOut


class ArticlePage(BaseModel):
    articles: list[ArticleSummary]
    next_cursor: str | None
    has_more: bool
    limit: int


class ArticlePageData(Done):
    data: ArticlePage


class ArticleVersionOut(BaseModel):
    """`author`: the name, null for the system. `public_at`: since when visitors could see it."""

    version: int
    title: str
    author: str | None
    at: str
    public_at: str | None


class VersionList(Done):
    """The newest first."""

    data: list[ArticleVersionOut]


class VersionText(BaseModel):
    version: int
    title: str
    body: str


class VersionTextData(Done):
    data: VersionText


class PassageQuery(BaseModel):
    offset: Annotated[int, Field(ge=0, le=100_000)] = 0
    limit: Annotated[int, Field(ge=1, le=100)] = 50


class PassageOut(BaseModel):
    """`part`: of a document, from 1; its page where `is_page`."""

    ordinal: int
    heading: str
    text: str
    part: int
    is_page: bool


class PassagePage(BaseModel):
    passages: list[PassageOut]
    total: int


class PassagePageData(Done):
    data: PassagePage


def version_out(version: ArticleVersion, author: str | None) -> ArticleVersionOut:
    return ArticleVersionOut(
        version=version.version,
        title=version.title,
        author=author,
        at=iso(version.at),
        public_at=None if version.public_at is None else iso(version.public_at),
    )


class HitTest(Body):
    """`shop`: the default one when left out. `lang` decides when the script of the question does not."""

    shop: ShopId | None = None
    query: Annotated[
        str, StringConstraints(min_length=1, max_length=QUESTION_LIMIT, pattern=NO_NUL), AfterValidator(_said)
    ]
    lang: Locale = "en"
    limit: Annotated[int, Field(ge=1, le=20)] = 5


class HitOut(BaseModel):
    """`score`: the likelihood, 0…1, that the passage answers the question."""

    passage_id: str
    article_id: str
    version: int
    slug: str
    title: str
    lang: Locale
    heading: str
    text: str
    url: str
    score: float


class HitTestOut(BaseModel):
    """`would_answer`: whether the built-in bot would answer from the surest hit.

    `retrieval`: by words alone (`keyword`), or `fused` with what is near by meaning, in that order.
    """

    hits: list[HitOut]
    retrieval: Retrieval
    lang: Locale
    would_answer: bool
    knowledge_version: int
    took_ms: float


class HitTestData(Done):
    data: HitTestOut


def hits_out(found: Found, took_ms: float) -> HitTestOut:
    names = tuple(HitOut.model_fields)
    hits = [HitOut(**{name: getattr(hit, name) for name in names}) for hit in found.best]
    return HitTestOut(
        hits=hits,
        retrieval=found.retrieval,
        lang=found.lang,
        would_answer=found.is_confident,
        knowledge_version=found.version,
        took_ms=took_ms,
    )
