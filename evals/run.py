"""Ask the bot every golden question of the demo shop and report how well it found, cited, refused and handed over.

`python -m evals.run` asks the built-in bot on a new SQLite file; with KEFU_EVAL_POSTGRES, the address of an empty
PostgreSQL database, it also checks that PostgreSQL finds the same in the same order. Writes `report.md` and
`report.json` beside this file; ends with 1 when the bot is too weak. Scores are made by `kefu.quality`, as for the
questions of a shop.

`--answerer model` asks the provider that the settings name (AI_SERVICE_PROVIDER, AI_MODEL, …), which costs money:
`--most 40` asks so many of each language alone. `--answerer scripted` says the same to everything, and shows what such
a bot scores. Both print their report and write it to `--out FOLDER` alone.
"""

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal, get_args

import orjson
from sqlalchemy import select

from kefu.ai.books import MICROS
from kefu.answering.bot_settings import find_bot
from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.models_of import ModelsOf, rehearsing
from kefu.answering.ports import Answerer, Said
from kefu.answering.scripted import ScriptedAnswerer
from kefu.kit.config import Settings, load_settings
from kefu.kit.db import Database
from kefu.kit.i18n import Locale
from kefu.knowledge.models import Article
from kefu.ops.migrate import upgrade
from kefu.porting.demo import load_demo
from kefu.quality.golden import Golden, Kind, Outcome, attempt, version_of
from kefu.quality.scoring import Measure, Score, scores
from kefu.workers import line_of, models_of

HERE = Path(__file__).parent
LANGUAGES: tuple[Locale, ...] = ("en", "zh")
# At once; a provider may be slow.
STEP = 5
Who = Literal["builtin", "scripted", "model"]
Split = Literal["tune", "test"]
SPLITS: tuple[Split, ...] = ("tune", "test")
LEAST: dict[Measure, float] = {"recall_3": 0.90, "refusal": 0.90, "escalation_f1": 0.90}
AIMS: dict[Measure, float] = {"answered_right": 0.75}


@dataclass(frozen=True)
class Asked:
    """A question of the files; its golden expects slugs."""

    split: Split
    golden: Golden


def goldens() -> list[Asked]:
    return [
        _asked(lang, **orjson.loads(line))
        for lang in LANGUAGES
        for line in (HERE / "questions" / f"{lang}.jsonl").read_bytes().splitlines()
        if line.strip()
    ]


def _asked(
    lang: Locale,
    split: Split,
    expect: list[str],
    kind: Kind | None = None,
    history: Iterable[dict[str, str]] = (),
    **said: str,
) -> Asked:
    of_kind: Kind = kind or ("answerable" if expect else "unanswerable")
    earlier = tuple(Said("user" if one["role"] == "user" else "assistant", one["content"]) for one in history)
    return Asked(split, Golden(lang=lang, kind=of_kind, expect=tuple(expect), history=earlier, **said))


@dataclass(frozen=True)
class Result:
    """`outcomes` are fewer than the questions when a provider was away. `cost`: in US dollars, of `tokens`."""

    outcomes: list[Outcome]
    cpu_ms: float
    tokens: int
    cost: float


async def ask(url: str, questions: Sequence[Asked], who: Who = "builtin", settings: Settings | None = None) -> Result:
    """The outcome of each question on a new database at `url`, and the CPU milliseconds that one takes."""
    db = Database(url)
    await upgrade(db)
    shop = (await load_demo(db)).shop
    settings = settings or Settings()
    line = line_of(settings)
    slugs = await _slugs(db)
    started = time.process_time()
    raw = await _asked_all(await _answerer(who, db, shop, models_of(db, settings, line)), shop, questions)
    cpu_ms = (time.process_time() - started) * 1000 / len(questions)
    tokens, cost = (await db.fetch("SELECT coalesce(sum(tokens_in + tokens_out), 0), sum(cost) FROM model_usage"))[0]
    await line.streams.stop()
    await db.close()
    named = [replace(one, found=_named(one.found, slugs), cited=_named(one.cited, slugs)) for one in raw]
    return Result(named, cpu_ms, int(tokens), int(cost or 0) / MICROS)


