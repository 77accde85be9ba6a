"""What must hold after any fault: the log equals what was acknowledged, for everybody who looked.

`violations` knows nothing of servers and clients. It is given what the clients were told, what the database holds and
what the followers saw, and says what does not fit.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from kefu.log.log import Entry
from kefu.sessions.fold import fold_all
from kefu.sessions.models import Session
from kefu.sessions.states import Status

COLUMNS = tuple(column.key for column in Session.__table__.columns)


@dataclass(frozen=True)
class Ack:
    """A sender was told that this message stands at `seq`. The sender waited for it before writing the next one."""

    session: str
    sender: str
    client_msg_id: str
    content: str
    seq: int


@dataclass(frozen=True)
class Seen:
    """What one follower received, in its order: the objects of all log events, over all its connections."""

    session: str
    sees_internal: bool
    events: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Race:
    """Agents who clicked at once to take a session over: the epoch that began for who won, 0 for who was refused."""

    session: str
    epochs: dict[str, int]

    @property
    def winners(self) -> list[str]:
        return [agent for agent, epoch in self.epochs.items() if epoch]


@dataclass
class Found:
    """`sessions` and `logs` by the session's name; `jobs`: how many are left.

    `shouted`: messages whose sender gave up, by session and client_msg_id; they may be stored, once, or not. `feed`:
    what a reader of the whole log got over all its pages, None when there was none.
    """

    acks: list[Ack]
    sessions: dict[str, Session]
    logs: dict[str, list[Entry]]
    seen: list[Seen]
    jobs: int = 0
    shouted: set[tuple[str, str]] = field(default_factory=set)
    races: list[Race] = field(default_factory=list)
    feed: list[dict[str, Any]] | None = None


def violations(found: Found) -> list[str]:
    """Everything that is wrong; an empty list when nothing was lost, doubled, reordered or said out of turn."""
    wrong = [*_wrong_acks(found), *_wrong_races(found.races, found.logs)]
    for name, log in found.logs.items():
        wrong += [f"{name}: {what}" for what in (*_wrong_places(log), *_wrong_turns(log))]
    for name, session in found.sessions.items():
        wrong += [f"{name}: {what}" for what in _wrong_row(session, found.logs.get(name, []))]
    for seen in found.seen:
        wrong += [f"{seen.session}: a follower {what}" for what in _wrong_view(seen, found.logs[seen.session])]
    if found.feed is not None:
        wrong += [f"the feed {what}" for what in _wrong_feed(found.feed, found.logs)]
    if found.jobs:
        wrong.append(f"{found.jobs} jobs are left")
    return wrong


def _wrong_acks(found: Found) -> Iterator[str]:
    stored = {(name, one.client_msg_id): one for name, log in found.logs.items() for one in log if _has_sender(one)}
    told: dict[tuple[str, str], int] = {}
    newest: dict[tuple[str, str], int] = {}
    for ack in found.acks:
        what = f"{ack.session}: {ack.client_msg_id}"
        one = stored.get((ack.session, ack.client_msg_id))
        if one is None:
            yield f"{what} was acknowledged and is lost"
        elif one.seq != ack.seq:
            yield f"{what} was acknowledged at {ack.seq} and stands at {one.seq}"
        elif one.facts["content"] != ack.content:
            yield f"{what} does not say what was sent"
        if (ack.session, ack.client_msg_id) in told:
            continue
        told[ack.session, ack.client_msg_id] = ack.seq
        if ack.seq < newest.get((ack.session, ack.sender), 0):
            yield f"{what} stands before what {ack.sender} wrote earlier"
        newest[ack.session, ack.sender] = ack.seq
    for name, own in sorted(set(stored) - set(told) - found.shouted):
        yield f"{name}: {own} is stored and nobody was told"


def _has_sender(one: Entry) -> bool:
    """What the service writes by itself, once, has a slash in its key, which no sender may use."""
    return one.client_msg_id is not None and "/" not in one.client_msg_id


def _wrong_races(races: Sequence[Race], logs: dict[str, list[Entry]]) -> Iterator[str]:
    """Exactly one wins, and the log says the same."""
    takers = {
        (name, one.facts["epoch"]): one.facts["agent"]["id"]
        for name, log in logs.items()
        for one in log
        if one.type == "session.taken_over"
    }
    for race in races:
        if len(race.winners) != 1:
            yield f"{race.session}: {len(race.winners)} of {len(race.epochs)} agents won"
        for winner in race.winners:
            epoch = race.epochs[winner]
            taker = takers.get((race.session, epoch), "nobody")
            if taker != winner:
                yield f"{race.session}: {winner} was told of winning epoch {epoch}, which {taker} took"


def _wrong_places(log: Sequence[Entry]) -> Iterator[str]:
    seqs = [one.seq for one in log]
    if seqs != list(range(1, len(seqs) + 1)):
        yield f"the seqs are not 1 to {len(seqs)}: {_first_break(seqs)}"
    for own, count in Counter(one.client_msg_id for one in log if one.client_msg_id).items():
        if count > 1:
            yield f"{own} is stored {count} times"


def _first_break(seqs: Sequence[int]) -> str:
    for before, after in pairwise([0, *seqs]):
        if after != before + 1:
            return f"{after} follows {before}"
    return "none"


def _wrong_turns(log: Sequence[Entry]) -> Iterator[str]:
    """The bot speaks only while it is active, answers each question once, and leaves none unanswered.

    A packet is for who waits for a person or has one.
    """
    status, owed = Status.BOT_ACTIVE, 0
    asked: set[int] = set()
    answered: Counter[int] = Counter()
    drafts: Counter[str] = Counter()
    for one in log:
        facts = one.facts
        if one.type.startswith("session.") and "to" in facts:
            status, owed = Status(facts["to"]), 0
        elif one.type == "handoff.packet" and status in {Status.BOT_ACTIVE, Status.CLOSED}:
            yield f"the packet {one.seq} was written while the session was {status}"
        elif one.type == "answer.evidenced":
            drafts[facts["draft_id"]] -= 1
        elif one.type == "message.posted" and facts["role"] == "user":
            asked.add(one.seq)
            owed = one.seq if status == Status.BOT_ACTIVE else 0
        elif one.type == "message.posted" and facts["role"] == "assistant":
            answered[facts["reply_to"]] += 1
            drafts[facts["draft_id"]] += 1
            owed = 0 if facts["reply_to"] == owed else owed
            if status != Status.BOT_ACTIVE:
                yield f"the bot wrote {one.seq} while the session was {status}"
    yield from (f"{seq} was answered {count} times" for seq, count in answered.items() if count > 1)
    yield from (f"an answer to {seq}, which nobody asked" for seq in sorted(set(answered) - asked))
    yield from (f"draft {draft} and its evidence do not match" for draft, count in drafts.items() if count)
    if owed:
        yield f"{owed} was never answered"


def _wrong_row(session: Session, log: Sequence[Entry]) -> Iterator[str]:
    folded = fold_all(session.name, log)
    for column in COLUMNS:
        stands, should = getattr(session, column), getattr(folded, column)
        if stands != should:
            yield f"the row says {column} = {stands!r}, its log {should!r}"


def _wrong_view(seen: Seen, log: Sequence[Entry]) -> Iterator[str]:
    should = [one.shown for one in log if seen.sees_internal or one.audience == "public"]
    if seen.events == should:
        return
    seqs, wanted = [event["seq"] for event in seen.events], [event["seq"] for event in should]
    counted = Counter(seqs)
    yield from (f"saw {seq} {count} times" for seq, count in counted.items() if count > 1)
    yield from (f"never saw {seq}" for seq in wanted if seq not in counted)
    yield from (f"saw {seq}, which is not for them" for seq in counted if seq not in set(wanted))
    if seqs != sorted(seqs):
        yield "saw events out of order"
    if seqs == wanted:
        yield "saw other content than is stored"


def _wrong_feed(feed: Sequence[dict[str, Any]], logs: dict[str, list[Entry]]) -> Iterator[str]:
    """In any order; each event once, as it is stored."""
    should = {(one.stream, one.seq): one for log in logs.values() for one in log}
    streams = {stream for stream, _ in should}
    counted: Counter[tuple[str, int]] = Counter()
    for event in feed:
        place = event["stream"], event["seq"]
        counted[place] += event["stream"] in streams
        one = should.get(place)
        if one is not None and not (one.shown.items() <= event.items()):
            yield f"has other content at {place}"
    yield from (f"never had {place}" for place in should if not counted[place])
    yield from (f"had {place} {count} times" for place, count in counted.items() if count > 1)
    yield from (f"had {place}, which is nowhere" for place, count in counted.items() if count and place not in should)
