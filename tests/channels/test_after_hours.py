"""After hours (spec H2): the visitor leaves an address, the team gets one mail, an agent answers by mail."""

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from typing import Any, Literal

import httpx2
import pytest
from sqlalchemy import update

from actors import Agent, Stage, Visitor, code_of, data_of
from channels.post_office import PASSWORD, USERNAME, PostOffice
from faults.process import Kefu
from faults.waiting import until
from jobs.work import let_pauses_pass, rows
from kefu.jobs.models import Job
from kefu.jobs.queue import OUTAGE
from kefu.kit.clock import now_ms
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.sessions.fold import fold_all
from kefu.sessions.states import Status
from kefu.shops.models import Shop
from sessions.records import all_of, bring_to, columns_of, log_of, moves_of, row_of

LETTER = {"email": "anna@example.com", "message": "电池 <b>E07</b> & 无法启动\n急！", "client_msg_id": "l1"}


def text_of(mail: EmailMessage, kind: Literal["plain", "html"] = "plain") -> str:
    body = mail.get_body((kind,))
    assert isinstance(body, EmailMessage)
    content: str = body.get_content()
    return content.replace("\r\n", "\n")


def html_of(mail: EmailMessage) -> str:
    return text_of(mail, "html")


async def leaves(visitor: Visitor, **changed: object) -> Any:
    return await visitor.post(f"/api/sessions/{visitor.name}/email", LETTER | changed)


async def mailed(db: Database, name: str, count: int = 1) -> list[dict[str, Any]]:
    """What the log says of this session's mails, once it says so much."""
    results: list[dict[str, Any]] = []

    async def is_there() -> bool:
        results[:] = [one.facts | {"type": one.type} for one in await log_of(db, name) if one.type.startswith("mail.")]
        return len(results) >= count

    await until(is_there, 20)
    return results


@pytest.mark.usefixtures("closed")
async def test_who_asks_for_a_person_leaves_an_address_and_the_team_gets_one_mail_with_the_talk(
    visitor: Visitor, agent: Agent, db: Database, office: PostOffice
) -> None:
    for n in range(11):
        await visitor.says(f"frage {n}")
        await visitor.sees("message.posted", role="assistant")
    before = await all_of(db, visitor.name)
    asked = (await visitor.post("/api/manual/escalate", {"session_name": visitor.name})).json()
    assert (asked["is_in_shift"], asked["email_sent"], asked["data"]["status"]) == (False, False, "bot_active")
    assert await all_of(db, visitor.name) == before
    assert data_of(await leaves(visitor))["status"] == "after_hours_email"
    await visitor.sees("session.deferred", email="anna@example.com", to="after_hours_email")
    (result,) = await mailed(db, visitor.name)
    row, log = await all_of(db, visitor.name)
    ((to, mail),) = office.mails
    assert (to, mail["Reply-To"], mail["To"]) == ("desk@shop.example", "anna@example.com", "desk@shop.example")
    assert mail["From"] == "店铺客服 <kefu@shop.example>"
    assert mail["Message-ID"] == f"<{visitor.name}.1@shop.example>" == result["mail"]
    assert "非工作时间留言" in mail["Subject"]
    text, html = text_of(mail), html_of(mail)
    assert LETTER["message"] in text
    assert f"https://desk.shop.example/workbench/sessions/{visitor.name}\n" in text
    assert "电池 &lt;b&gt;E07&lt;/b&gt; &amp; 无法启动<br>急！" in html
    assert "frage 10" in html
    assert "frage 5" not in html
    assert (office.was_encrypted, office.signed_in) == ([True], [True])
    assert (row["mail_status"], row["email"], columns_of(fold_all(visitor.name, log))) == (
        "sent",
        "anna@example.com",
        row,
    )
    (listed,) = data_of(await agent.get("/api/sessions?status=after_hours_email"))["sessions"]
    assert (listed["session_name"], listed["mail_status"]) == (visitor.name, "sent")
    seen = await visitor.follows(visitor.name)
    await seen.sees("session.deferred")
    assert not [frame for frame in seen.frames if frame["type"].startswith("mail.")]


