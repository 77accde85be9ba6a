"""A real mail server in this process, which takes mail or does not, as the test tells it."""

import asyncio
import ssl
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

USERNAME, PASSWORD = "kefu@shop.example", "mail-pass-7"


@dataclass
class PostOffice:
    """`replies`: what is said to a recipient instead of yes, from the left; `wakes`: no answer before it is set.

    `on_mail`: done when a mail is taken, before the sender hears of it.
    """

    port: int = 0
    mails: list[tuple[str, EmailMessage]] = field(default_factory=list)
    replies: dict[str, list[str]] = field(default_factory=dict)
    wakes: asyncio.Event = field(default_factory=asyncio.Event)
    was_encrypted: list[bool] = field(default_factory=list)
    signed_in: list[bool] = field(default_factory=list)
    tries: int = 0
    on_mail: Callable[[], Awaitable[None]] | None = None

    async def handle_RCPT(self, _: SMTP, __: Session, envelope: Envelope, address: str, ___: list[str]) -> str:  # noqa: N802 - as aiosmtpd names it
        self.tries += 1
        await self.wakes.wait()
        replies = self.replies.get(address, [])
        if replies:
            return replies.pop(0)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 - as aiosmtpd names it
        assert isinstance(envelope.content, bytes)
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails += [(to, mail) for to in envelope.rcpt_tos]
        assert server.transport is not None
        self.was_encrypted.append(server.transport.get_extra_info("sslcontext") is not None)
        self.signed_in.append(session.authenticated is True)
        if self.on_mail:
            await self.on_mail()
        return "250 OK"

    @property
    def recipients(self) -> list[str]:
        return [to for to, _ in self.mails]


def _authenticate(_: Any, __: Any, ___: Any, ____: str, given: Any) -> AuthResult:
    is_right = isinstance(given, LoginPassword) and given == LoginPassword(USERNAME.encode(), PASSWORD.encode())
    return AuthResult(success=is_right, handled=False)


@asynccontextmanager
async def post_office(certificate: Path | None = None, *, tls: bool = False) -> AsyncIterator[PostOffice]:
    """`certificate`: asks for STARTTLS and a name; with `tls` from the first byte on."""
    office = PostOffice()
    office.wakes.set()
    context = None
    if certificate:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate)
    loop = asyncio.get_running_loop()

    def serve() -> SMTP:
        options: dict[str, Any] = {"auth_require_tls": not tls}
        if certificate:
            # Its LOGIN asks in words that not every client knows.
            options |= {"authenticator": _authenticate, "auth_required": True, "auth_exclude_mechanism": ["LOGIN"]}
        if context and not tls:
            options |= {"tls_context": context, "require_starttls": True}
        # aiosmtpd does not see that the wire below it is encrypted.
        warnings.filterwarnings("ignore", "Requiring AUTH while not requiring TLS", UserWarning)
        return SMTP(office, hostname="mail.shop.example", loop=loop, **options)

    server = await loop.create_server(serve, "127.0.0.1", 0, ssl=context if tls else None)
    office.port = server.sockets[0].getsockname()[1]
    try:
        yield office
    finally:
        office.wakes.set()
        server.close()
