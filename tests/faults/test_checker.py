"""The checker of the fault tests sees what it is there to see: each fault, planted in a sound log, is named."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from faults.checker import Ack, Found, Race, Seen, violations
from kefu.log.log import BOT, SYSTEM, VISITOR, Actor, Entry, Fact, entry
from kefu.sessions.fold import fold_all
from kefu.sessions.models import stream_of

NAME = "s-1"
MEI = Actor("agent", "a-1", "Mei")


def said(role: str, content: str, own: str) -> Fact:
    actor = VISITOR if role == "user" else MEI
    return Fact("message.posted", actor, {"role": role, "content": content}, client_msg_id=own)


def answer(reply_to: int, draft: str) -> tuple[Fact, Fact]:
    facts = {"role": "assistant", "content": "Yes.", "answered": True, "draft_id": draft, "reply_to": reply_to}
    evidence = {"draft_id": draft, "reply_to": reply_to}
    return Fact("message.posted", BOT, facts), Fact("answer.evidenced", BOT, evidence, audience="internal")


def moved(type_: str, came_from: str, to: str, epoch: int, **facts: object) -> Fact:
    return Fact(type_, MEI, {**facts, "from": came_from, "to": to, "epoch": epoch})


FACTS = (
    Fact("session.opened", VISITOR, {"shop": "x", "locale": "en", "conversation_id": "c", "nickname": "Visitor 1"}),
    said("user", "Is it waterproof?", "v-1"),  # 2
    *answer(2, "d-1"),
    moved("session.taken_over", "bot_active", "manual_live", 1, agent={"id": "a-1", "name": "Mei"}),  # 5
    said("user", "Are you there?", "v-2"),
    said("agent", "I am.", "a-1"),
    said("user", "Good.", "v-3"),
    moved("session.released", "manual_live", "bot_active", 2, reason="resolved"),  # 9
    said("user", "And the battery?", "v-4"),  # 10
    *answer(10, "d-2"),
)


def log_of(*facts: Fact) -> list[Entry]:
    return [entry(stream_of(NAME), seq, fact, 1_000 + seq) for seq, fact in enumerate(facts, 1)]


def found_in(log: list[Entry]) -> Found:
    """What everybody would have seen of this log: no fault but those inside it."""
    acks = [
        Ack(NAME, one.facts["role"], one.client_msg_id, one.facts["content"], one.seq)
        for one in log
        if one.type == "message.posted" and one.client_msg_id
    ]
    visitor, agent = Seen(NAME, sees_internal=False), Seen(NAME, sees_internal=True)
    for one in log:
        agent.events.append(one.shown)
        if one.audience == "public":
            visitor.events.append(one.shown)
    return Found(acks, {NAME: fold_all(NAME, log)}, {NAME: log}, [visitor, agent])


def sound() -> Found:
    return found_in(log_of(*FACTS))


def test_a_sound_log_has_no_violations() -> None:
    assert violations(sound()) == []


def test_a_message_whose_sender_gave_up_may_be_stored() -> None:
    found = unknown_sender()
    found.shouted = {(NAME, "v-2"), (NAME, "v-never-came")}
    assert violations(found) == []


def test_one_winner_who_is_in_the_log_is_right() -> None:
    assert violations(raced({"a-1": 1, "a-2": 0})) == []


def raced(epochs: dict[str, int]) -> Found:
    return replace(sound(), races=[Race(NAME, epochs)])


def fed() -> Found:
    found = sound()
    found.feed = [{**one.shown, "stream": one.stream, "audience": one.audience} for one in reversed(found.logs[NAME])]
    return found


def test_a_feed_may_come_in_another_order() -> None:
    assert violations(fed()) == []


def feed_missed() -> Found:
    found = fed()
    found.feed = [event for event in found.feed or () if event["seq"] != 4]
    return found


def feed_had_twice() -> Found:
    found = fed()
    found.feed = [*(found.feed or ()), *(found.feed or ())[:1]]
    return found


def feed_had_other_words() -> Found:
    found = fed()
    found.feed = [{**event, "content": "…"} for event in found.feed or ()]
    return found


def feed_invented() -> Found:
    found = fed()
    found.feed = [*(found.feed or ()), {**found.logs[NAME][0].shown, "stream": stream_of(NAME), "seq": 99}]
    return found


PACKET = Fact("handoff.packet", SYSTEM, {"episode": 1}, "internal", "packet/1")


def packed(*before: Fact) -> Found:
    """With a handoff packet after `before`."""
    return found_in(log_of(*before, PACKET))


def test_a_packet_for_who_waits_has_no_sender() -> None:
    assert violations(packed(*FACTS[:5])) == []


def packed_for_nobody() -> Found:
    return packed(*FACTS)


def packed_twice() -> Found:
    return packed(*FACTS[:5], PACKET)


def two_winners() -> Found:
    return raced({"a-1": 1, "a-2": 1})


def no_winner() -> Found:
    return raced({"a-1": 0, "a-2": 0})


def wrong_winner() -> Found:
    return raced({"a-1": 0, "a-2": 1})


def won_what_never_was() -> Found:
    return raced({"a-1": 7, "a-2": 0})


def shouted_twice() -> Found:
    found = stored_twice()
    found.shouted = {(NAME, "v-4")}
    return found


def gap() -> Found:
    return found_in([replace(one, seq=one.seq + (one.seq > 7)) for one in log_of(*FACTS)])


def stored_twice() -> Found:
    return found_in(log_of(*FACTS, said("user", "And the battery?", "v-4"), *answer(13, "d-3")))


def lost() -> Found:
    facts = [fact for fact in FACTS if fact.client_msg_id != "v-3"]
    return Found(sound().acks, {}, {NAME: log_of(*facts)}, [])


def lost_with_its_place() -> Found:
    found = sound()
    found.logs[NAME] = [one for one in found.logs[NAME] if one.client_msg_id != "v-3"]
    return found


def stored_elsewhere() -> Found:
    found = sound()
    found.acks[-1] = replace(found.acks[-1], seq=9)
    return found


def told_twice() -> Found:
    found = sound()
    found.acks.append(replace(found.acks[-1], seq=11))
    return found


def other_words() -> Found:
    found = sound()
    found.acks[0] = replace(found.acks[0], content="Is it fast?")
    return found


def unknown_sender() -> Found:
    found = sound()
    found.acks = [ack for ack in found.acks if ack.client_msg_id != "v-2"]
    return found


def senders_order_lost() -> Found:
    found = sound()
    found.acks[0], found.acks[1] = found.acks[1], found.acks[0]
    return found


def bot_after_takeover() -> Found:
    late = (*FACTS[:2], FACTS[4], *answer(2, "d-1"))
    return found_in(log_of(*late))


def answered_twice() -> Found:
    return found_in(log_of(*FACTS, *answer(10, "d-3")))


def unanswered() -> Found:
    return found_in(log_of(*FACTS[:10]))


def nobody_asked() -> Found:
    return found_in(log_of(*FACTS, *answer(7, "d-3")))


def no_evidence() -> Found:
    return found_in(log_of(*FACTS[:11]))


def row_behind_its_log() -> Found:
    found = sound()
    found.sessions[NAME].message_count -= 1
    return found


def job_left() -> Found:
    return replace(sound(), jobs=1)


def follower_missed() -> Found:
    found = sound()
    del found.seen[0].events[3]
    return found


def follower_saw_twice() -> Found:
    found = sound()
    found.seen[0].events.insert(3, found.seen[0].events[2])
    return found


def follower_out_of_order() -> Found:
    found = sound()
    events = found.seen[1].events
    events[3], events[4] = events[4], events[3]
    return found


def visitor_saw_internal() -> Found:
    found = sound()
    found.seen[0].events[:] = found.seen[1].events
    return found


def follower_saw_other_words() -> Found:
    found = sound()
    found.seen[0].events[1] = {**found.seen[0].events[1], "content": "…"}
    return found


PLANTED: dict[Callable[[], Found], str] = {
    gap: "the seqs are not 1 to 12: 9 follows 7",
    stored_twice: "v-4 is stored 2 times",
    lost: "v-3 was acknowledged and is lost",
    lost_with_its_place: "the seqs are not 1 to 11: 9 follows 7",
    stored_elsewhere: "v-4 was acknowledged at 9 and stands at 10",
    told_twice: "v-4 was acknowledged at 11 and stands at 10",
    other_words: "v-1 does not say what was sent",
    unknown_sender: "v-2 is stored and nobody was told",
    senders_order_lost: "v-1 stands before what user wrote earlier",
    bot_after_takeover: "the bot wrote 4 while the session was manual_live",
    answered_twice: "10 was answered 2 times",
    unanswered: "10 was never answered",
    nobody_asked: "an answer to 7, which nobody asked",
    no_evidence: "draft d-2 and its evidence do not match",
    row_behind_its_log: "the row says message_count = 6, its log 7",
    job_left: "1 jobs are left",
    packed_for_nobody: "the packet 13 was written while the session was bot_active",
    packed_twice: "packet/1 is stored 2 times",
    two_winners: "2 of 2 agents won",
    no_winner: "0 of 2 agents won",
    wrong_winner: "a-2 was told of winning epoch 1, which a-1 took",
    won_what_never_was: "a-1 was told of winning epoch 7, which nobody took",
    feed_missed: "the feed never had ('session/s-1', 4)",
    feed_had_twice: "the feed had ('session/s-1', 12) 2 times",
    feed_had_other_words: "the feed has other content at ('session/s-1', 2)",
    feed_invented: "the feed had ('session/s-1', 99), which is nowhere",
    shouted_twice: "v-4 is stored 2 times",
    follower_missed: "a follower never saw 5",
    follower_saw_twice: "a follower saw 3 2 times",
    follower_out_of_order: "a follower saw events out of order",
    visitor_saw_internal: "a follower saw 4, which is not for them",
    follower_saw_other_words: "a follower saw other content than is stored",
}


@pytest.mark.parametrize("plant", PLANTED, ids=lambda plant: plant.__name__)
def test_a_planted_fault_is_named(plant: Callable[[], Found]) -> None:
    assert any(PLANTED[plant] in one for one in violations(plant())), violations(plant())
