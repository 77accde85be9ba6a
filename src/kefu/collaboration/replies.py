"""Quick replies: an agent's own and the team's."""

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sqlalchemy import ColumnElement, delete, func, or_, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit, fields
from kefu.collaboration.models import QuickReply
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, Forbidden, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.knowledge.words import normal

Category = Literal["greeting", "pre_sales", "after_sales", "logistics", "technical", "closing", "custom"]
CATEGORIES: dict[Category, tuple[Text, Text]] = {
    "greeting": ({"en": "Greeting", "zh": "欢迎语"}, {"en": "The first words", "zh": "会话开始时的问候"}),
    "pre_sales": ({"en": "Before buying", "zh": "售前咨询"}, {"en": "Products, prices", "zh": "产品与价格"}),
    "after_sales": (
        {"en": "After-sales", "zh": "售后服务"},
        {"en": "Returns, refunds, warranty", "zh": "退换货与保修"},
    ),
    "logistics": ({"en": "Delivery", "zh": "物流查询"}, {"en": "Where the parcel is", "zh": "包裹与时效"}),
    "technical": ({"en": "Technical", "zh": "技术支持"}, {"en": "Faults and settings", "zh": "故障与设置"}),
    "closing": ({"en": "Goodbye", "zh": "结束语"}, {"en": "The last words", "zh": "会话结束时的话"}),
    "custom": ({"en": "Other", "zh": "自定义"}, {"en": "Everything else", "zh": "其他"}),
}
Sort = Literal["used", "newest"]
SHARED = ""
PER_OWNER = 500
TOP = 10
AUDITED = ("owner", "category", "title", "content", "shortcut")


class ReplyNotFound(NotFound):
    """Another agent's own reply is not there for anybody else."""

    code = "QUICK_REPLY_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such quick reply.", "zh": "找不到该快捷回复。"}


class NotYours(Forbidden):
    code = "PERMISSION_DENIED"
    text: ClassVar[Text] = {
        "en": "Only leads may change the team's quick replies.",
        "zh": "只有主管可以修改共享的快捷回复。",
    }


class ShortcutTaken(Conflict):
    code = "SHORTCUT_TAKEN"
    text: ClassVar[Text] = {"en": "Another quick reply has this key already.", "zh": "该快捷键已被其他快捷回复占用。"}


class TooManyReplies(Conflict):
    """`most`: how many there may be."""

    code = "TOO_MANY_QUICK_REPLIES"
    text: ClassVar[Text] = {"en": "There may be at most {most} quick replies.", "zh": "快捷回复最多 {most} 条。"}


@dataclass(frozen=True, slots=True)
class Writer:
    """Who asks. `may_share`: may write the team's replies."""

    id: str
    may_share: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which to list. `keyword`: all its words are in title or content; `after`: where the last page ended."""

    category: str = ""
    keyword: str = ""
    include_shared: bool = True
    sort: Sort = "used"
    after: list[Any] | None = None
    limit: int = 50


@dataclass(frozen=True, slots=True)
class Page:
    replies: list[QuickReply]
    total: int
    next_key: list[Any] | None


ORDERS: dict[Sort, tuple[Any, Any]] = {
    "used": (QuickReply.usage_count, QuickReply.id),
    "newest": (QuickReply.created_at, QuickReply.id),
}


def visible(writer: Writer) -> ColumnElement[bool]:
    """An agent's own and the team's: nobody reads another's own."""
    return or_(QuickReply.owner == SHARED, QuickReply.owner == writer.id)


async def list_replies(tx: AsyncSession, writer: Writer, wanted: Wanted) -> Page:
    """One page, the most used or the newest first, with the total of the filter.

    Replies that are used meanwhile may come twice or not at all when one turns pages by use.
    """
    where = [visible(writer) if wanted.include_shared else QuickReply.owner == writer.id]
    if wanted.category:
        where.append(QuickReply.category == wanted.category)
    where += [QuickReply.words.contains(word, autoescape=True) for word in normal(wanted.keyword).split()]
    keys = ORDERS[wanted.sort]
    query = select(QuickReply).where(*where).order_by(*(key.desc() for key in keys))
    if wanted.after:
        query = query.where(tuple_(*keys) < tuple_(*wanted.after))
    found = list(await tx.scalars(query.limit(wanted.limit + 1)))
    total = (await tx.execute(select(func.count()).select_from(QuickReply).where(*where))).scalar_one()
    page = found[: wanted.limit]
    next_key = [getattr(page[-1], key.key) for key in keys] if len(found) > wanted.limit else None
    return Page(page, total, next_key)


