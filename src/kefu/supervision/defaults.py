"""What watches before a team has published anything: version 0."""

from kefu.supervision.policies import FailLoop, Keyword, Names, Policy, Regex, TopicRule, Vip

DAY = 24 * 60
# Who says this wants a person. RE2 and Python read it alike; what the bot says to it where no policy brings a person
# is in `answering.wording`.
PERSON = (
    r"\b(?:talk|speak|chat|connect(?: me)?|put me through|transfer(?: me)?|switch|hand(?: me)? over)\b"
    r".{0,12}\b(?:to|with)\b.{0,24}"
    r"\b(?:human|person|people|agent|someone|somebody|operator|representative|rep|staff|member of)\b"
    r"|\b(?:need|want|get me|give me|is there) (?:an? )?(?:real |actual |live )?(?:human|person|agent|operator)\b"
    r"|\b(?:real|live|actual) (?:human|person|agent)\b|\bhuman agent\b"
    r"|^(?:human|agent|operator|representative)[!.?\s]*$"
    r"|转(?:接|到)?(?:人工|真人)|(?:接|找|要|叫|换|有)(?:个|一下|一个)?(?:人工|真人)|人工(?:客服|服务|坐席)|真人客服|^人工[!！.。?？~～\s]*$|活人"
)


def _called(en: str, zh: str) -> Names:
    return Names(en=en, zh=zh)


DEFAULTS: tuple[Policy, ...] = (
    Policy(
        id="pol_vip",
        name=_called("VIP", "VIP 客户"),
        rule=Vip(kind="vip"),
        severity="high",
        priority=1,
        cooldown_minutes=DAY,
    ),
    Policy(
        id="pol_person",
        name=_called("Asks for a person", "要求人工"),
        rule=Regex(kind="regex", pattern=PERSON),
        severity="high",
        priority=2,
    ),
    Policy(
        id="pol_keywords",
        name=_called("Words for a person", "人工关键词"),
        rule=Keyword(
            kind="keyword",
            words=[
                *("人工", "真人", "客服", "经理", "负责人", "管事的", "跟机器"),
                *("human agent", "real person", "customer service agent", "your manager", "to a robot", "to a bot"),
            ],
        ),
        severity="high",
        priority=3,
    ),
    Policy(
        id="pol_complaint",
        name=_called("Complains, or is not helped", "投诉或无法解决"),
        rule=Keyword(
            kind="keyword",
            words=[
                "投诉",
                "转人工",
                "接人工",
                "无法解决",
                "complaint",
                "complain",
                "complaining",
                "does not solve",
                "doesn't solve",
                "can't be solved",
                "cannot be solved",
            ],
            match="inside",
        ),
        severity="high",
        priority=4,
    ),
    Policy(
        id="pol_topics",
        name=_called("Danger, law, press", "安全、法律与媒体"),
        rule=TopicRule(kind="topic", topics=["safety", "self_harm", "legal", "press"]),
        severity="high",
        priority=5,
    ),
    Policy(
        id="pol_fail_loop",
        name=_called("The bot is at a loss", "智能客服多次未能解答"),
        rule=FailLoop(
            kind="fail_loop",
            in_a_row=3,
            apologies=[
                "抱歉",
                "不清楚",
                "无法回答",
                "不能确定",
                "I'm sorry",
                "I am sorry",
                "I don't know",
                "I'm not sure",
                "I can't answer",
                "I cannot answer",
            ],
        ),
        severity="low",
        priority=6,
    ),
)
