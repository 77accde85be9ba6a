"""What watches before a team has published anything: version 0."""

from kefu.supervision.policies import FailLoop, Keyword, Names, Policy, Regex, TopicRule, Vip

DAY = 24 * 60
# Who says this wants a person. RE2 and Python read it alike; what the bot says to it where no policy brings a person
# is in `answering.wording`.
PERSON = (
    r"\b(?:talk(?:ing)?|speak(?:ing)?|chat|connect(?: me)?|put me (?:through|on)|transfer(?: me)?|switch"
    r"|pass me(?: on)?|hand(?: me)? over|get through)\b.{0,12}\b(?:to|with)\b.{0,24}"
    r"\b(?:humans?|person|people|agent|some(?:one|body)|any(?:one|body)|operator|representative|rep|staff|member of"
    r"|advis[eo]r|colleagues?|customer (?:services?|support)|whoever)\b"
    r"|\b(?:need|want|like|prefer|get me|give me|is there) (?:an? )?(?:real |actual |live )?"
    r"(?:human|person|agent|operator)\b"
    r"|\b(?:real|live|actual) (?:human|person|agent|people)\b|\bhuman (?:agent|being|please|help|support)\b"
    r"|^(?:human|agent|operator|representative|customer services?)(?: please)?[!.?\s]*$"
    r"|\b(?:some(?:one|body)|any(?:one|body)|a person) on the (?:phone|line)\b|\bhumans (?:work|there|here|left)\w*"
    r"|转(?:接|到)?(?:人工|真人)|(?:接|找|要|叫|换|有)(?:个|一下|一个)?(?:人工|真人)|人工(?:客服|服务|坐席)|真人客服"
    r"|^人工[!！.。?？~～\s]*$|活人|[换派](?:个|一个)人|[我想]要?[和跟]真?人(?:说|聊|谈)|[给帮]我找个人"
    r"|你们的?人(?:说话|聊|谈|沟通|联系)"
)
# Who wants to be rung, has had enough of the bot, or goes over its head.
BEYOND_THE_BOT = (
    r"\b(?:can|could|would|have|get|want|need|ask) (?:some(?:one|body)|any(?:one|body)|you|a person|your \w+)"
    r"(?: please)?(?: to)? (?:call|ring|phone) me\b"
    r"|\b(?:call|ring|phone) me back\b|\bcall ?back\b|\bgive me a (?:call|ring)\b"
    r"|(?:n't|\b(?:not|no|stop|instead of|rather than|sick of|tired of|fed up with|enough of|hate|useless|stupid))\b"
    r".{0,24}\b(?:chat ?)?(?:ro)?bots?\b"
    r"|\bbot\b.{0,12}\b(?:useless|stupid|hopeless|no (?:help|use|good)|joke|rubbish)\b"
    r"|\b(?:your|the|a) (?:manager|supervisor|superior|team leader|boss|director|ceo)\b|\bin charge\b|\bescalate\b"
    r"|\bsome(?:one|body) (?:real|human|senior|higher|competent|who (?:can|knows|understands|will)"
    r"|to (?:look|call|deal|sort))\b|\bcolleagues?\b.{0,12}\b(?:take over|step in|help)\b"
    r"|回(?:我|个|一个)*电话|(?:请|你们|能不能|可不可以|让人|派人|安排人)给我打(?:个|一个)?电话"
    r"|(?:找|叫|让|换|见|联系)(?:你们?|个|一个|一位|的)*(?:领导|主管|老板|店长|上级)"
    r"|别拿机器|不[想要愿]意?[和跟同与].{0,4}机器|机器人?.{0,6}(?:没用|听不懂|太笨|太蠢|智障)|有没有人管|没人管"
)
BODY = (
    r"(?:arms?|legs?|wrists?|ankles?|knees?|elbows?|shoulders?|collar ?bone|hands?|fingers?|foot|feet|head|face|nose"
    r"|jaw|teeth|ribs?|bones?)"
)
WOUNDED = r"(?:broken?|fractured|hurt|injured|cut|burnt|burned|sprained|twisted|smashed|bruised|crushed|trapped)"
HURT = (
    rf"\b{WOUNDED} (?:(?:my|his|her|our|the|an?) )?(?:\w+ )?{BODY}\b"
    rf"|\b(?:my|his|her) {BODY} (?:is|are|was|were|got) (?:\w+ )?{WOUNDED}\b"
    # Not the parts of a bike that are called after the body: kickstand, pedal, helmet, headlight, leg bag.
    r"|[手脚腿胳臂膝脸头腰骨指肩](?:[^撑架踏蹬套盔灯包带垫圈，。,.][^，。,.]{0,2})?(?:断了|骨折|摔破|磕破|破了|受了?伤)"
)
# A part that holds, stops or drives the rider no longer does.
GAVE_WAY = (
    r"\b(?:brakes?|braking|steering)\b.{0,24}\b(?:fail(?:ed|s|ing|ure)?|gone|dead|gave (?:out|up|way)|stopped working"
    r"|(?:not|never|\w+n't) (?:work|grip|bite|respond)\w*|snapped|came (?:off|apart))\b"
    r"|\b(?:can't|cannot|can not|couldn't|could not|won't|didn't) (?:brake|stop (?:it|the bike|in time))\b"
    r"|\b(?:frame|fork|handlebars?|stem|seat ?post|wheel|axle)\b.{0,16}"
    r"\b(?:snapped|cracked|collapsed|gave way|came off|broke off)\b"
    r"|\b(?:accelerat\w+|surg\w+|took off|sped up)\b.{0,20}\b(?:by itself|on its own)\b"
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
        id="pol_beyond_bot",
        name=_called("Wants a call, or more than a bot", "要求回电或不愿与机器人对话"),
        rule=Regex(kind="regex", pattern=BEYOND_THE_BOT),
        severity="high",
        priority=3,
    ),
    Policy(
        id="pol_complaint",
        name=_called("Complains, or is not helped", "投诉或无法解决"),
        rule=Keyword(
            kind="keyword",
            words=[
                *("投诉", "转人工", "接人工", "无法解决", "没人解决", "解决不了", "不给解决", "没人理", "不理我"),
                *("答非所问", "给个说法", "给我个说法", "骗子", "骗人", "骗钱", "黑店", "忍无可忍", "太垃圾"),
                *("什么态度", "complaint", "complaints", "complain", "complaining", "complained", "complains"),
                *("does not solve", "doesn't solve", "can't be solved", "cannot be solved", "not solved"),
                *("not been solved", "doesn't help me", "that doesn't help", "that does not help", "not helping"),
                *("no help at all", "haven't helped", "hasn't helped", "nobody helps", "no one helps"),
                *("nobody has helped", "no one has helped", "nobody has answered", "no one has answered"),
                *("nobody answers", "no one answers", "nobody replies", "no one replies", "nobody responds"),
                *("no one responds", "ignoring me", "ignored me", "being ignored", "keep ignoring"),
                *("going round in circles", "going in circles", "how many more times", "third time i"),
                *("fourth time i", "fifth time i", "sick and tired", "had enough", "no answer from you"),
                *("want my money back now", "fed up", "extremely unhappy", "very unhappy", "this is ridiculous"),
                *("unacceptable", "disgrace", "disgraceful", "disgusting", "outrageous", "appalling", "shambles"),
                *("liars", "lied to", "lying to", "cheated", "rip off", "rip-off", "ripped off", "ripping me off"),
                *("crooks", "worst company", "worst service", "worst customer service", "terrible service"),
                *("awful service", "useless service", "rubbish service", "pathetic service"),
                *("never buying from you", "never buy from you"),
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
        id="pol_hurt",
        name=_called("Somebody is hurt", "有人受伤"),
        rule=Regex(kind="regex", pattern=HURT),
        severity="high",
        priority=5,
    ),
    Policy(
        id="pol_gave_way",
        name=_called("Something gave way while riding", "骑行中部件失灵"),
        rule=Regex(kind="regex", pattern=GAVE_WAY),
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
