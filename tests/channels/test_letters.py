"""Whatever people call themselves and write, a mail has our headers and no other, and no markup of theirs."""

from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from html.parser import HTMLParser

import orjson
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.post_office import post_office
from kefu.channels.email import MailServer, send
from kefu.channels.letters import Place, reply_mail, team_mail
from kefu.log.log import VISITOR, Entry
from kefu.sessions.models import Session

HOSTILE = 'Anna\r\nBcc: all@evil.example\r\n\r\n<script>alert(1)</script> "x" <y@evil.example>\u2028\x0b\x85,'
OURS = {"From", "To", "Subject", "Auto-Submitted", "Message-ID", "Reply-To", "MIME-Version", "Content-Type"}
TAGS = {"html", "head", "meta", "body", "div", "table", "tr", "td", "p", "span", "br"}
# As the log and the settings can hold it.
WORDS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=80)


def server(name: str, port: int = 25) -> MailServer:
    return MailServer(
        "127.0.0.1", port, "", "", starttls=False, ca_file=None, sender="us@shop.example", sender_name=name
    )


def letters(who: str, shop: str, words: str, at: MailServer) -> list[EmailMessage]:
    """Both mails of a session in which everything that people may choose is theirs."""
    session = Session(name="s_1", nickname=who, episode=1, email="anna@example.com", locale="en", escalation_reason=who)
    payload = orjson.dumps({"role": "user", "content": words}).decode()
    said = Entry("session/s_1", 1, "message.posted", "public", VISITOR.json(), payload, None, 0)
    place = Place(shop, "Asia/Shanghai")
    return [team_mail(at, session, [said], place, ["desk@shop.example"]), reply_mail(at, session, said, place)]


class Tags(HTMLParser):
    """The names of all tags, and of attributes that are not ours."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {tag, *(name for name, _ in attrs if name not in {"style", "charset"})}


@given(WORDS, WORDS, WORDS, WORDS)
@example(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
@example("Anna", "Shop", "Hello", ". \u00a1")
@settings(deadline=None, max_examples=30)
def test_no_name_and_no_message_makes_a_header_or_a_tag(who: str, shop: str, words: str, sender: str) -> None:
    for mail in letters(who, shop, words, server(sender)):
        read = message_from_bytes(mail.as_bytes(), policy=SMTP)
        assert len(read.keys()) == len(set(read.keys()))
        assert set(read.keys()) <= OURS
        assert read["From"].addresses[0].addr_spec == "us@shop.example"
        assert len(read["From"].addresses) == len(read["To"].addresses) == 1
        assert not {"\r", "\n"} & set(read["Subject"])
        html = read.get_body(("html",))
        assert html is not None
        assert Tags(html.get_content()).found <= TAGS


async def test_the_mail_server_sees_one_recipient_whatever_the_names_say() -> None:
    async with post_office() as office:
        for mail in letters(HOSTILE, HOSTILE, HOSTILE, server(HOSTILE, office.port)):
            await send(server(HOSTILE, office.port), mail, "desk@shop.example")
        assert office.recipients == ["desk@shop.example"] * 2
        for _, mail in office.mails:
            assert mail["Bcc"] is None
            assert set(mail.keys()) - OURS <= {"X-Peer", "X-MailFrom", "X-RcptTo"}
