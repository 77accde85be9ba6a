"""How soon the bot begins to answer."""

import asyncio
import time
from pathlib import Path

import orjson

from bench.client import follow
from bench.subject import Subject

QUESTIONS = Path(__file__).parent.parent / "evals" / "questions"
LANGUAGES = ("en", "zh")
DELTA = b'"answer.delta"'
PATIENCE_SECONDS = 10


async def measure(subject: Subject, questions: int) -> dict[str, list[float]]:
    """Seconds from the post to the first delta on the visitor's stream, by language; each question in a new session."""
    asked = {lang: golden(lang, questions) for lang in LANGUAGES}
    for lang in LANGUAGES:
        await _first_delta(subject, lang, asked[lang][0])
    took: dict[str, list[float]] = {lang: [] for lang in LANGUAGES}
    for n in range(questions):
        for lang in LANGUAGES:
            took[lang].append(await _first_delta(subject, lang, asked[lang][n]))
    return took


def golden(lang: str, wanted: int) -> list[str]:
    """Golden questions of the half that was tuned on, which the bot answers by itself, spread evenly and repeated."""
    lines = map(orjson.loads, (QUESTIONS / f"{lang}.jsonl").read_text("utf-8").splitlines())
    alone = [one["question"] for one in lines if one["split"] == "tune" and not {"kind", "history"} & one.keys()]
    step = max(1, len(alone) // wanted)
    return [alone[n * step % len(alone)] for n in range(wanted)]


async def _first_delta(subject: Subject, lang: str, question: str) -> float:
    visit = await subject.visit(lang)
    begun: asyncio.Future[float] = asyncio.get_running_loop().create_future()

    def heard(at: float, data: bytes) -> None:
        if DELTA in data and not begun.done():
            begun.set_result(at)

    following = await follow(subject.port, visit.name, visit.token, heard)
    body = {"content": question, "client_msg_id": "question-1"}
    sent = time.perf_counter()
    async with asyncio.timeout(PATIENCE_SECONDS):
        await subject.caller.json("POST", f"/api/sessions/{visit.name}/messages", visit.token, body)
        at = await begun
    following.close()
    await subject.quiet()
    return at - sent
