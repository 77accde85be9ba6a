"""Golden questions of a shop asked at once (`runner`): begun, found, listed."""

from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.jobs.queue import Lane, Work, enqueue
from kefu.kit.clock import now_ms
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.quality.models import GoldenRun
from kefu.quality.questions import goldens_of
from kefu.shops.models import Shop

SHOWN = 20
# A run that is not finished by then never will be.
LONGEST_MS = 3_600_000


class RunInProgress(Conflict):
    """`run`: the one that is not finished."""

    code = "GOLDEN_RUN_IN_PROGRESS"
    text: ClassVar[Text] = {
        "en": "The golden questions are being asked already.",
        "zh": "标准问题正在检查中，请稍候。",
    }


class NoQuestions(Conflict):
    code = "NO_GOLDEN_QUESTIONS"
    text: ClassVar[Text] = {"en": "The shop has no golden questions yet.", "zh": "店铺还没有标准问题。"}


class RunNotFound(NotFound):
    code = "GOLDEN_RUN_NOT_FOUND"
    text: ClassVar[Text] = {"en": "There is no such run.", "zh": "找不到该次检查。"}


@dataclass(frozen=True, slots=True)
class RunGolden(Work):
    """Ask the golden questions of this run."""

    kind: ClassVar[str] = "run_golden"
    lane: ClassVar[Lane] = "bulk"

    run: str


async def start_run(tx: AsyncSession, shop: str, by: str, candidate: str | None = None) -> GoldenRun:
    """Raises NoQuestions, RunInProgress: one at a time in a shop, whose row is locked for that.

    `candidate`: settings to ask them with; with those that are being tried already it is the run that does so.
    """
    await tx.execute(select(Shop.id).where(Shop.id == shop).with_for_update())
    if run := await running(tx, shop):
        if candidate and run.candidate == candidate:
            return run
        raise RunInProgress(run=run.id)
    total = len(await goldens_of(tx, shop))
    if not total:
        raise NoQuestions
    row = GoldenRun(
        id=new_id("run"),
        shop=shop,
        set_version="",
        knowledge_version=0,
        provider="",
        total=total,
        done=0,
        candidate=candidate,
        right=0,
        scores={},
        wrong=[],
        started_by=by,
        created_at=now_ms(),
    )
    tx.add(row)
    await tx.flush()
    audit(tx, "golden.run", ("golden_run", row.id), after={"shop": shop, "questions": total, "tries": bool(candidate)})
    await enqueue(tx, RunGolden(row.id))
    return row


async def running(tx: AsyncSession, shop: str) -> GoldenRun | None:
    """The run that is not finished, if any."""
    is_running = GoldenRun.finished_at.is_(None), GoldenRun.created_at > now_ms() - LONGEST_MS
    return (await tx.scalars(select(GoldenRun).where(GoldenRun.shop == shop, *is_running).limit(1))).first()


async def find_run(tx: AsyncSession, run_id: str) -> GoldenRun:
    """Raises RunNotFound."""
    run = await tx.get(GoldenRun, run_id)
    if run is None:
        raise RunNotFound
    return run


async def runs_of(tx: AsyncSession, shop: str) -> list[GoldenRun]:
    """The last ones, the newest first."""
    order = (GoldenRun.created_at.desc(), GoldenRun.id)
    return list(await tx.scalars(select(GoldenRun).where(GoldenRun.shop == shop).order_by(*order).limit(SHOWN)))
