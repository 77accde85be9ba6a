"""A workspace after two months: 100,000 sessions with 2 million messages, written as fast as PostgreSQL takes them."""

import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson

from kefu.kit.clock import now_ms
from kefu.knowledge.words import all_terms
from kefu.sessions.indexing import FOLLOWER

SESSIONS, MESSAGES = 100_000, 20
POOL = 20_000
VISITORS = 70_000
AGENTS = 40
DAY = 86_400_000
DAYS = 60
CHUNK = 2_500
# One in so many messages has a word of its own, which a search finds a handful of times.
RARE = 400_000

SHOPS = ("demo", "north", "south", "pop-up")
SHOP_WEIGHTS = (70, 20, 9, 1)
ZH = (
    "我的{what}{how}，{ask}",
    "{ask}我想买{what}",
    "你好，{what}的{part}{how}",
    "订单 NV-{n} 的{what}什么时候能到？",
    "好的，谢谢",
    "{what}可以退货吗？发票号 {n}",
    "收到了，{part}有点{how}，请帮忙看看",
    "麻烦您提供一下订单号，我帮您查{what}",
    "在吗",
    "运费多少钱？寄到{place}",
    "{place}有没有维修点，{part}坏了",
    "充一次电能骑多远？大概 {n} 公里吧",
)
EN = (
    "My {what} {how}, {ask}",
    "Can I return the {what}? The order is NV-{n}",
    "Hello, the {part} of my {what} {how}",
    "Thank you very much!",
    "When will order NV-{n} with the {what} arrive?",
    "Do you ship to {place}?",
    "ok",
    "The {part} came with a scratch and I would like a refund for it",
    "How far does the {what} go on one charge, {n} km?",
    "Let me look into order NV-{n} for you, one moment please",
    "Is there a service partner in {place} for the {part}?",
)
FILL = {
    "zh": {
        "what": ("电池", "充电器", "电动车", "折叠车", "头盔", "显示屏", "车锁", "轮胎"),
        "part": ("刹车", "链条", "电机", "坐垫", "车灯"),
        "how": ("充不满电", "有异响", "坏了", "很慢", "松动"),
        "ask": ("怎么办？", "请问能保修吗？", "可以换一个吗？"),
        "place": ("北京", "上海", "柏林", "巴黎", "伦敦"),
    },
    "en": {
        "what": ("battery", "charger", "bike", "helmet", "display", "lock", "tyre"),
        "part": ("brake", "chain", "motor", "saddle"),
        "how": ("does not charge", "makes a noise", "is broken", "is slow"),
        "ask": ("what can I do?", "is that a warranty case?"),
        "place": ("Berlin", "Paris", "London", "Amsterdam", "Norway"),
    },
}
SESSION_COLUMNS = (
    "name",
    "shop",
    "status",
    "epoch",
    "seq",
    "locale",
    "conversation_id",
    "visitor_id",
    "nickname",
    "is_vip",
    "agent_id",
    "agent_name",
    "escalation_reason",
    "escalated_at",
    "escalation_count",
    "episode",
    "message_count",
    "visitor_message_count",
    "ai_fail_count",
    "last_role",
    "last_text",
    "last_message_at",
    "last_visitor_seq",
    "answered_seq",
    "created_at",
    "updated_at",
    "manual_started_at",
)
EVENT_COLUMNS = ("stream", "seq", "type", "audience", "actor", "payload", "client_msg_id", "at")
INDEX = """
INSERT INTO indexed_messages (position, session, seq, words)
SELECT e.position, s.name, e.seq, pool.words || array_to_tsvector(ARRAY['shop__' || replace(s.shop, '-', '_')])
FROM events e
JOIN pool ON pool.id = split_part(e.client_msg_id, '.', 1)::int
JOIN sessions s ON s.name = substr(e.stream, 9)
WHERE e.seq > 1
"""


