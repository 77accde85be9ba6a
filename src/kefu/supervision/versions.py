"""What is in force, what is being written, and publishing it. Versions are never changed."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import orjson
from sqlalchemy import literal, select, true
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.shops.hours import Hours
from kefu.shops.models import Shop
from kefu.shops.service import ShopNotFound, hours_of
from kefu.supervision.defaults import DEFAULTS
from kefu.supervision.models import PolicyDraft, PolicyVersion
from kefu.supervision.policies import Policy
from kefu.supervision.rules import Book

THE_DRAFT = 1


class VersionNotFound(NotFound):
    code = "POLICY_VERSION_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such version of the policies.", "zh": "找不到该策略版本。"}


class DraftChanged(Conflict):
    """Nothing was written. `revision`: what the draft has now."""

    code = "POLICIES_CHANGED"
    text: ClassVar[Text] = {
        "en": "Somebody else has changed the policies meanwhile.",
        "zh": "策略刚刚被其他人修改过。",
    }


class NothingToPublish(Conflict):
    code = "NOTHING_TO_PUBLISH"
    text: ClassVar[Text] = {"en": "Nothing was changed since the last version.", "zh": "与当前版本相比没有任何改动。"}


@dataclass(frozen=True, slots=True)
class Author:
    """The agent who writes or publishes."""

    id: str
    name: str


def stored(policies: Iterable[Policy]) -> list[dict[str, Any]]:
    return [one.model_dump(mode="json") for one in policies]


def restored(rows: Iterable[dict[str, Any]]) -> tuple[Policy, ...]:
    return tuple(Policy.model_validate(row) for row in rows)


DEFAULT_VERSION = PolicyVersion(
    number=0, policies=stored(DEFAULTS), note="", published_at=0, published_by="", publisher_name=""
)
DEFAULT_BYTES = orjson.dumps(DEFAULT_VERSION.policies)


async def in_force_for(tx: AsyncSession, shop_id: str, otherwise: Hours) -> tuple[Book, Hours]:
    """What watches now, and when the shop is served: one query. A version is made ready once in a process."""
    newest = select(PolicyVersion.number, PolicyVersion.policies).order_by(PolicyVersion.number.desc()).limit(1)
    version, once = newest.subquery(), select(literal(1)).subquery()
    query = select(Shop, version.c.number, version.c.policies).select_from(once)
    found = await tx.execute(query.outerjoin(version, true()).outerjoin(Shop, Shop.id == shop_id))
    shop, number, policies = found.one()
    if number is None:
        number, policies = DEFAULT_VERSION.number, DEFAULT_VERSION.policies
    return ready_book(number, orjson.dumps(policies)), hours_of(shop, otherwise) if shop else otherwise


@lru_cache(16)
def ready_book(version: int, policies: bytes) -> Book:
    """By what it says: processes of tests have many databases."""
    return Book(version, restored(orjson.loads(policies)))


async def in_force(tx: AsyncSession) -> PolicyVersion:
    newest = (await tx.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(1))).first()
    return newest or DEFAULT_VERSION


async def find_version(tx: AsyncSession, number: int) -> PolicyVersion:
    """Raises VersionNotFound."""
    row = DEFAULT_VERSION if number == 0 else await tx.get(PolicyVersion, number)
    if row is None:
        raise VersionNotFound(number=number)
    return row


async def all_versions(tx: AsyncSession) -> Sequence[PolicyVersion]:
    """The newest first; the one that Kefu came with last."""
    rows = (await tx.scalars(select(PolicyVersion).order_by(PolicyVersion.number.desc()).limit(200))).all()
    return [*rows, DEFAULT_VERSION]


async def draft(tx: AsyncSession) -> PolicyDraft:
    """What is being written: as it is in force while nothing was changed."""
    row = await tx.get(PolicyDraft, THE_DRAFT)
    if row is not None:
        return row
    version = await in_force(tx)
    return PolicyDraft(
        id=THE_DRAFT,
        policies=version.policies,
        revision=0,
        based_on=version.number,
        changed_at=version.published_at,
        changed_by=version.publisher_name,
    )


async def put_draft(tx: AsyncSession, policies: Sequence[Policy], revision: int, author: Author) -> PolicyDraft:
    """Replace what is being written by whoever saw its `revision`. Raises DraftChanged, ShopNotFound."""
    row = await _locked_draft(tx, revision)
    for shop in {one.shop for one in policies if one.shop}:
        if await tx.get(Shop, shop) is None:
            raise ShopNotFound(shop=shop)
    before = {one["id"]: one for one in row.policies}
    row.policies = stored(policies)
    await _touch(tx, row, author)
    after = {one["id"]: one for one in row.policies}
    changed = {id_ for id_ in before.keys() | after.keys() if before.get(id_) != after.get(id_)}
    told = ({id_: one for id_, one in side.items() if id_ in changed} for side in (before, after))
    audit(tx, "policies.changed", ("policies", "draft"), *told)
    return row


async def publish(tx: AsyncSession, revision: int, note: str, author: Author) -> PolicyVersion:
    """Bring the draft into force, for every message from now on. Raises DraftChanged, NothingToPublish."""
    row = await _locked_draft(tx, revision)
    last = await in_force(tx)
    if row.policies == last.policies:
        raise NothingToPublish
    version = PolicyVersion(
        number=last.number + 1,
        policies=row.policies,
        note=note,
        published_at=now_ms(),
        published_by=author.id,
        publisher_name=author.name,
    )
    tx.add(version)
    row.based_on = version.number
    await _touch(tx, row, author)
    audit(tx, "policies.published", ("policies", str(version.number)), after={"version": version.number, "note": note})
    return version


async def _locked_draft(tx: AsyncSession, revision: int) -> PolicyDraft:
    """Raises DraftChanged unless it is at `revision`."""
    row = await tx.get(PolicyDraft, THE_DRAFT, with_for_update=True) or await draft(tx)
    if row.revision != revision:
        raise DraftChanged(revision=row.revision)
    return row


async def _touch(tx: AsyncSession, row: PolicyDraft, author: Author) -> None:
    row.revision += 1
    row.changed_at, row.changed_by = now_ms(), author.name
    tx.add(row)
    try:
        await tx.flush()
    except IntegrityError:  # two began the first draft at once
        raise DraftChanged(revision=1) from None


def difference(old: Sequence[dict[str, Any]], new: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """What was added, removed or changed: `{id, name, change, fields: {field: [old, new]}}`, the newer ones first."""
    before, after = ({one["id"]: one for one in side} for side in (old, new))
    found = []
    for id_ in [*after, *(id_ for id_ in before if id_ not in after)]:
        was, is_ = before.get(id_, {}), after.get(id_, {})
        fields = {name: [was.get(name), is_.get(name)] for name in {**was, **is_} if was.get(name) != is_.get(name)}
        if fields:
            change = "changed" if was and is_ else "added" if is_ else "removed"
            found.append({"id": id_, "name": (is_ or was)["name"], "change": change, "fields": fields})
    return found
