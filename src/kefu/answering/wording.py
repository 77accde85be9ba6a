"""What the bot says in its own words, and how it knows small talk and the wish for a person."""

import re
from collections.abc import Sequence
from typing import Literal

from kefu.answering.ports import Said
from kefu.kit.i18n import Locale, Text
from kefu.supervision.defaults import PERSON

SmallTalk = Literal["hello", "thanks", "bye"]

GREETINGS: dict[SmallTalk, Text] = {
    "hello": {"en": "Hello! What would you like to know?", "zh": "您好！请问有什么可以帮您？"},
    "thanks": {"en": "You're welcome! Is there anything else?", "zh": "不客气！还有其他问题随时告诉我。"},
    "bye": {"en": "Goodbye, and have a good day!", "zh": "再见，祝您生活愉快！"},
}
UNKNOWN: Text = {
    "en": "I'm sorry, our help articles don't answer that. You can rephrase the question, "
    "or use “Talk to a person” to reach a colleague.",
    "zh": "抱歉，帮助文章里没有找到这个问题的答案。您可以换个说法再问一次，也可以点击“转人工”，由同事为您解答。",
}
STILL_UNKNOWN: Text = {
    "en": "I still can't find an answer to that, and I don't want to guess. "
    "Please use “Talk to a person”: a colleague can help you.",
    "zh": "还是没有找到相关内容，我不想随意猜测。建议您点击“转人工”，由同事为您处理。",
}
TO_A_PERSON: Text = {
    "en": "Of course. Please press “Talk to a person” and a colleague will join this conversation.",
    "zh": "好的，请点击“转人工”，同事会接入本次对话。",
}
ONLY_FILES: Text = {
    "en": "Thank you. I can't look at files myself: tell me in words what it is about, "
    "or use “Talk to a person” and a colleague will look at them.",
    "zh": "已收到您发送的文件。我无法查看文件内容，请用文字描述您的问题，或点击“转人工”，由同事为您查看。",
}
NOBODY_HERE: Text = {
    "en": "Our team is not here right now. Use “Talk to a person” to leave your e-mail address, "
    "and a colleague will write to you.",
    "zh": "当前不在人工服务时间。请点击“转人工”留下邮箱，同事上班后会通过邮件回复您。",
}
# When nothing works that could answer.
SORRY: Text = {
    "en": "I'm sorry, I can't look that up at the moment. Please try again in a few minutes, "
    "or use “Talk to a person” to reach a colleague.",
    "zh": "抱歉，我暂时无法查询。请过几分钟再试，或点击“转人工”，由同事为您解答。",
}
# Before a passage that is not in the visitor's language.
FOREIGN: Text = {"en": "We have this only in Chinese so far:", "zh": "目前只有英文资料，原文如下："}

_TALK: dict[SmallTalk, re.Pattern[str]] = {
    "hello": re.compile(
        r"(?:hi|hello|hey|hiya|howdy|hallo|good (?:morning|afternoon|evening|day)|greetings)"
        r"(?: (?:there|all|team|velo|everyone|again))?"
        r"|(?:您|你|大家)好[呀啊哦呢]?|哈[喽啰罗]|嗨|早上好|上午好|中午好|下午好|晚上好|早安?|在吗|在不在|有人吗"
    ),
    "thanks": re.compile(
        r"(?:(?:ok|okay|great|perfect|super|cool|alright|all right),? ?)?(?:many |big )?"
        r"(?:thanks|thank you|thx|ty|cheers|ta|much appreciated)"
        r"(?: (?:a lot|so much|very much|a million|again|for (?:your|the) help|mate|all))*"
        r"|(?:好的?|嗯|行|哦|明白了?|知道了)?[，,]?(?:非常|太|多)?(?:谢谢|感谢|多谢|谢了|谢啦)(?:您|你|啦|了|哦|啊|亲)*"
    ),
    "bye": re.compile(r"(?:good ?)?bye(?: bye)?|see you(?: later)?|再见|拜拜|回头见|回见"),
}
_PERSON = re.compile(PERSON)
_ENDS = " \t\r\n!！.。?？~～…,，、:：;；)）(（😀😊🙂👍🙏❤️"


def _bare(question: str) -> str:
    return " ".join(question.lower().replace("’", "'").split()).strip(_ENDS)


def small_talk(question: str) -> SmallTalk | None:
    """Whether the message is nothing but a greeting, thanks or a farewell."""
    said = _bare(question)
    return next((kind for kind, pattern in _TALK.items() if pattern.fullmatch(said)), None)


def wants_a_person(question: str) -> bool:
    return _PERSON.search(_bare(question)) is not None


def needs_no_knowledge(question: str) -> bool:
    """Whether it is small talk, or the wish for a person, which is answered without looking anything up."""
    return small_talk(question) is not None or wants_a_person(question)


def unknown(locale: Locale, history: Sequence[Said]) -> str:
    """Another wording when the visitor was just told the same."""
    last = next((one.content for one in reversed(history) if one.role == "assistant"), "")
    return (STILL_UNKNOWN if last in UNKNOWN.values() or last in STILL_UNKNOWN.values() else UNKNOWN)[locale]
