"""Whom the bot stops searching for: who asks on and on what the knowledge does not say.

The rule: when its last ten replies in a conversation, all within ten minutes, found nothing, it asks neither the
knowledge nor a model again, and offers a person instead. Its refusals count as such replies, so who asks on is refused
on; who pauses until fewer than ten were in ten minutes is answered again, and so is who was served by a person since.
"""

from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta
from hashlib import sha256

from kefu.answering.ports import Answer, Delta, Evidence, Turn
from kefu.kit.i18n import Text
from kefu.log.log import Entry

IN_A_ROW = 10
WITHIN = timedelta(minutes=10)
OFFER: Text = {
    "en": "I have looked many times and found nothing, so I will stop searching for a while. "
    "Please use “Talk to a person”: a colleague can help you.",
    "zh": "我已经查找了很多次，都没有找到相关内容，暂时不再继续查找。请点击“转人工”，由同事为您处理。",
}


def is_off_topic(said: Sequence[Entry], now: int) -> bool:
    """`said`: the newest messages, oldest first; `now` in milliseconds."""
    replies = [one for one in said if one.facts["role"] in {"assistant", "agent"}][-IN_A_ROW:]
    if len(replies) < IN_A_ROW or now - replies[0].at > WITHIN.total_seconds() * 1000:
        return False
    return all(one.facts["role"] == "assistant" and not one.facts["answered"] for one in replies)


class Offer:
    """The answerer that says `text` and so offers a person, whatever is asked. `why`: for the evidence."""

    def __init__(self, text: Text, why: str) -> None:
        self._text, self._why = text, why

    async def answer(self, turn: Turn) -> AsyncGenerator[Delta | Answer]:
        text = self._text[turn.locale]
        yield Delta(text)
        evidence = Evidence(
            provider="builtin",
            model=self._why,
            knowledge_version=0,
            passages=(),
            prompt_hash=sha256(turn.question.encode()).hexdigest(),
            tokens=0,
            cost=0.0,
            latency_ms=0,
            answered=False,
        )
        yield Answer(text, answered=False, sources=(), evidence=evidence)
