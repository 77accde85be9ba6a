"""Which draft a late joiner is shown."""

from dataclasses import replace
from typing import Any

import pytest

from kefu.bus.ports import Notice
from kefu.realtime.drafts import Drafts
from kefu.realtime.hub import ephemeral
from kefu.sessions.since import Head
from kefu.sessions.states import Status

STREAM = "session/s"


HEAD = Head("s", 4, 0, Status.BOT_ACTIVE, "default", last_visitor_seq=4, answered_seq=2, escalated_at=None)


def session(**changes: Any) -> Head:
    """One whose message 4 waits for the bot."""
    return replace(HEAD, **changes)


def delta(offset: int, text: str, draft_id: str = "d_1", reply_to: int = 4) -> Notice:
    return ephemeral(STREAM, "answer.delta", draft_id=draft_id, reply_to=reply_to, offset=offset, text=text)


def logged(seq: int, type_: str) -> Notice:
    return Notice(STREAM, seq, b"{}", public=True, type=type_)


@pytest.fixture
def drafts() -> Drafts:
    drafts = Drafts()
    drafts.hear(delta(0, "Yes, "))
    drafts.hear(delta(5, "it is."))
    return drafts


def test_it_is_whole_and_begins_at_offset_0(drafts: Drafts) -> None:
    assert drafts.of(session()) == {"draft_id": "d_1", "reply_to": 4, "text": "Yes, it is.", "offset": 0}


def test_what_follows_a_lost_piece_is_not_put_where_it_does_not_belong(drafts: Drafts) -> None:
    drafts.hear(delta(20, "not"))
    assert drafts.of(session()) == {"draft_id": "d_1", "reply_to": 4, "text": "Yes, it is.", "offset": 0}


def test_its_own_question_heard_late_does_not_end_it(drafts: Drafts) -> None:
    drafts.hear(logged(4, "message.posted"))
    assert drafts.of(session()) is not None


@pytest.mark.parametrize("type_", ["message.posted", "session.taken_over", "session.escalated"])
def test_what_happens_next_ends_it(drafts: Drafts, type_: str) -> None:
    drafts.hear(logged(5, type_))
    assert drafts.of(session()) is None


def test_only_its_own_end_drops_it(drafts: Drafts) -> None:
    drafts.hear(ephemeral(STREAM, "answer.dropped", draft_id="d_0"))
    assert drafts.of(session()) is not None
    drafts.hear(ephemeral(STREAM, "answer.dropped", draft_id="d_1"))
    assert drafts.of(session()) is None


def test_the_middle_of_another_one_is_not_shown(drafts: Drafts) -> None:
    drafts.hear(delta(7, "late", draft_id="d_2"))
    assert drafts.of(session()) == {"draft_id": "d_1", "reply_to": 4, "text": "Yes, it is.", "offset": 0}
    other = Drafts()
    other.hear(delta(7, "late"))
    assert other.of(session()) is None


@pytest.mark.parametrize(
    "changes", [{"answered_seq": 4}, {"last_visitor_seq": 6}, {"status": Status.MANUAL_LIVE}, {"status": Status.CLOSED}]
)
def test_one_that_nobody_awaits_any_more_is_not_shown(drafts: Drafts, changes: dict[str, Any]) -> None:
    assert drafts.of(session(**changes)) is None
