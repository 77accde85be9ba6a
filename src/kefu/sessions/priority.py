"""How urgently a person is awaited: one rule for the lists, the queue and the place that the visitor is told."""

import re
from typing import Any, Literal

from sqlalchemy import case, or_

from kefu.sessions.models import Session

Level = Literal["urgent", "high", "normal"]
TIMEOUT_MS = 300_000
RANKS: dict[Level, int] = {"urgent": 2, "high": 1, "normal": 0}

# Each is a bit of `Session.urgent_words`, in this order: new ones are added at the end.
WORDS: dict[str, re.Pattern[str]] = {
    "投诉": re.compile("投诉"),
    "退款": re.compile("退款"),
    "质量问题": re.compile("质量问题"),
    "差评": re.compile("差评"),
    "赔偿": re.compile("赔偿"),
    "complaint": re.compile(r"\bcomplain(t|ts|ing)?\b", re.IGNORECASE),
    "refund": re.compile(r"\brefund(s|ed|ing)?\b", re.IGNORECASE),
    "quality problem": re.compile(r"\bquality (problem|issue)s?\b|\b(defective|faulty)\b", re.IGNORECASE),
    "bad review": re.compile(r"\b(bad|negative|one[- ]star|1[- ]star) reviews?\b", re.IGNORECASE),
    "compensation": re.compile(r"\bcompensat(e|ed|ion)\b", re.IGNORECASE),
}


def words_in(text: str) -> int:
    """The urgent words of a text, a bit for each."""
    return sum(1 << n for n, pattern in enumerate(WORDS.values()) if pattern.search(text))


def words_of(bits: int) -> list[str]:
    return [word for n, word in enumerate(WORDS) if bits >> n & 1]


def is_repeat(session: Session) -> bool:
    return session.escalation_count > 1


def level_of(session: Session, now: int) -> Level:
    """Of a session in which a person is awaited."""
    if session.is_vip or now - (session.escalated_at or now) > TIMEOUT_MS:
        return "urgent"
    return "high" if session.urgent_words or is_repeat(session) else "normal"


def rank(session: Session, now: int) -> tuple[Any, ...]:
    """Sorts the waiting as `order` does: VIPs, then by level, then who waits longest."""
    return not session.is_vip, -RANKS[level_of(session, now)], session.escalated_at, session.name


def order(now: int) -> tuple[Any, ...]:
    """The same for the database."""
    is_urgent = or_(Session.is_vip, Session.escalated_at < now - TIMEOUT_MS)
    is_high = or_(Session.urgent_words != 0, Session.escalation_count > 1)
    level = case((is_urgent, RANKS["urgent"]), (is_high, RANKS["high"]), else_=RANKS["normal"])
    return Session.is_vip.desc(), level.desc(), Session.escalated_at, Session.name
