"""Ask the bot every golden question of the demo shop and report how well it found, cited, refused and handed over.

`python -m evals.run` asks the built-in bot on a new SQLite file; with KEFU_EVAL_POSTGRES, the address of an empty
PostgreSQL database, it also checks that PostgreSQL finds the same in the same order. Writes `report.md` and
`report.json` beside this file; ends with 1 when the bot is too weak. Scores are made by `kefu.quality`, as for the
questions of a shop.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal

import orjson
from sqlalchemy import select

from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.ports import Said
from kefu.kit.db import Database
from kefu.kit.i18n import Locale
from kefu.knowledge.models import Article
from kefu.ops.migrate import upgrade
from kefu.porting.demo import load_demo
from kefu.quality.golden import Golden, Kind, Outcome, attempt, version_of
from kefu.quality.scoring import Measure, Score, scores

HERE = Path(__file__).parent
LANGUAGES: tuple[Locale, ...] = ("en", "zh")
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


async def ask(url: str, questions: Sequence[Asked]) -> tuple[list[Outcome], float]:
    """The outcome of each question on a new database at `url`, and the CPU milliseconds that one takes."""
    db = Database(url)
    await upgrade(db)
    shop = (await load_demo(db)).shop
    bot = BuiltinAnswerer(db)
    slugs = await _slugs(db)
    started = time.process_time()
    raw = [await attempt(bot, shop, one.golden) for one in questions]
    cpu_ms = (time.process_time() - started) * 1000 / len(questions)
    await db.close()
    return [replace(one, found=_named(one.found, slugs), cited=_named(one.cited, slugs)) for one in raw], cpu_ms


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
        if found[measure].value < least
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


def markdown(table: Table, missed: Iterable[str], more: Sequence[str]) -> str:
    names = list(table)
    lines = [
        "# The built-in bot on the golden questions",
        "",
        "Made by `python -m evals.run`. Synonyms, weights and thresholds are chosen by looking at `tune` and at the",
        "demo shop's wordings, which were written without sight of `test`. Of `test` the sums were seen on the way,",
        "its single questions were not. In brackets: the bootstrap interval (95 %), and how many",
        "questions speak for it.",
        "",
        "| |" + "".join(f" {lang} {split} |" for lang, split in names),
        "|---" * (len(names) + 1) + "|",
        *(
            f"| {measure} |" + "".join(f" {_shown(table[one], measure)} |" for one in names)
            for measure in table[names[0]]
        ),
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


async def main() -> int:
    questions = goldens()
    version = version_of(one.golden for one in questions)
    with tempfile.TemporaryDirectory() as folder:
        outcomes, cpu_ms = await ask(f"sqlite:///{folder}/kefu.db", questions)
    table = table_of(questions, outcomes)
    weak, notes, missed = below(table, LEAST), below(table, AIMS), list(misses(questions, outcomes))
    more = [f"{len(questions)} questions, set `{version}`. CPU per answer: {cpu_ms:.1f} ms."]
    if postgres := os.environ.get("KEFU_EVAL_POSTGRES"):
        others, _ = await ask(postgres, questions)
        unequal = [one.golden.id for one, other in zip(outcomes, others, strict=True) if one != other]
        weak += [f"PostgreSQL differs from SQLite: {', '.join(unequal)}"] if unequal else []
        same = len(others) - len(unequal)
        more += ["", f"PostgreSQL finds the same in the same order for {same} of {len(others)} questions."]
    text = markdown(table, missed, more)
    facts = {
        "version": version,
        "questions": len(questions),
        "scores": {f"{lang} {split}": {k: asdict(v) for k, v in one.items()} for (lang, split), one in table.items()},
        "weaknesses": weak,
        "notes": notes,
        "misses": missed,
    }
    (HERE / "report.md").write_text(text, "utf-8")
    (HERE / "report.json").write_bytes(orjson.dumps(facts, option=orjson.OPT_INDENT_2) + b"\n")
    print(text)
    for line in (*weak, *notes):
        print(line, file=sys.stderr)
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
