"""Puts words another way: politer, briefer, warmer, in another language, or a whole conversation in a few lines."""

from collections.abc import Sequence
from typing import Literal

from kefu.ai.ports import ModelOf, ProviderFailed
from kefu.assisting.asking import NoModel, Told, ask_of, told
from kefu.assisting.handover import LANGUAGES, transcript
from kefu.assisting.packet import by_rules
from kefu.kit.i18n import Locale, Text
from kefu.log.log import Entry
from kefu.sessions.models import Session

Style = Literal["polite", "brief", "empathetic"]
STYLES: dict[Style, str] = {
    "polite": "more polite",
    "brief": "as brief as it can be without losing a fact",
    "empathetic": "warmer: show that the customer's trouble is understood",
}
SECONDS = 15.0
ONLY_TEXT = "Answer with the text alone. Keep its language, facts, numbers, names and links."
SUMMARY: dict[Locale, str] = {
    "en": "The customer: {wants}\nThe bot answered {tried} times, {answered} of them from the knowledge.\nNext: {next}",
    "zh": "客户：{wants}\n机器人共回答 {tried} 次，其中 {answered} 次有知识依据。\n下一步：{next}",
}
NOTHING: Text = {"en": "The customer has not said anything yet.", "zh": "客户尚未发言。"}


async def rewrite(model_of: ModelOf | None, session: Session, text: str, style: Style) -> Told:
    """Raises NoModel, ProviderFailed."""
    return await _say(
        model_of, session, f"Rewrite the text so that it is {STYLES[style]}. {ONLY_TEXT}", text, "rewrite"
    )


async def translate(model_of: ModelOf | None, session: Session, text: str, to: Locale) -> Told:
    """Raises NoModel, ProviderFailed."""
    order = (
        f"Translate the text into {LANGUAGES[to]}. Answer with the translation alone; keep numbers, names and links."
    )
    return await _say(model_of, session, order, text, "translate")


async def summary(model_of: ModelOf | None, session: Session, entries: Sequence[Entry], to: Locale) -> Told:
    """By a model where one answers in time, otherwise by rules: then `model` is empty."""
    order = (
        f"Sum the conversation up in at most four short lines, in {LANGUAGES[to]}: "
        "the matter, what was done, what is open."
    )
    try:
        return await _say(model_of, session, order, transcript(entries), "summary")
    except (NoModel, ProviderFailed):
        packet = by_rules(entries, session.episode, "", to)
        if not packet.wants:
            return Told(NOTHING[to], "")
        answered = sum(one.answered for one in packet.tried)
        facts = {"wants": packet.wants, "tried": len(packet.tried), "answered": answered, "next": packet.next_step.text}
        return Told(SUMMARY[to].format_map(facts), "")


async def _say(model_of: ModelOf | None, session: Session, order: str, text: str, purpose: str) -> Told:
    """Contact details in a reply that is to be sent stay as they are: the agent's words are not the visitor's."""
    said = await told(model_of, session.shop, ask_of(order, text, session.name, purpose, wants_json=False), SECONDS)
    if not said.text:
        raise ProviderFailed(provider=said.model, reason="empty", retry_after=5)
    return said
