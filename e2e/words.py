"""What the pages say: tests find things as people do, by their words."""

from dataclasses import dataclass
from typing import Literal

Locale = Literal["en", "zh"]


@dataclass(frozen=True)
class ChatWords:
    open: str
    close: str
    person: str
    send: str
    new_chat: str
    minimise: str
    maximise: str
    restore: str
    bot_here: str
    waiting: str
    agent_here: str
    ended: str
    delivered: str
    sending: str
    typing: str
    welcome: str


CHAT: dict[Locale, ChatWords] = {
    "en": ChatWords(
        open="Open customer chat",
        close="Close customer chat",
        person="Talk to a person",
        send="Send",
        new_chat="New chat",
        minimise="Minimise chat",
        maximise="Larger window",
        restore="Smaller window",
        bot_here="AI assistant is here",
        waiting="No. 1 in line",
        agent_here="Agent – {name}",
        ended="Conversation ended",
        delivered="Delivered",
        sending="Sending",
        typing="{name} is typing…",
        welcome="Hello, I'm Velo",
    ),
    "zh": ChatWords(
        open="打开客服聊天",
        close="关闭客服聊天",
        person="转人工",
        send="发送",
        new_chat="新对话",
        minimise="收起聊天",
        maximise="放大窗口",
        restore="还原窗口",
        bot_here="AI 服务中",
        waiting="等待人工接入…第 1 位",
        agent_here="人工客服 – {name}",
        ended="会话已结束",
        delivered="已送达",
        sending="发送中",
        typing="{name} 正在输入…",
        welcome="我是 Nordvelo 的小诺",
    ),
}


@dataclass(frozen=True)
class DeskWords:
    username: str
    password: str
    sign_in: str
    sign_out: str
    account: str
    wrong: str
    take_over: str
    release: str
    close: str
    confirm_close: str
    reply: str
    send: str
    typing: str
    tabs: tuple[str, str, str, str]
    with_you: str
    closed: str
    taken_by: str
    choose_password: str
    old_password: str
    new_password: str
    repeat_password: str
    save_password: str
    password_saved: str


DESK: dict[Locale, DeskWords] = {
    "en": DeskWords(
        username="User name",
        password="Password",
        sign_in="Sign in",
        sign_out="Sign out",
        account="Account: {name}",
        wrong="User name or password is wrong",
        take_over="Take over",
        release="Release",
        close="Close",
        confirm_close="Close conversation",
        reply="Your reply",
        send="Send",
        typing="is typing…",
        tabs=("Waiting", "Mine", "Bot", "All"),
        with_you="With you",
        closed="Closed",
        taken_by="{name} was faster and has this conversation",
        choose_password="Choose your own password",
        old_password="Current password",
        new_password="New password",
        repeat_password="New password again",
        save_password="Save password",
        password_saved="Password changed",
    ),
    "zh": DeskWords(
        username="用户名",
        password="密码",
        sign_in="登录",
        sign_out="退出登录",
        account="账号：{name}",
        wrong="用户名或密码",
        take_over="接入",
        release="释放",
        close="关闭",
        confirm_close="关闭会话",
        reply="回复内容",
        send="发送",
        typing="正在输入…",
        tabs=("等待", "我的", "AI", "全部"),
        with_you="由您服务",
        closed="已关闭",
        taken_by="{name} 已先一步接入该会话",
        choose_password="请设置您自己的密码",
        old_password="当前密码",
        new_password="新密码",
        repeat_password="再次输入新密码",
        save_password="保存密码",
        password_saved="密码已修改",
    ),
}
