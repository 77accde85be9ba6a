"""Hands one mail to a mail server, for one recipient, and says what became of it."""

import asyncio
import re
import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr
from pathlib import Path
from typing import Any, Literal, Self

import aiosmtplib

from kefu.jobs.queue import Away
from kefu.kit.addresses import is_address
from kefu.kit.config import Settings

STEP_SECONDS = 10.0
WHOLE_SECONDS = 45.0
TLS_FROM_THE_BEGINNING = 465
SIGNS = re.compile(r'[()<>\[\]:;@\\,"]')
Reason = Literal["not_configured", "refused", "sign_in", "unreachable"]


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in, and from whom it comes. `starttls`: on a port that does not begin with TLS."""

    host: str
    port: int
    username: str
    password: str
    starttls: bool
    ca_file: Path | None
    sender: str
    sender_name: str

    @classmethod
    def of(cls, settings: Settings) -> Self | None:
        """None when mail is not set up: without a server, or without an address to send from."""
        sender = settings.email_from or settings.smtp_username
        if not settings.smtp_host or not is_address(sender):
            return None
        return cls(
            host=settings.smtp_host,
            port=settings.smtp_port,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value(),
            starttls=settings.smtp_use_tls,
            ca_file=settings.smtp_ca_file,
            sender=sender,
            sender_name=settings.email_from_name,
        )

    @property
    def from_(self) -> str:
        """Without what stands for structure in an address: Python, when it folds a long name, loses its quotes.

        And it cannot read a name that begins with a dot.
        """
        return formataddr((one_line(SIGNS.sub(" ", self.sender_name)).lstrip(". "), self.sender))

    @property
    def domain(self) -> str:
        return self.sender.rpartition("@")[2]


class NotSent(Away):
    """`detail`: what the server said. `is_final`: asking again would be answered alike."""

    def __init__(self, reason: Reason, detail: str, *, is_final: bool) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason, self.detail, self.is_final = reason, one_line(detail)[:300], is_final


def one_line(text: str) -> str:
    """As a header may hold it: no line break that could begin another one."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


async def send(server: MailServer, mail: EmailMessage, to: str) -> None:
    """Returns once the server has taken it. May be taken twice when the answer is lost. Raises NotSent."""
    try:
        async with asyncio.timeout(WHOLE_SECONDS):
            await aiosmtplib.send(mail, sender=server.sender, recipients=[to], **_way_to(server))
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise _not_sent(error) from error


async def probe(server: MailServer) -> None:
    """Sign in there, and send nothing. Raises NotSent."""
    try:
        async with asyncio.timeout(STEP_SECONDS):
            async with aiosmtplib.SMTP(**_way_to(server)):
                pass
    except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
        raise _not_sent(error) from error


def _way_to(server: MailServer) -> dict[str, Any]:
    """What aiosmtplib is told."""
    return {
        "hostname": server.host,
        "port": server.port,
        "username": server.username or None,
        "password": server.password or None,
        "use_tls": server.port == TLS_FROM_THE_BEGINNING,
        "start_tls": server.starttls if server.port != TLS_FROM_THE_BEGINNING else False,
        "timeout": STEP_SECONDS,
        "tls_context": ssl.create_default_context(cafile=server.ca_file),
    }


def _not_sent(error: Exception) -> NotSent:
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        is_final = 500 <= error.code < 600
        detail = f"{error.code} {error.message}"
        if isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return NotSent("sign_in", detail, is_final=is_final)
        return NotSent("refused" if is_final else "unreachable", detail, is_final=is_final)
    return NotSent("unreachable", str(error) or type(error).__name__, is_final=False)