async def _answerer(who: Who, db: Database, shop: str, models: ModelsOf) -> Answerer:
    if who == "scripted":
        return ScriptedAnswerer(pause=0)
    if who == "builtin":
        return BuiltinAnswerer(db)
    async with db.read() as tx:
        row = await find_bot(tx, shop)
    return rehearsing(BuiltinAnswerer(db), models, row, row)


async def _asked_all(bot: Answerer, shop: str, questions: Sequence[Asked]) -> list[Outcome]:
    """Ends where a provider answers nothing any more."""
    found: list[Outcome] = []
    for at in range(0, len(questions), STEP):
        found += await asyncio.gather(*(attempt(bot, shop, one.golden) for one in questions[at : at + STEP]))
        if not any(one.is_judged for one in found[at:]):
            break
    return found


async def _slugs(db: Database) -> dict[str, str]:
    async with db.read() as tx:
        return {row.id: row.slug for row in await tx.execute(select(Article.id, Article.slug))}


def _named(articles: Iterable[str], slugs: dict[str, str]) -> tuple[str, ...]:
    return tuple(slugs[one] for one in articles)


Table = dict[tuple[Locale, Split], dict[Measure, Score]]


def table_of(questions: Sequence[Asked], outcomes: Sequence[Outcome]) -> Table:
    pairs = list(zip(questions, outcomes, strict=True))
    return {
        (lang, split): scores([one for asked, one in pairs if asked.golden.lang == lang and asked.split == split])
        for lang in LANGUAGES
        for split in SPLITS
    }


def below(table: Table, wanted: dict[Measure, float]) -> list[str]:
    """What is not as good as wanted, in words."""
    return [
        f"{lang} {split}: {measure} is {found[measure].value:.3f}, at least {least} wanted"
        for (lang, split), found in table.items()
        for measure, least in wanted.items()
        if measure in found and found[measure].value < least
    ]


def misses(questions: Sequence[Asked], outcomes: Sequence[Outcome]) -> Iterator[str]:
    """What went wrong; of the test split the number only, so that nobody tunes by it."""
    for asked, one in zip(questions, outcomes, strict=True):
        if not one.is_right or (one.golden.kind != "escalate" and one.escalated):
            more = f": {one.golden.question} → {', '.join(one.found)}" if asked.split == "tune" else ""
            yield f"{one.golden.id} {verdict(one)}{more}"


def verdict(one: Outcome) -> str:
    if one.golden.kind == "escalate":
        return "not handed over"
    if one.escalated:
        return "handed over for no reason"
    if one.golden.kind == "unanswerable":
        return "false answer"
    if not {*one.golden.expect} & {*one.found}:
        return "not found"
    return "from another article" if one.answered else "refused"


def markdown(who: str, table: Table, missed: Iterable[str], more: Sequence[str]) -> str:
    names = list(table)
    measures = dict.fromkeys(measure for found in table.values() for measure in found)
    lines = [
        f"# {who} on the golden questions",
        "",
        "Made by `python -m evals.run`. Synonyms, weights and thresholds are chosen by looking at `tune` and at the",
        "demo shop's wordings, which were written without sight of `test`. Of `test` the sums were seen on the way,",
        "its single questions were not. In brackets: the bootstrap interval (95 %), and how many",
        "questions speak for it.",
        "",
        "| |" + "".join(f" {lang} {split} |" for lang, split in names),
        "|---" * (len(names) + 1) + "|",
        *(f"| {measure} |" + "".join(f" {_shown(table[one], measure)} |" for one in names) for measure in measures),
        "",
        *more,
        "",
        "## Misses",
        "",
        *(f"- {line}" for line in missed),
    ]
    return "\n".join(lines) + "\n"