@pytest.mark.usefixtures("closed")
async def test_leaving_it_twice_or_twice_at_once_is_one_mail_and_the_bot_stays_silent(
    visitor: Visitor, db: Database, office: PostOffice
) -> None:
    answers = await asyncio.gather(*(leaves(visitor) for _ in range(6)))
    assert {answer.status_code for answer in answers} == {200}
    assert code_of(await leaves(visitor, client_msg_id="l2")) == "INVALID_STATUS"
    await mailed(db, visitor.name)
    await visitor.says("还有一个问题")
    assert [one.type for one in await moves_of(db, visitor.name)] == [
        "session.opened",
        "message.posted",
        "session.deferred",
        "mail.sent",
        "message.posted",
    ]
    assert (len(office.mails), await jobs(db)) == (1, [])


async def jobs(db: Database) -> list[str]:
    return [job.kind for job in await rows(db) if job.key is None]


@pytest.mark.usefixtures("closed")
async def test_one_recipient_refuses_and_another_one_is_not_there_yet(
    visitor: Visitor, db: Database, office: PostOffice
) -> None:
    async with db.write() as tx:
        await tx.execute(update(Shop).values(mail_to=["old@shop.example", "slow@shop.example", "lead@shop.example"]))
    office.replies = {"old@shop.example": ["550 no such user"], "slow@shop.example": ["451 later", "451 later"]}
    await leaves(visitor, message="")
    results = await mailed(db, visitor.name, 3)
    assert [(one["type"], one["to"]) for one in results] == [
        ("mail.failed", "old@shop.example"),
        ("mail.sent", "lead@shop.example"),
        ("mail.sent", "slow@shop.example"),
    ]
    assert (results[0]["reason"], results[0]["detail"]) == ("refused", "550 no such user")
    assert office.recipients == ["lead@shop.example", "slow@shop.example"]
    assert (await row_of(db, visitor.name))["mail_status"] == "sent"


@pytest.mark.usefixtures("closed")
async def test_after_the_last_try_the_log_says_so_and_the_work_can_be_brought_back(
    visitor: Visitor, db: Database, office: PostOffice
) -> None:
    office.replies = {"desk@shop.example": ["421 closing", "421 closing"]}
    await leaves(visitor)
    await until(lambda: office.tries > 0, 20)
    async with db.write() as tx:
        a_day_ago = Job.created_at - int(OUTAGE.total_seconds() * 1000)
        await tx.execute(update(Job).where(Job.key.is_(None)).values(created_at=a_day_ago))
    await let_pauses_pass(db)
    (result,) = await mailed(db, visitor.name)
    assert (result["type"], result["reason"], result["is_final"]) == ("mail.failed", "unreachable", False)
    assert (await row_of(db, visitor.name))["mail_status"] == "failed"


@pytest.mark.usefixtures("closed")
async def test_an_answer_goes_out_by_mail_and_stands_in_the_talk(
    visitor: Visitor, agent: Agent, stage: Stage, db: Database, office: PostOffice
) -> None:
    other = await stage.agent("bob")
    reply = {"content": "您好 <Anna>\n请重启。", "client_msg_id": "r1"}

    async def answers(by: Agent, **changed: object) -> Any:
        return await by.acts("mail-reply", visitor, reply | changed)

    await leaves(visitor)
    await mailed(db, visitor.name)
    assert code_of(await answers(agent)) == "INVALID_STATUS"
    await agent.takes_over(visitor)
    assert code_of(await answers(other)) == "NOT_HOLDER"
    first, again = data_of(await answers(agent)), data_of(await answers(agent))
    assert first == again
    posted = await visitor.sees("message.posted", role="agent")
    assert (posted["content"], posted["by_mail"]) == (reply["content"], True)
    _, result = await mailed(db, visitor.name, 2)
    assert (result["purpose"], result["message_seq"], result["to"]) == ("reply", first["seq"], "anna@example.com")
    to, mail = office.mails[1]
    assert (len(office.mails), to, mail["Message-ID"]) == (2, "anna@example.com", result["mail"])
    assert "您好 &lt;Anna&gt;<br>请重启。" in html_of(mail)
    await agent.releases(visitor)
    stranger = await stage.visitor()
    await agent.takes_over(stranger)
    assert code_of(await agent.acts("mail-reply", stranger, reply)) == "NO_EMAIL"


