"""What one asks back first, by what the customer writes about."""

from dataclasses import dataclass

from kefu.kit.i18n import Text


@dataclass(frozen=True, slots=True)
class Question:
    """`asks_for_order`: void once the customer has told the order's number."""

    name: str
    text: Text
    asks_for_order: bool = False


ORDER = Question(
    "order_number",
    {
        "en": "Could you tell me your order number, please? I will look it up at once.",
        "zh": "麻烦提供一下订单号，我马上为您查询。",
    },
    asks_for_order=True,
)
PICTURES = Question(
    "pictures",
    {
        "en": "Could you send a picture or a short video of it, please? Then we can tell what is wrong.",
        "zh": "方便发一张照片或一小段视频吗？这样我们能尽快判断问题。",
    },
)
MODEL = Question(
    "model",
    {"en": "Which model do you have, or are you interested in?", "zh": "请问您使用或想了解的是哪一款车型？"},
)
SINCE = Question(
    "since_when",
    {
        "en": "Since when does it happen, and was anything changed before?",
        "zh": "请问是从什么时候开始出现的？之前有做过什么改动吗？",
    },
)
REASON = Question(
    "reason",
    {
        "en": "May I ask what you are not happy with? Perhaps we find a better way together.",
        "zh": "方便告诉我是哪里不满意吗？我们一起看看怎样处理更合适。",
    },
)
PAYMENT = Question(
    "payment_details",
    {
        "en": "How did you pay, and when? Please do not send card numbers.",
        "zh": "请问您是什么时间、用哪种方式付款的？请不要发送卡号。",
    },
)
SORRY = Question(
    "sorry",
    {
        "en": "I am sorry about that. I have read the conversation and will take care of it now.",
        "zh": "非常抱歉给您带来不好的体验，我已看过对话，现在就为您处理。",
    },
)
HELLO = Question(
    "hello",
    {"en": "Hello, I have taken over. What may I do for you?", "zh": "您好，现在由我为您服务，请问有什么可以帮您？"},
)
GOAL = Question(
    "purpose",
    {"en": "What will you mostly use it for, and how tall are you?", "zh": "请问您主要在什么场景使用？身高大概多少？"},
)

QUESTIONS: dict[str, tuple[Question, ...]] = {
    "delivery": (ORDER,),
    "return": (ORDER, REASON),
    "fault": (PICTURES, SINCE),
    "product": (GOAL, MODEL),
    "payment": (ORDER, PAYMENT),
    "usage": (MODEL,),
    "complaint": (SORRY, ORDER),
    "person": (HELLO,),
    "chat": (HELLO,),
    "other": (MODEL,),
}
