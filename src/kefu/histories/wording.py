"""The words of transcripts, in both languages."""

from collections.abc import Mapping
from dataclasses import dataclass

import orjson

from kefu.kit.i18n import Locale
from kefu.log.log import Entry


@dataclass(frozen=True, slots=True)
class Words:
    """`moves`: by the type of the event; what is not named there is not told to a reader."""

    title: str
    shop: str
    session: str
    visitor: str
    agent: str
    system: str
    internal: str
    moves: Mapping[str, str]


EN = Words(
    title="Conversation transcript",
    shop="Shop",
    session="Conversation",
    visitor="Visitor",
    agent="Agent",
    system="System",
    internal="Internal",
    moves={
        "session.opened": "The conversation began",
        "session.escalated": "An agent was asked for",
        "session.taken_over": "{agent} joined the conversation",
        "session.transferred": "{agent} took over the conversation",
        "session.agent_lost": "The agent left; another one is called",
        "session.released": "The agent left; the assistant is back",
        "session.returned": "No agent was free; the assistant is back",
        "session.deferred": "The team answers by e-mail",
        "session.closed": "The conversation ended",
        "session.reopened": "The conversation was opened again",
        "session.merged": "An earlier conversation was added",
        "session.merged_into": "The conversation goes on in another one",
        "session.split_from": "The conversation goes on here",
        "session.split_off": "A part goes on in another conversation",
    },
)
ZH = Words(
    title="会话记录",
    shop="店铺",
    session="会话",
    visitor="访客",
    agent="人工客服",
    system="系统",
    internal="内部",
    moves={
        "session.opened": "会话开始",
        "session.escalated": "已请求人工客服",
        "session.taken_over": "{agent} 已接入会话",
        "session.transferred": "会话已转接给 {agent}",
        "session.agent_lost": "客服已离开，正在呼叫其他客服",
        "session.released": "客服已离开，AI 助手继续服务",
        "session.returned": "暂无客服接入，AI 助手继续服务",
        "session.deferred": "团队将通过邮件回复",
        "session.closed": "会话已结束",
        "session.reopened": "会话重新开启",
        "session.merged": "已并入另一段会话",
        "session.merged_into": "会话在另一个会话中继续",
        "session.split_from": "会话在此继续",
        "session.split_off": "部分内容在另一个会话中继续",
    },
)
WORDS: dict[Locale, Words] = {"en": EN, "zh": ZH}


def line_of_move(words: Words, entry: Entry) -> str:
    """What happened, for people; empty for an event that has no words."""
    text = words.moves.get(entry.type, "")
    agent = entry.facts.get("agent") or orjson.loads(entry.actor)
    return text.replace("{agent}", str(agent.get("name") or words.agent)) if text else ""
