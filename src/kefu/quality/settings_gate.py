"""The gate before a shop's bot: other settings hold once its golden questions were asked with them and none broke.

Meanwhile, and when questions break or the provider is away, what held before holds on. A key alone may be changed at
once, and so may budgets and the model that speaks for one that fails: neither decides what the bot says.
"""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from itertools import zip_longest
from typing import ClassVar, Literal

import orjson
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.accounts.audit import audit
from kefu.accounts.identity import AgentIdentity
from kefu.accounts.models import Agent
from kefu.answering.bot_settings import BotChanged, BotIncomplete, decisive, find_bot, merged, put_bot
from kefu.answering.bot_shapes import BotChoice, BotWish
from kefu.answering.models import BotSettings
from kefu.kit.acting import act_as
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.errors import NotFound
from kefu.kit.i18n import Text
from kefu.knowledge.models import KnowledgeState
from kefu.quality.gate import Verdict
from kefu.quality.golden import ALWAYS, Golden, Outcome, version_of
from kefu.quality.models import GoldenRun
from kefu.quality.questions import PER_SHOP, goldens_of
from kefu.quality.runs import running, start_run
from kefu.supervision.rules import Book
from kefu.supervision.versions import in_force_for

# `unjudged`: the provider did not answer all, so nobody knows. `overtaken`: settings, knowledge or questions were
# changed meanwhile. `withdrawn`: by somebody who thought better of it.
Fate = Literal["", "passed", "refused", "unjudged", "overtaken", "withdrawn"]


class NoRehearsal(NotFound):
    code = "NO_REHEARSAL"
    text: ClassVar[Text] = {"en": "No settings are waiting for the gate.", "zh": "当前没有等待检查的设置。"}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Settings that wait. `by`: the id of the agent who wants them."""

    choice: BotChoice
    by: str

    @classmethod
    def read(cls, text: str) -> "Candidate":
        facts = orjson.loads(text)
        return cls(BotChoice.model_validate(facts["choice"]), facts["by"])

    def written(self) -> str:
        """With the key; the column is sealed."""
        return orjson.dumps({"choice": self.choice.model_dump(), "by": self.by}).decode()


class BotGate:
    """What `PUT /api/shops/{shop_id}/bot` goes through."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    async def put(self, tx: AsyncSession, shop: str, wish: BotWish, by: AgentIdentity) -> tuple[BotSettings, bool]:
        """What holds now, and whether the wish waits. Repeating it is safe.

        Raises what `put_bot` does, and RunInProgress.
        """
        choice = BotChoice.model_validate(wish.model_dump())
        held = await find_bot(tx, shop)
        before, after = (decisive(one, self._settings) for one in (held, merged(held, shop, choice)))
        is_guarded = before != after and bool(await goldens_of(tx, shop))
        if not is_guarded or wish.force:
            row = await put_bot(tx, shop, choice, by.id)
            if is_guarded:
                last = await last_rehearsal(tx, shop)
                tried = last.compared if last and last.compared.get("version") == choice.version else {}
                audit(tx, "gate.forced", ("shop", shop), after={"reason": wish.force, **tried})
            return row, False
        if held.version != choice.version:
            raise BotChanged(version=held.version)
        await start_run(tx, shop, by.name, Candidate(choice, by.id).written())
        return held, True


@dataclass(frozen=True, slots=True)
class Asked:
    """What a run is about, as it was when it began.

    `held`: the settings that hold; `candidate`: those that are tried, if any. `most`: how many questions at most, of
    which `set_version` names the `goldens`. `knowledge`: its version.
    """

    held: BotSettings
    candidate: Candidate | None
    goldens: Sequence[Golden]
    most: int
    book: Book
    knowledge: int
    settings: Settings

    @property
    def set_version(self) -> str:
        return version_of(self.goldens)

    @property
    def wanted(self) -> BotSettings:
        """The settings to answer with. Raises BotIncomplete when their key is gone."""
        return merged(self.held, self.held.shop, self.candidate.choice) if self.candidate else self.held

    @property
    def is_overtaken(self) -> bool:
        """Whether the settings that hold are others than the candidate was to follow."""
        return self.candidate is not None and self.candidate.choice.version != self.held.version

    def digest_of(self, row: BotSettings) -> str:
        """By which a later run knows again what answered, and by which policies it was watched."""
        facts = [decisive(row, self.settings), self.book.version]
        return sha256(orjson.dumps(facts, option=orjson.OPT_SORT_KEYS)).hexdigest()


