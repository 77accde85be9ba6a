"""Sends what sessions ask to be mailed, and writes what became of it into their logs."""

from dataclasses import dataclass
from email.message import EmailMessage

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.channels.email import MailServer, NotSent, send
from kefu.channels.letters import Place, reply_id, reply_mail, team_mail, team_mail_id
from kefu.jobs.queue import Taken, finish
from kefu.kit.config import Settings
from kefu.kit.db import Database
from kefu.kit.sealed import UNREADABLE
from kefu.log.log import Entry, read, read_last
from kefu.sessions.after_hours import record_mail
from kefu.sessions.models import Session, stream_of
from kefu.sessions.queries import find, history
from kefu.sessions.service import locked
from kefu.shops.hours import Hours, default_hours
from kefu.shops.service import find_shop

log = structlog.get_logger()

LAST_MESSAGES = 10
RESULTS = ("mail.sent", "mail.failed")
NOT_CONFIGURED = {"reason": "not_configured", "detail": "SMTP_HOST, EMAIL_FROM or EMAIL_RECIPIENTS is empty"}
ADDRESS_UNREADABLE = {
    "reason": "unreadable",
    "detail": "The key that sealed the address is not there: kefu secrets check",
}


@dataclass(frozen=True, slots=True)
class Parcel:
    """A mail, and who has still to get it. `id`: its Message-ID; `facts` stand in each event about it."""

    session: str
    id: str
    mail: EmailMessage
    to: list[str]
    facts: dict[str, object]


class Mailing:
    """Handles `SendAfterHoursMail` and `SendMailReply`.

    Each recipient is served for himself, and what became of it stands in the log before the next one's turn: a repeat
    goes to those of whom nothing is known yet. One who was served when the process died gets the mail again, with the
    same Message-ID.
    """

    def __init__(self, db: Database, settings: Settings) -> None:
        self._db = db
        self._server = MailServer.of(settings)
        self._recipients = settings.email_recipients
        self._hours = default_hours(settings)
        self._public_url = settings.public_url

    async def tell_team(self, job: Taken) -> None:
        session, place, recipients = await self._about(job.payload["session"])
        facts: dict[str, object] = {"purpose": "team", "episode": job.payload["episode"]}
        if self._server is None or not recipients:
            await self._give_up(job, session, facts | NOT_CONFIGURED)
            return
        async with self._db.read() as tx:
            said = await history(tx, session.name, LAST_MESSAGES, public_only=True)
        mail = team_mail(self._server, session, said, place, recipients)
        await self._deliver(job, Parcel(session.name, team_mail_id(self._server, session), mail, recipients, facts))

    async def reply(self, job: Taken) -> None:
        session, place, _ = await self._about(job.payload["session"])
        facts: dict[str, object] = {"purpose": "reply", "message_seq": job.payload["seq"]}
        if self._server is None or session.email is None:
            await self._give_up(job, session, facts | NOT_CONFIGURED)
            return
        if session.email == UNREADABLE:
            await self._give_up(job, session, facts | ADDRESS_UNREADABLE)
            return
        posted = await self._message(session.name, job.payload["seq"])
        mail = reply_mail(self._server, session, posted, place)
        mail_id = reply_id(self._server, session, posted.seq)
        await self._deliver(job, Parcel(session.name, mail_id, mail, [session.email], facts))

    async def _about(self, name: str) -> tuple[Session, Place, list[str]]:
        """The session, its shop as mails name it, and who hears of its after-hours messages."""
        async with self._db.read() as tx:
            session = await find(tx, name)
            assert session is not None  # sessions are never removed
            shop = await find_shop(tx, session.shop)
        hours = Hours.model_validate(shop.hours) if shop.hours else self._hours
        place = Place(shop.name[session.locale], hours.timezone, self._public_url)
        return session, place, shop.mail_to or self._recipients

    async def _message(self, name: str, seq: int) -> Entry:
        async with self._db.read() as tx:
            (posted,) = await read(tx, stream_of(name), seq - 1, public_only=False, limit=1)
        return posted

    async def _give_up(self, job: Taken, session: Session, facts: dict[str, object]) -> None:
        async with self._db.write() as tx:
            await record_mail(tx, session.name, "mail.failed", **facts)
            await finish(tx, job.id)

    async def _deliver(self, job: Taken, parcel: Parcel) -> None:
        """Raises the last NotSent that may pass, so that the queue tries again for a day."""
        later: NotSent | None = None
        async with self._db.read() as tx:
            settled = await _settled(tx, parcel)
        for to in (one for one in parcel.to if one not in settled):
            try:
                await self._serve(parcel, to)
            except NotSent as failure:
                if failure.is_final or job.is_last_try:
                    await self._note(parcel, to, failure)
                later = later if failure.is_final else failure
        if later:
            raise later
        async with self._db.write() as tx:
            await finish(tx, job.id)

    async def _serve(self, parcel: Parcel, to: str) -> None:
        assert self._server is not None
        await send(self._server, parcel.mail, to)
        async with self._db.write() as tx:
            await locked(tx, parcel.session)
            if to not in await _settled(tx, parcel):  # by another worker, which took this one for dead
                await record_mail(tx, parcel.session, "mail.sent", **parcel.facts, mail=parcel.id, to=to)

    async def _note(self, parcel: Parcel, to: str, failure: NotSent) -> None:
        log.warning("mail.failed", mail=parcel.id, reason=failure.reason, detail=failure.detail)
        facts = parcel.facts | {"mail": parcel.id, "to": to, "reason": failure.reason, "detail": failure.detail}
        async with self._db.write() as tx:
            await record_mail(tx, parcel.session, "mail.failed", **facts, is_final=failure.is_final)


async def _settled(tx: AsyncSession, parcel: Parcel) -> set[str]:
    """Who got this mail, or refused it for good."""
    results = await read_last(tx, stream_of(parcel.session), 200, types=RESULTS, public_only=False)
    facts = [one.facts for one in results if one.facts.get("mail") == parcel.id]
    return {one["to"] for one in facts if one.get("is_final", True)}
