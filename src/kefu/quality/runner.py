"""Asks the golden questions of a run, as a job that tells how far it is, and lets the gate decide what was tried."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from kefu.answering.models import BotSettings
from kefu.answering.ports import Answerer
from kefu.jobs.queue import Taken, finish, finish_alone
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.quality.gate import Verdict
from kefu.quality.golden import Outcome, attempt
from kefu.quality.models import GoldenRun
from kefu.quality.scoring import scores
from kefu.quality.settings_gate import Asked, asked_in, compared, decide, right_before

# So many are asked at a time; then it is told how far the run is.
STEP = 5
# Less than `runs.LONGEST_MS`, after which another run may begin.
PATIENCE = timedelta(minutes=50)
ASKED = "UPDATE golden_runs SET done = $1, total = $2 WHERE id = $3 AND finished_at IS NULL RETURNING id"

# Who answers with these settings, at the expense of a shop with those (`ModelsOf.on_rehearsal`).
Rehearse = Callable[[BotSettings, BotSettings], Answerer]


class _Withdrawn(Exception):
    """Nobody wants to know any more."""


class Runner:
    """Handles `RunGolden`. Repeating it is safe: it begins anew, and a finished run stays as it is."""

    def __init__(self, db: Database, settings: Settings, rehearse: Rehearse) -> None:
        self._db = db
        self._settings = settings
        self._rehearse = rehearse

    async def __call__(self, job: Taken) -> None:
        async with self._db.read() as tx:
            run = await tx.get(GoldenRun, job.payload["run"])
            asked = await asked_in(tx, run, self._settings) if run and run.finished_at is None else None
            before = await right_before(tx, asked) if asked and asked.candidate else None
        if run is None or asked is None:
            await finish_alone(self._db, job.id)
            return
        questioning = _Questioning(self._db, run.id, asked, self._rehearse)
        try:
            before, outcomes = await questioning.whole(before)
        except _Withdrawn:
            await finish_alone(self._db, job.id)
            return
        found = await asyncio.to_thread(scores_by_language, outcomes)
        async with self._db.write() as tx:
            row = await tx.get(GoldenRun, run.id, with_for_update=True)
            if row is not None and row.finished_at is None:
                _write(row, asked, outcomes, found)
                await _judge(tx, row, asked, compared(asked, before, outcomes))
            await finish(tx, job.id)


class _Questioning:
    """Asks what a run is about, and tells in its row how far it is."""

    def __init__(self, db: Database, run: str, asked: Asked, rehearse: Rehearse) -> None:
        self._db, self._run, self._asked, self._rehearse = db, run, asked, rehearse
        self._done, self._total = 0, len(asked.goldens)

    async def whole(self, before: frozenset[str] | None) -> tuple[frozenset[str], list[Outcome]]:
        """What is right with the settings that hold, if that must be known, and what became of each question.

        Not all are there when the provider is away, the time is over, or the settings that hold are others meanwhile.
        Raises _Withdrawn.
        """
        outcomes: list[Outcome] = []
        if self._asked.is_overtaken:
            return frozenset(), outcomes
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE.total_seconds()):
                if before is None and self._asked.candidate:
                    before = await self._right_now()
                await self._ask(self._asked.wanted, self._run, outcomes)
        return before or frozenset(), outcomes

    async def _right_now(self) -> frozenset[str]:
        """By what visitors hear now, also when that is not the provider who should speak."""
        self._total *= 2
        outcomes: list[Outcome] = []
        await self._ask(self._asked.held, f"{self._run}-now", outcomes)
        return frozenset(one.golden.id for one in outcomes if one.is_right)

    async def _ask(self, settings: BotSettings, name: str, outcomes: list[Outcome]) -> None:
        """Settings that are tried are given up when nobody answers a whole step."""
        asked, answerer = self._asked, self._rehearse(settings, self._asked.held)
        for at in range(0, len(asked.goldens), STEP):
            step = asked.goldens[at : at + STEP]
            new = await asyncio.gather(*(attempt(answerer, asked.held.shop, one, asked.book, run=name) for one in step))
            outcomes += new
            self._done += len(new)
            if not await self._db.execute(ASKED, self._done, self._total, self._run):
                raise _Withdrawn
            if settings is not asked.held and not any(one.is_judged for one in new):
                return


def _write(row: GoldenRun, asked: Asked, outcomes: Sequence[Outcome], found: dict[str, dict[str, Any]]) -> None:
    judged = [one for one in outcomes if one.is_judged]
    away = [one.failed for one in outcomes if not one.is_judged]
    named = [one.provider for one in outcomes if one.provider]
    row.set_version, row.knowledge_version = asked.set_version, asked.knowledge
    row.provider = next((one for one in named if one != "builtin"), named[0] if named else "")
    row.total = row.done = len(asked.goldens)
    row.compared = {
        "unjudged": len(asked.goldens) - len(judged),
        "why": away[0] if away else "",
        "version": asked.held.version,
    }
    if not asked.candidate or len(judged) == len(asked.goldens):
        row.settings = asked.digest_of(asked.wanted)
        row.right = sum(one.is_right for one in outcomes)
        row.scores, row.wrong = found, [_wrong(one) for one in outcomes if not one.is_right]
    row.candidate, row.finished_at = None, now_ms()


async def _judge(tx: AsyncSession, row: GoldenRun, asked: Asked, verdict: Verdict) -> None:
    if asked.candidate:
        row.compared = {**row.compared, **verdict.facts}
        row.verdict = await decide(tx, asked, verdict, is_whole=not row.compared["unjudged"])


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