async def find_reply(tx: AsyncSession, writer: Writer, reply_id: str) -> QuickReply:
    """Raises ReplyNotFound."""
    reply = (await tx.scalars(select(QuickReply).where(QuickReply.id == reply_id, visible(writer)))).first()
    if reply is None:
        raise ReplyNotFound
    return reply


async def create_reply(tx: AsyncSession, writer: Writer, wanted: dict[str, Any]) -> QuickReply:
    """Raises NotYours, ShortcutTaken, TooManyReplies."""
    owner = _owner(writer, is_shared=wanted.pop("is_shared"))
    count = select(func.count()).select_from(QuickReply).where(QuickReply.owner == owner)
    if (await tx.execute(count)).scalar_one() >= PER_OWNER:
        raise TooManyReplies(most=PER_OWNER)
    now = now_ms()
    reply = QuickReply(id=new_id("qr"), owner=owner, created_by=writer.id, usage_count=0, created_at=now, **wanted)
    tx.add(reply)
    await _store(tx, reply, now)
    audit(tx, "quick_reply.created", ("quick_reply", reply.id), after=fields(reply, *AUDITED))
    return reply


async def change_reply(tx: AsyncSession, writer: Writer, reply_id: str, changes: dict[str, Any]) -> QuickReply:
    """One that is no longer shared becomes the writer's own.

    Raises ReplyNotFound, NotYours, ShortcutTaken.
    """
    reply = await _own(tx, writer, reply_id)
    before = fields(reply, *AUDITED)
    is_shared = changes.pop("is_shared", reply.is_shared)
    if is_shared != reply.is_shared:
        reply.owner = _owner(writer, is_shared=is_shared)
    for field, value in changes.items():
        setattr(reply, field, value)
    await _store(tx, reply, now_ms())
    audit(tx, "quick_reply.changed", ("quick_reply", reply_id), before, fields(reply, *AUDITED))
    return reply


async def delete_reply(tx: AsyncSession, writer: Writer, reply_id: str) -> None:
    """Raises ReplyNotFound, NotYours."""
    reply = await _own(tx, writer, reply_id)
    audit(tx, "quick_reply.deleted", ("quick_reply", reply_id), before=fields(reply, *AUDITED))
    await tx.execute(delete(QuickReply).where(QuickReply.id == reply_id))


async def use_reply(tx: AsyncSession, writer: Writer, reply_id: str) -> QuickReply:
    """Count one use more, in the database, so that none is lost when several use it at once. Raises ReplyNotFound."""
    counted = update(QuickReply).where(QuickReply.id == reply_id, visible(writer))
    counted = counted.values(usage_count=QuickReply.usage_count + 1, used_at=now_ms())
    reply = (await tx.scalars(counted.returning(QuickReply))).first()
    if reply is None:
        raise ReplyNotFound
    return reply


async def stats(tx: AsyncSession) -> tuple[dict[str, tuple[int, int]], list[QuickReply]]:
    """Of the team's replies: how many each category has and how often they were used, and the most used ones."""
    shared = QuickReply.owner == SHARED
    figures = (func.count(), func.coalesce(func.sum(QuickReply.usage_count), 0))
    grouped = select(QuickReply.category, *figures).where(shared).group_by(QuickReply.category)
    by_category = {category: (count, int(usage)) for category, count, usage in await tx.execute(grouped)}
    top = select(QuickReply).where(shared).order_by(*(key.desc() for key in ORDERS["used"])).limit(TOP)
    return by_category, list(await tx.scalars(top))


async def _own(tx: AsyncSession, writer: Writer, reply_id: str) -> QuickReply:
    """One that the writer may change, locked. Raises ReplyNotFound, NotYours."""
    query = select(QuickReply).where(QuickReply.id == reply_id, visible(writer)).with_for_update()
    reply = (await tx.scalars(query)).first()
    if reply is None:
        raise ReplyNotFound
    if reply.is_shared and not writer.may_share:
        raise NotYours
    return reply


def _owner(writer: Writer, *, is_shared: bool) -> str:
    if is_shared and not writer.may_share:
        raise NotYours
    return SHARED if is_shared else writer.id


async def _store(tx: AsyncSession, reply: QuickReply, now: int) -> None:
    reply.updated_at = now
    reply.words = normal(f"{reply.title}\n{reply.content}")
    try:
        await tx.flush()
    except IntegrityError:
        raise ShortcutTaken from None