WRONG: list[dict[str, object]] = [
    {"email": "anna"},
    {"email": "anna@example.com\r\nBcc: all@example.com"},
    {"email": "a" * 300 + "@example.com"},
    {"email": None},
    {"message": "x" * 5001},
    {"message": 7},
    {"client_msg_id": ""},
    {"client_msg_id": "a b"},
]


@pytest.mark.usefixtures("closed")
async def test_a_letter_that_is_wrong_changes_nothing(visitor: Visitor, db: Database) -> None:
    before = await all_of(db, visitor.name)
    for wrong in WRONG:
        answer = await leaves(visitor, **wrong)
        assert (answer.status_code, code_of(answer)) == (422, "VALIDATION_FAILED"), wrong
    assert await all_of(db, visitor.name) == before


@pytest.mark.usefixtures("closed")
async def test_only_the_visitor_leaves_an_address_and_only_where_nobody_serves(
    visitor: Visitor, agent: Agent, stage: Stage, db: Database
) -> None:
    other = await stage.visitor()
    foreign = await other.post(f"/api/sessions/{visitor.name}/email", LETTER)
    assert (foreign.status_code, code_of(foreign)) == (403, "FOREIGN_SESSION")
    assert code_of(await agent.acts("email", visitor, LETTER)) == "FORBIDDEN"
    await bring_to(db, visitor.name, Status.PENDING_MANUAL)  # the shift ended while they waited
    assert data_of(await leaves(visitor))["status"] == "after_hours_email"
    await agent.takes_over(other)
    assert code_of(await leaves(other)) == "INVALID_STATUS"
    async with db.write() as tx:
        await tx.execute(update(Shop).values(hours=None))
    late = await stage.visitor()
    assert code_of(await leaves(late)) == "IN_SHIFT"
    assert {*await jobs(db)} <= {"send_after_hours_mail", "write_packet"}


class TestWithoutMailServer:
    @pytest.fixture
    def settings(self, database_url: str, tmp_path: Path) -> Settings:
        return Settings(data_dir=tmp_path, database_url=database_url, rate_limits="off")

    @pytest.mark.usefixtures("closed")
    async def test_the_message_is_kept_and_the_log_says_that_mail_is_not_set_up(
        self, visitor: Visitor, db: Database
    ) -> None:
        data_of(await leaves(visitor))
        (result,) = await mailed(db, visitor.name)
        assert (result["type"], result["reason"]) == ("mail.failed", "not_configured")
        assert (await row_of(db, visitor.name))["mail_status"] == "failed"


def closed_now() -> dict[str, str]:
    """A shift of an hour that begins in three."""
    begins = datetime.fromtimestamp(now_ms() / 1000, UTC) + timedelta(hours=3)
    ends = begins + timedelta(hours=1)
    return {"TIMEZONE": "UTC", "HUMAN_SHIFT_START": f"{begins:%H:%M}", "HUMAN_SHIFT_END": f"{ends:%H:%M}"}


async def test_a_mail_whose_sender_was_killed_before_it_knew_is_sent_again_and_can_be_told_by_its_id(
    sqlite_template: Path, tmp_path: Path, office: PostOffice, certificate: Path
) -> None:
    shutil.copyfile(sqlite_template, tmp_path / "kefu.db")
    url = f"sqlite:///{tmp_path / 'kefu.db'}"
    mail = {"SMTP_HOST": "127.0.0.1", "SMTP_PORT": str(office.port), "SMTP_CA_FILE": str(certificate)}
    mail |= {"SMTP_USERNAME": USERNAME, "SMTP_PASSWORD": PASSWORD, "EMAIL_RECIPIENTS": "desk@shop.example"}
    kefu, db = Kefu(tmp_path, url, **mail, **closed_now()), Database(url)
    office.on_mail = kefu.kill
    await kefu.start()
    async with httpx2.AsyncClient(base_url=kefu.address, timeout=10) as http:
        visitor = await Stage(db, http).visitor()
        data_of(await leaves(visitor))
        await until(lambda: len(office.mails) == 1, 20)
        office.on_mail = None
        await kefu.start()
        await until(lambda: len(office.mails) == 2, 20)
    (result,) = await mailed(db, visitor.name)
    await kefu.terminate()
    await db.close()
    assert {mail["Message-ID"] for _, mail in office.mails} == {result["mail"]}