async def asked_in(tx: AsyncSession, run: GoldenRun, settings: Settings) -> Asked:
    candidate = Candidate.read(run.candidate) if run.candidate else None
    most = settings.gate_questions if candidate else PER_SHOP
    goldens = chosen(await goldens_of(tx, run.shop), most)
    book, _ = await in_force_for(tx, run.shop, ALWAYS)
    state = select(KnowledgeState.version).where(KnowledgeState.shop == run.shop)
    return Asked(await find_bot(tx, run.shop), candidate, goldens, most, book, await tx.scalar(state) or 0, settings)


def chosen(goldens: Sequence[Golden], most: int) -> list[Golden]:
    """At most so many, evenly of each language and kind, and always the same ones."""
    alike: dict[tuple[str, str], list[Golden]] = defaultdict(list)
    for one in sorted(goldens, key=lambda one: sha256(one.id.encode()).digest()):
        alike[one.lang, one.kind].append(one)
    return [one for some in zip_longest(*alike.values()) for one in some if one][:most]


async def last_rehearsal(tx: AsyncSession, shop: str) -> GoldenRun | None:
    """Of settings that need not be saved: the one that runs, or the last one."""
    if (now := await running(tx, shop)) and now.candidate:
        return now
    tried = select(GoldenRun).where(GoldenRun.shop == shop, GoldenRun.verdict != "")
    return (await tx.scalars(tried.order_by(GoldenRun.created_at.desc(), GoldenRun.id).limit(1))).first()


async def withdraw(tx: AsyncSession, shop: str) -> None:
    """Settings that wait are forgotten; the job sees it at its next step. Raises NoRehearsal."""
    run = await running(tx, shop)
    row = await tx.get(GoldenRun, run.id, with_for_update=True, populate_existing=True) if run else None
    if row is None or not row.candidate or row.finished_at is not None:
        raise NoRehearsal
    row.verdict, row.candidate, row.finished_at = "withdrawn", None, now_ms()
    audit(tx, "gate.withdrawn", ("shop", shop), after={"run": row.id})


async def right_before(tx: AsyncSession, now: Asked) -> frozenset[str] | None:
    """The ids of the questions that were right in the last accepted run by what holds, of the same knowledge.

    None when there is none, or a provider was away in it.
    """
    same = (
        GoldenRun.shop == now.held.shop,
        GoldenRun.settings == now.digest_of(now.held),
        GoldenRun.set_version == now.set_version,
        GoldenRun.knowledge_version == now.knowledge,
    )
    accepted = GoldenRun.finished_at.is_not(None), GoldenRun.verdict.in_(("", "passed"))
    newest = select(GoldenRun).where(*same, *accepted).order_by(GoldenRun.created_at.desc()).limit(1)
    run = (await tx.scalars(newest)).first()
    if run is None or run.compared.get("unjudged"):
        return None
    return frozenset(one.id for one in now.goldens) - {one["id"] for one in run.wrong}


def compared(now: Asked, before: frozenset[str], outcomes: Sequence[Outcome]) -> Verdict:
    """A question that nobody could judge is neither broken nor mended."""
    judged = [one for one in outcomes if one.is_judged]
    after = frozenset(one.golden.id for one in judged if one.is_right)
    return Verdict(now.knowledge, [one.golden for one in judged], before, after)


async def decide(tx: AsyncSession, now: Asked, verdict: Verdict, *, is_whole: bool) -> Fate:
    """What becomes of the candidate, under locks that let nothing change meanwhile; if it passed, it holds."""
    assert now.candidate
    if now.is_overtaken:
        return "overtaken"
    if not is_whole:
        return "unjudged"
    if not verdict.is_passed:
        return "refused"
    state = select(KnowledgeState.version).where(KnowledgeState.shop == now.held.shop).with_for_update()
    knowledge = await tx.scalar(state) or 0
    if (
        knowledge != now.knowledge
        or version_of(chosen(await goldens_of(tx, now.held.shop), now.most)) != now.set_version
    ):
        return "overtaken"
    if by := await tx.get(Agent, now.candidate.by):
        act_as(by.id, by.name, by.role)
    with suppress(BotChanged, BotIncomplete):
        await put_bot(tx, now.held.shop, now.candidate.choice, now.candidate.by)
        return "passed"
    return "overtaken"
