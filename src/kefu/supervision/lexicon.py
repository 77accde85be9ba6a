"""What the rules know of words: how a text sounds, what it is about, which sums it names. Lists, not a model."""

import re
from functools import cache
from importlib import resources
from typing import Literal, get_args

from kefu.supervision.matching import Phrases, Span, folded

Topic = Literal["legal", "safety", "press", "privacy", "self_harm"]
TOPICS: tuple[Topic, ...] = get_args(Topic)

_SUM = r"(\d{1,3}(?:[,，]\d{3})+|\d{1,9})(\.\d{1,2})?\s?(万|k\b)?"
_MONEY = re.compile(
    rf"(?:[$€£¥]|\b(?:usd|eur|gbp|cny|rmb|hkd)\s?){_SUM}|{_SUM}\s?(?:[$€£]|元|块|美元|欧元|英镑|人民币|(?:usd|eur|gbp|cny|rmb"
    r"|dollars?|euros?|pounds?|yuan)\b)"
)
_TIMES = {"万": 10_000, "k": 1_000}
# A word of these right before takes the unhappiness away: "not bad", 不差.
_NOT = re.compile(r"(?:\bnot|n't|\bno|\bnever|\bwithout|不|没|没有|并不|不算)\s*(?:a|so|too|that|very|太|很|怎么)?\s*$")


@cache
def _list(name: str) -> Phrases:
    """English phrases count as whole words, Chinese ones anywhere."""
    text = (resources.files("kefu.supervision") / f"{name}.txt").read_text("utf-8")
    phrases = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    return Phrases(phrases, by_words=False)


def complaints_in(text: str) -> list[Span]:
    """What sounds unhappy in it; three marks of shouting in a row do too."""
    plain = folded(text)
    found = [span for span in _list("unhappy").find(text) if not _NOT.search(plain[max(0, span[0] - 16) : span[0]])]
    found += [one.span() for one in re.finditer(r"[!?！？]{3,}", text)]
    return found


def topics_in(text: str, topics: list[Topic]) -> dict[Topic, list[Span]]:
    found = {topic: _list(f"topic_{topic}").find(text) for topic in topics}
    return {topic: spans for topic, spans in found.items() if spans}


def sums_in(text: str) -> list[tuple[float, Span]]:
    """Every sum of money that is named as one."""
    found = []
    for one in _MONEY.finditer(folded(text)):
        whole, cents, times = one.groups()[:3] if one[1] else one.groups()[3:]
        digits = re.sub("[,，]", "", whole) + (cents or "")
        found.append((float(digits) * _TIMES.get(times, 1), one.span()))
    return found
