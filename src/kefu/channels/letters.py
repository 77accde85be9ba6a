"""What the mails say. Plain text and HTML; whatever people wrote is escaped."""

from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from html import escape
from zoneinfo import ZoneInfo

from kefu.channels.email import MailServer, one_line
from kefu.files.service import in_words
from kefu.kit.addresses import is_address
from kefu.kit.i18n import Text
from kefu.log.log import Entry
from kefu.sessions.models import Session

SPEAKERS: dict[str, str] = {
    "user": "访客 Visitor",
    "assistant": "AI 助手 Assistant",
    "agent": "坐席 Agent",
    "system": "系统 System",
}
REASONS: dict[str, str] = {
    "manual": "点击转人工 asked for a person",
    "keyword": "关键词 keyword",
    "fail_loop": "AI 多次未能解决 the assistant could not help",
    "sentiment": "顾客情绪不佳 unhappy customer",
    "vip": "VIP",
    "policy": "监管策略 policy",
    "shadow": "影子模式 shadow mode",
}
REPLY_SUBJECT: Text = {"en": "Your message to {shop}", "zh": "{shop} 回复了您的留言"}
REPLY_FOOT: Text = {
    "en": "You can also go on in the chat on our site: this answer stands there too.",
    "zh": "您也可以回到网站的聊天窗口继续对话，这条回复同样保留在那里。",
}
PAGE = """<!doctype html><html><head><meta charset="utf-8"></head>
<body style="margin:0;padding:24px;font:15px/1.6 system-ui,'PingFang SC','Microsoft YaHei',sans-serif;color:#1c2325">
<div style="max-width:640px;margin:0 auto">{body}</div></body></html>
"""
QUIET = "color:#5c686d;font-size:13px"


@dataclass(frozen=True, slots=True)
class Place:
    """The shop's name for people, the zone its times are told in, and PUBLIC_URL (empty: nothing links there)."""

    shop: str
    timezone: str
    public_url: str = ""


def team_mail_id(server: MailServer, session: Session) -> str:
    """The same for every attempt, so that a repeat after a crash can be told: one for each episode."""
    return f"<{session.name}.{session.episode}@{server.domain}>"


def reply_id(server: MailServer, session: Session, seq: int) -> str:
    return f"<{session.name}.{session.episode}.{seq}@{server.domain}>"


def team_mail(server: MailServer, session: Session, said: list[Entry], place: Place, to: list[str]) -> EmailMessage:
    """To the team: who asks, why, and the last messages. An answer to it goes to the visitor."""
    who = session.nickname or session.name
    facts = {
        "店铺 Shop": place.shop,
        "访客 Visitor": who,
        "邮箱 E-mail": session.email or "–",
        "原因 Reason": REASONS.get(session.escalation_reason or "manual", session.escalation_reason or ""),
        "会话 Session": f"{place.public_url}/workbench/sessions/{session.name}" if place.public_url else session.name,
    }
    mail = _mail(server, f"[Kefu] 非工作时间留言 After-hours message – {place.shop} – {who}", ", ".join(to))
    mail["Message-ID"] = team_mail_id(server, session)
    if session.email and is_address(session.email):
        mail["Reply-To"] = session.email
    lines = [(_time(one.at, place.timezone), SPEAKERS[one.facts["role"]], in_words(one.facts)) for one in said]
    text = [*(f"{name}: {value}" for name, value in facts.items()), ""]
    text += [f"[{time}] {speaker}\n{content}\n" for time, speaker, content in lines]
    rows = "".join(
        f'<tr><td style="padding:2px 16px 2px 0;{QUIET}">{escape(name)}</td><td>{escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    talk = "".join(
        f'<p style="margin:12px 0 0"><span style="{QUIET}">{escape(speaker)} · {time}</span><br>{_html(content)}</p>'
        for time, speaker, content in lines
    )
    return _with_body(mail, "\n".join(text), f"<table>{rows}</table>{talk}")


def reply_mail(server: MailServer, session: Session, posted: Entry, place: Place) -> EmailMessage:
    """The agent's answer, to the visitor, in the language of the session."""
    subject, foot = (text[session.locale] for text in (REPLY_SUBJECT, REPLY_FOOT))
    content = posted.facts["content"]
    mail = _mail(server, subject.format(shop=place.shop), session.email or "")
    mail["Message-ID"] = reply_id(server, session, posted.seq)
    html = f'<p>{_html(content)}</p><p style="{QUIET}">{escape(foot)}</p>'
    return _with_body(mail, f"{content}\n\n-- \n{foot}\n", html)


def _mail(server: MailServer, subject: str, to: str) -> EmailMessage:
    mail = EmailMessage(SMTP)
    mail["From"], mail["To"] = server.from_, to
    mail["Subject"] = one_line(subject)
    mail["Auto-Submitted"] = "auto-generated"  # so that no absence notice answers it
    return mail


def _with_body(mail: EmailMessage, text: str, html: str) -> EmailMessage:
    mail.set_content(text)
    mail.add_alternative(PAGE.format(body=html), subtype="html")
    return mail


def _html(text: str) -> str:
    return escape(text).replace("\n", "<br>")


def _time(at: int, timezone: str) -> str:
    return datetime.fromtimestamp(at / 1000, ZoneInfo(timezone)).strftime("%m-%d %H:%M")