def _shown(found: dict[Measure, Score], measure: Measure) -> str:
    one = found.get(measure)
    return f"{one.value:.3f} ({one.low:.2f}–{one.high:.2f}, {one.count})" if one else "–"


def report(who: str, questions: Sequence[Asked], result: Result, others: Result | None) -> tuple[str, dict[str, Any]]:
    """As Markdown and as facts; of `others`, the same questions on PostgreSQL, whether they came out the same."""
    version, outcomes = version_of(one.golden for one in questions), result.outcomes
    table = table_of(questions, outcomes)
    weak = [] if who == "A script" else below(table, LEAST)
    more = [f"{len(questions)} questions, set `{version}`. CPU per answer: {result.cpu_ms:.1f} ms."]
    if result.tokens:
        more += ["", f"{result.tokens} tokens, {result.cost:.4f} US dollars."]
    if others:
        unequal = [one.golden.id for one, other in zip(outcomes, others.outcomes, strict=True) if one != other]
        weak += [f"PostgreSQL differs from SQLite: {', '.join(unequal)}"] if unequal else []
        same = len(outcomes) - len(unequal)
        more += ["", f"PostgreSQL finds the same in the same order for {same} of {len(outcomes)} questions."]
    missed = list(misses(questions, outcomes))
    facts = {
        "version": version,
        "questions": len(questions),
        "scores": {f"{lang} {split}": {k: asdict(v) for k, v in one.items()} for (lang, split), one in table.items()},
        "weaknesses": weak,
        "notes": below(table, AIMS),
        "misses": missed,
    }
    return markdown(who, table, missed, more), facts


def away(questions: Sequence[Asked], outcomes: Sequence[Outcome]) -> str:
    """Who did not answer; then there is nothing to report."""
    judged = sum(one.is_judged for one in outcomes)
    why = next((one.failed for one in outcomes if not one.is_judged), "")
    return f"Not judged: {len(questions) - judged} of {len(questions)} questions ({why})." if why else ""


async def main(arguments: Sequence[str] | None = None) -> int:
    wish = options(arguments)
    settings = load_settings()
    if wish.answerer == "model" and settings.ai_provider in {"builtin", "scripted"}:
        print("Name a provider: AI_SERVICE_PROVIDER, AI_MODEL, … (docs/operate/models.md).", file=sys.stderr)
        return 2
    each = [[one for one in goldens() if one.golden.lang == lang] for lang in LANGUAGES]
    questions = [one for some in each for one in thinned(some, wish.most)]
    with tempfile.TemporaryDirectory() as folder:
        result = await ask(f"sqlite:///{folder}/kefu.db", questions, wish.answerer, settings)
    if why := away(questions, result.outcomes):
        print(why, file=sys.stderr)
        return 1
    postgres = os.environ.get("KEFU_EVAL_POSTGRES") if wish.answerer == "builtin" else None
    others = await ask(postgres, questions) if postgres else None
    who = {"builtin": "The built-in bot", "scripted": "A script", "model": settings.ai_model or settings.ai_provider}
    text, facts = report(who[wish.answerer], questions, result, others)
    if place := wish.out or (HERE if wish.answerer == "builtin" and not wish.most else None):
        (place / "report.md").write_text(text, "utf-8")
        (place / "report.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    print(text)
    for line in (*facts["weaknesses"], *facts["notes"]):
        print(line, file=sys.stderr)
    return 1 if facts["weaknesses"] else 0


def options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("python -m evals.run", description="Ask the golden questions of the demo shop.")
    parser.add_argument("--answerer", choices=get_args(Who), default="builtin", help="who answers")
    parser.add_argument("--most", type=int, default=0, help="so many questions of each language; 0: all")
    parser.add_argument("--out", type=Path, help="where the report goes")
    return parser.parse_args(arguments)


def thinned(questions: Sequence[Asked], most: int) -> Sequence[Asked]:
    """So many, from all over the file."""
    if not 0 < most < len(questions):
        return questions
    return [questions[n * len(questions) // most] for n in range(most)]


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
