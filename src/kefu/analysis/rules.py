"""Reads one message by rules: sentiment, urgency, intent, and whether it wishes for something new.

How sure a reading is was counted: the share of the hand-labelled lines (`evals/analysis`) of its language, dimension
and label on which the rules were right where they had as much for it (`sure.json`, written by
`python -m evals.analysis --count`).
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal, get_args

import orjson

from kefu.analysis.lexicon import Found, lexicons
from kefu.kit.i18n import Locale
from kefu.knowledge.words import HAN, language_of, normal

Sentiment = Literal["positive", "neutral", "negative"]
Urgency = Literal["high", "normal", "low"]
Intent = Literal["delivery", "return", "fault", "product", "payment", "usage", "complaint", "person", "chat", "other"]
Dimension = Literal["sentiment", "urgency", "intent", "requirement"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
# So much of a message is read, and so many words are told as the reason.
LOOKED_AT = 1000
TOLD = 5
# The points from which a label is given rather than the dimension's plain one.
ENOUGH = 2.0
# How far a word that changes others reaches: in words of Latin script, in Chinese characters.
REACH, REACH_HAN = 4, 4
CLAUSE = re.compile(r"[,.;:!?。、;\n]|\b(?:but|however|although|though)\b|但是?|可是|不过|然而")
STRONGER, WEAKER, SUPPOSED = 1.5, 0.6, 0.4
# What is left of a word that is negated: "not good" is bad, "no bad surprise" is hardly good.
TURNED = {"positive": -1.0, "negative": 0.4}


@dataclass(frozen=True, slots=True)
class Reading:
    """One label.

    `rule`: which part of the table spoke, with `words` that were found; `margin`: points before the next label;
    `sure`: 0…1, how often such a reading was right.
    """

    label: str
    rule: str
    words: tuple[str, ...]
    margin: float
    sure: float


@dataclass(frozen=True, slots=True)
class Analysis:
    sentiment: Reading
    urgency: Reading
    intent: Reading
    requirement: Reading


def analyse(text: str, otherwise: Locale = "en") -> Analysis:
    """What the message says of its writer. `otherwise`: the language to be sure in when its script does not tell."""
    said = normal(text[:LOOKED_AT]).strip()
    language = language_of(text[:LOOKED_AT], otherwise)
    sentiment = _sentiment(said)
    readings = {
        "sentiment": sentiment,
        "urgency": _by_points(said, "urgency", "normal"),
        "intent": _intent(said, sentiment),
        "requirement": _by_points(said, "requirement", "no"),
    }
    return Analysis(**{name: _as_sure(one, language, name) for name, one in readings.items()})


def _by_points(said: str, dimension: Dimension, plain: str, enough: float = ENOUGH) -> Reading:
    """The label with the most points; the first in the table of equals."""
    points, words = Counter[str](), dict[str, list[str]]()
    for found in lexicons()[dimension].find(said):
        if found.entry.phrase not in words.setdefault(found.entry.label, []):
            points[found.entry.label] += found.entry.weight
            words[found.entry.label].append(found.entry.phrase)
    order = points.most_common(2)
    label, most = order[0] if order else (plain, 0)
    if most < enough:
        return Reading(plain, f"{dimension}.{plain}", (), float(-most), 0)
    margin = float(most - (order[1][1] if len(order) > 1 else 0))
    return Reading(label, f"{dimension}.{label}", tuple(words[label][:TOLD]), margin, 0)


def _intent(said: str, sentiment: Reading) -> Reading:
    """What is only angry complains; pleasantries count when there is nothing else."""
    found = _by_points(said, "intent", "other", enough=1)
    if found.label in {"other", "chat"} and sentiment.label == "negative":
        return Reading("complaint", "intent.by_sentiment", sentiment.words, sentiment.margin, 0)
    return found


def _sentiment(said: str) -> Reading:
    """The sum of the words' points, each as the words before it in its clause turn it."""
    around = sorted(lexicons()["modify"].find(said), key=lambda one: one.start)
    points, words = 0.0, list[tuple[float, str]]()
    found = list(lexicons()["sentiment"].find(said))
    turn = max((one.end for one in around if one.entry.label == "turn"), default=0)
    for one in found:
        value = _value(said, one, around) * (0.5 if one.end <= turn else 1.0)
        points += value
        words.append((value, one.entry.phrase))
    label = "positive" if points >= ENOUGH else "negative" if points <= -ENOUGH + _milder(said) else "neutral"
    wanted = {"positive": 1, "negative": -1, "neutral": 0}[label]
    reasons = tuple(phrase for value, phrase in words if value * wanted > 0)[:TOLD]
    return Reading(label, f"sentiment.{label}", reasons, abs(points), 0)


def _milder(said: str) -> float:
    """Who shouts is as angry at half the words."""
    return 1.0 if re.search(r"[!?]{2}", said) else 0.0


def _value(said: str, found: Found, around: Sequence[Found]) -> float:
    label = found.entry.label
    value = float(found.entry.weight if label == "positive" else -found.entry.weight)
    for one in around:
        if one.end > found.start or not _is_near(said[one.end : found.start]):
            continue
        kind = one.entry.label
        if kind == "negate":
            value *= TURNED[label]
        elif kind in {"stronger", "weaker"}:
            value *= STRONGER if kind == "stronger" else WEAKER
        elif kind == "suppose":
            value *= SUPPOSED
    return value


def _is_near(between: str) -> bool:
    if CLAUSE.search(between):
        return False
    return len(between.split()) < REACH and len(HAN.findall(between)) < REACH_HAN


# --- how sure


def bucket(margin: float) -> str:
    """Readings with as much behind them, by whole points up to six."""
    return str(max(-6, min(6, int(margin))))


@cache
def counted() -> dict[str, tuple[int, int]]:
    """How many readings of a kind were right, of how many.

    A kind is `<language>.<dimension>.<label>.<bucket>`, or a beginning of that for all that begin so.
    """
    data = (resources.files("kefu.analysis") / "sure.json").read_bytes()
    return {kind: (right, of) for kind, (right, of) in orjson.loads(data).items()}


def kinds(language: Locale, dimension: str, label: str, margin: float) -> list[str]:
    """The kinds of readings that one belongs to, the widest first."""
    parts = [language, dimension, label, bucket(margin)]
    return [".".join(parts[:n]) for n in range(2, len(parts) + 1)]


def _as_sure(one: Reading, language: Locale, dimension: str) -> Reading:
    """From the widest kind to the narrowest, each counting against what the wider one says as if that were one line."""
    sure = 0.5
    for kind in kinds(language, dimension, one.label, one.margin):
        right, of = counted().get(kind, (0, 0))
        sure = (right + sure) / (of + 1)
    return Reading(one.label, one.rule, one.words, one.margin, round(sure, 3))