def sentences() -> list[tuple[str, str]]:
    """Text and language of the messages that are said again and again."""
    made = []
    for n in range(POOL):
        language = "zh" if n % 5 < 3 else "en"
        words = {name: random.choice(choices) for name, choices in FILL[language].items()}
        rare = f" zyx{n}" if n % (RARE // 100) == 0 else ""
        made.append(
            (
                random.choice(ZH if language == "zh" else EN).format(n=random.randint(1, 99_999), **words) + rare,
                language,
            )
        )
    return made


@dataclass(frozen=True, slots=True)
class Size:
    """How many sessions of MESSAGES each; the youngest has `longest`, said over all the DAYS."""

    sessions: int = SESSIONS
    longest: int = MESSAGES


FULL = Size()


async def fill(url: str, size: Size = FULL) -> None:
    """Into a migrated database without sessions."""
    random.seed(20261127)
    pool = sentences()
    db = await asyncpg.connect(url)
    try:
        await db.execute("CREATE TEMP TABLE texts (id int, words text)")
        texts = [(n, " ".join(all_terms(text))) for n, (text, _) in enumerate(pool)]
        await db.copy_records_to_table("texts", records=texts, columns=("id", "words"))
        await db.execute(
            "CREATE TEMP TABLE pool AS SELECT id, array_to_tsvector(string_to_array(words, ' ')) AS words FROM texts"
        )
        began = time.monotonic()
        for done in range(0, size.sessions, CHUNK):
            rows = [Talk(n, pool, size) for n in range(done, done + CHUNK)]
            await db.copy_records_to_table("sessions", records=[one.row() for one in rows], columns=SESSION_COLUMNS)
            events = [event for one in rows for event in one.events()]
            await db.copy_records_to_table("events", records=events, columns=EVENT_COLUMNS)
            progress((done + CHUNK) / size.sessions, "sessions and messages", began)
        await _index(db)
    finally:
        await db.close()


async def _index(db: "asyncpg.Connection[Any]") -> None:
    steps = (
        "DROP INDEX ix_indexed_messages_words",
        INDEX,
        "CREATE INDEX ix_indexed_messages_words ON indexed_messages USING gin (words)",
        f"INSERT INTO feed_marks SELECT '{FOLLOWER}', max(xid), max(position) FROM events",  # noqa: S608 - ours
        "VACUUM ANALYZE",
    )
    began = time.monotonic()
    for number, step in enumerate(steps):
        progress(number / len(steps), "search index", began)
        await db.execute(step)
    progress(1, "search index", began)


class Talk:
    """One session and what was said in it."""

    def __init__(self, number: int, pool: list[tuple[str, str]], size: Size) -> None:
        is_longest = number == size.sessions - 1 and size.longest > MESSAGES
        self.name = f"s_{number:020d}"
        self.created = now_ms() - int((1 if is_longest else 1 - number / size.sessions) * DAYS * DAY)
        self.said = [random.randrange(len(pool)) for _ in range(size.longest if is_longest else MESSAGES)]
        self._pause = DAYS * DAY // len(self.said) if is_longest else 45_000
        self._pool = pool
        # What is open began lately.
        self.status = "closed"
        if number > size.sessions - 2_000:
            self.status = random.choice(("pending_manual", "manual_live", "after_hours_email", "bot_active", "closed"))

    def events(self) -> Iterator[tuple[Any, ...]]:
        stream, visitor, agent = (
            f"session/{self.name}",
            '{"kind":"visitor"}',
            '{"kind":"agent","id":"agent_1","name":"Mei"}',
        )
        opened = orjson.dumps({"shop": "demo", "nickname": "访客"}).decode()
        yield stream, 1, "session.opened", "public", visitor, opened, None, self.created
        for place, said in enumerate(self.said):
            role, actor = (("user", visitor), ("agent", agent))[place % 2]
            payload = orjson.dumps({"role": role, "content": self._pool[said][0]}).decode()
            at = self.created + (place + 1) * self._pause
            yield stream, place + 2, "message.posted", "public", actor, payload, f"{said}.{place}", at

    def row(self) -> tuple[Any, ...]:
        text, language = self._pool[self.said[-1]]
        count = len(self.said)
        last = self.created + count * self._pause
        is_live, has_asked = self.status == "manual_live", self.status in {"pending_manual", "manual_live"}
        agent = random.randrange(AGENTS)
        return (
            self.name,
            random.choices(SHOPS, SHOP_WEIGHTS)[0],
            self.status,
            0,
            count + 1,
            language,
            "conv",
            f"visitor_{random.randrange(VISITORS)}",
            f"访客 {random.randrange(16**4):04x}",
            random.random() < 0.03,
            f"agent_{agent}" if is_live else None,
            f"Agent {agent}" if is_live else None,
            "manual" if has_asked else None,
            last - 60_000 if has_asked else None,
            int(has_asked),
            int(has_asked),
            count,
            count // 2,
            0,
            "agent",
            text[:80],
            last,
            count,
            0,
            self.created,
            last,
            last - 30_000 if is_live else None,
        )


def progress(share: float, what: str, began: float) -> None:
    bar = "█" * int(share * 30)
    print(
        f"\r{what:<22} {bar:<30} {share:>4.0%}  {time.monotonic() - began:.0f} s ", end="", file=sys.stderr, flush=True
    )
    if share >= 1:
        print(file=sys.stderr)
