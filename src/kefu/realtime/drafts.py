"""The text so far of the answers on their way, for readers who join in the middle of one."""

from dataclasses import asdict, dataclass

import orjson

from kefu.bus.ports import Notice
from kefu.sessions.models import stream_of
from kefu.sessions.since import Head
from kefu.sessions.states import Status


@dataclass(slots=True)
class Draft:
    """`reply_to`: the seq of the message that it answers."""

    draft_id: str
    reply_to: int
    text: str = ""


class Drafts:
    """Kept whether anybody follows or not: a visitor who loads the page again is nobody's follower for a moment."""

    def __init__(self) -> None:
        self._running: dict[str, Draft] = {}

    def hear(self, notice: Notice) -> None:
        """Every notice of the bus."""
        if notice.type == "answer.delta":
            self._grow(notice)
        elif draft := self._running.get(notice.stream):
            is_over = notice.seq > draft.reply_to and notice.type != "answer.evidenced"
            if is_over or (notice.type == "answer.dropped" and orjson.loads(notice.data)["draft_id"] == draft.draft_id):
                del self._running[notice.stream]

    def _grow(self, notice: Notice) -> None:
        """A draft of which the bus lost a piece stays as it is: no words that do not follow each other."""
        delta = orjson.loads(notice.data)
        draft = self._running.get(notice.stream)
        if delta["offset"] == 0:
            draft = self._running[notice.stream] = Draft(delta["draft_id"], delta["reply_to"])
        if draft is not None and draft.draft_id == delta["draft_id"] and delta["offset"] <= len(draft.text):
            draft.text = draft.text[: delta["offset"]] + delta["text"]

    def of(self, session: Head) -> dict[str, object] | None:
        """The running answer to the session's newest message, as the facts of one delta from offset 0."""
        draft = self._running.get(stream_of(session.name))
        if draft is None or session.status != Status.BOT_ACTIVE:
            return None
        if draft.reply_to <= session.answered_seq or draft.reply_to < session.last_visitor_seq:
            return None
        return {**asdict(draft), "offset": 0}
