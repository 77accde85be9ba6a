"""Handing a mail to a real mail server: encrypted, signed in, refused, silent."""

from email.message import EmailMessage
from pathlib import Path

import pytest

from channels.post_office import PASSWORD, USERNAME, PostOffice, post_office
from kefu.channels import email
from kefu.channels.email import MailServer, NotSent, send
from kefu.kit.config import Settings


def server_of(office: PostOffice, certificate: Path | None, **changed: object) -> MailServer:
    given = {
        "smtp_host": "127.0.0.1",
        "smtp_port": office.port,
        "smtp_username": USERNAME,
        "smtp_password": PASSWORD,
        "smtp_ca_file": certificate,
    }
    server = MailServer.of(Settings.model_validate(given | changed))
    assert server is not None
    return server


def a_mail(to: str = "desk@shop.example") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = USERNAME, to, "电池问题"
    mail.set_content("您好")
    return mail


async def test_with_starttls_and_a_name_it_arrives(office: PostOffice, certificate: Path) -> None:
    await send(server_of(office, certificate), a_mail(), "desk@shop.example")
    (to, mail) = office.mails[0]
    assert (to, mail["Subject"], mail.get_content().strip()) == ("desk@shop.example", "电池问题", "您好")
    assert (office.was_encrypted, office.signed_in) == ([True], [True])


async def test_on_a_port_that_begins_with_tls_it_arrives(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with post_office(certificate, tls=True) as office:
        monkeypatch.setattr(email, "TLS_FROM_THE_BEGINNING", office.port)
        await send(server_of(office, certificate), a_mail(), "desk@shop.example")
        assert (office.recipients, office.was_encrypted) == (["desk@shop.example"], [True])


async def test_without_tls_nothing_is_said_to_a_server_that_should_have_it(certificate: Path) -> None:
    async with post_office() as plain:
        with pytest.raises(NotSent) as refused:
            await send(server_of(plain, certificate), a_mail(), "desk@shop.example")
        assert plain.mails == []
        assert refused.value.reason == "unreachable"
        await send(
            server_of(plain, None, smtp_use_tls=False, smtp_username="", email_from=USERNAME), a_mail(), "a@b.cn"
        )
        assert (plain.recipients, plain.was_encrypted) == (["a@b.cn"], [False])


@pytest.mark.parametrize(
    ("changed", "reason", "is_final"),
    [
        ({"smtp_ca_file": None}, "unreachable", False),
        ({"smtp_password": "wrong"}, "sign_in", True),
        ({"smtp_port": 1}, "unreachable", False),
    ],
)
async def test_a_server_that_cannot_be_trusted_or_does_not_know_us_gets_nothing(
    office: PostOffice, certificate: Path, changed: dict[str, object], reason: str, *, is_final: bool
) -> None:
    with pytest.raises(NotSent) as failed:
        await send(server_of(office, certificate, **changed), a_mail(), "desk@shop.example")
    assert (failed.value.reason, failed.value.is_final, office.mails) == (reason, is_final, [])


@pytest.mark.parametrize(
    ("reply", "reason", "is_final"),
    [("550 5.1.1 no such user", "refused", True), ("451 4.7.1 try later", "unreachable", False)],
)
async def test_what_the_server_says_tells_whether_to_try_again(
    office: PostOffice, certificate: Path, reply: str, reason: str, *, is_final: bool
) -> None:
    office.replies["desk@shop.example"] = [reply]
    with pytest.raises(NotSent) as refused:
        await send(server_of(office, certificate), a_mail(), "desk@shop.example")
    assert (refused.value.reason, refused.value.is_final, refused.value.detail) == (reason, is_final, reply)


async def test_a_silent_server_is_not_waited_for(
    office: PostOffice, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(email, "STEP_SECONDS", 0.5)
    office.wakes.clear()
    with pytest.raises(NotSent) as failed:
        await send(server_of(office, certificate), a_mail(), "desk@shop.example")
    assert (failed.value.reason, failed.value.is_final) == ("unreachable", False)
