"""All golden questions of a shop asked at once, as a job that tells how far it is."""

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.answering.ports import Answerer
from kefu.jobs.queue import Lane, Taken, Work, enqueue, finish, finish_alone
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.kit.errors import Conflict, NotFound
from kefu.kit.i18n import Text
from kefu.kit.ids import new_id
from kefu.knowledge.models import KnowledgeState
from kefu.quality.golden import ALWAYS, Outcome, attempt, version_of
from kefu.quality.models import GoldenRun
from kefu.quality.questions import goldens_of
from kefu.quality.scoring import scores
from kefu.shops.models import Shop
from kefu.supervision.versions import in_force_for

SHOWN = 20
# After so many questions it is told how far the run is.
STEP = 5
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


async def start_run(tx: AsyncSession, shop: str, by: str) -> GoldenRun:
    """Raises NoQuestions, RunInProgress: one at a time in a shop, whose row is locked for that."""
    await tx.execute(select(Shop.id).where(Shop.id == shop).with_for_update())
    is_running = GoldenRun.finished_at.is_(None), GoldenRun.created_at > now_ms() - LONGEST_MS
    running = select(GoldenRun.id).where(GoldenRun.shop == shop, *is_running)
    if run := await tx.scalar(running):
        raise RunInProgress(run=run)
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
        right=0,
        scores={},
        wrong=[],
        started_by=by,
        created_at=now_ms(),
    )
    tx.add(row)
    await tx.flush()
    audit(tx, "golden.run", ("golden_run", row.id), after={"shop": shop, "questions": total})
    await enqueue(tx, RunGolden(row.id))
    return row


class Runner:
    """Handles `RunGolden`. Repeating it is safe: it begins anew, and a finished run stays as it is."""

    def __init__(self, db: Database, answerer: Answerer) -> None:
        self._db = db
        self._answerer = answerer

    async def __call__(self, job: Taken) -> None:
        async with self._db.read() as tx:
            run = await tx.get(GoldenRun, job.payload["run"])
            goldens = await goldens_of(tx, run.shop) if run else []
            book, _ = await in_force_for(tx, run.shop if run else "", ALWAYS)
            version = (
                await tx.scalar(select(KnowledgeState.version).where(KnowledgeState.shop == run.shop)) if run else 0
            )
        if run is None or run.finished_at is not None:
            await finish_alone(self._db, job.id)
            return
        outcomes: list[Outcome] = []
        for golden in goldens:
            outcomes.append(await attempt(self._answerer, run.shop, golden, book))
            if len(outcomes) % STEP == 0:
                await self._db.execute("UPDATE golden_runs SET done = $1 WHERE id = $2", len(outcomes), run.id)
        found = await asyncio.to_thread(scores_by_language, outcomes)
        async with self._db.write() as tx:
            row = await tx.get_one(GoldenRun, run.id)
            row.set_version, row.knowledge_version = version_of(goldens), version or 0
            row.provider = next((one.provider for one in outcomes if one.provider), "")
            row.total, row.done = len(outcomes), len(outcomes)
            row.right = sum(one.is_right for one in outcomes)
            row.scores, row.wrong = found, [_wrong(one) for one in outcomes if not one.is_right]
            row.finished_at = now_ms()
            await finish(tx, job.id)


def scores_by_language(outcomes: Sequence[Outcome]) -> dict[str, dict[str, Any]]:
    by_language: dict[str, list[Outcome]] = defaultdict(list)
    for one in outcomes:
        by_language[one.golden.lang].append(one)
    return {
        lang: {measure: asdict(score) for measure, score in scores(some).items()}
        for lang, some in sorted(by_language.items())
    }


def _wrong(one: Outcome) -> dict[str, Any]:
    return {
        "id": one.golden.id,
        "lang": one.golden.lang,
        "kind": one.golden.kind,
        "question": one.golden.question,
        "found": list(one.found),
        "answered": one.answered,
        "escalated": one.escalated,
    }


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
