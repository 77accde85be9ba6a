"""Which sessions an agent may see (spec S7): their own, those nobody holds, and those they were let into."""

from collections.abc import Container
from dataclasses import dataclass
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.clock import now_ms
from kefu.kit.errors import Forbidden
from kefu.kit.i18n import Text
from kefu.sessions.models import Session, SessionGuest


class SessionHidden(Forbidden):
    """`agent`: `{id, name}` of who has it."""

    code = "HIDDEN_SESSION"
    text: ClassVar[Text] = {
        "en": "{agent[name]} has this conversation.",
        "zh": "该会话由【{agent[name]}】负责，您无权查看。",
    }


@dataclass(frozen=True, slots=True)
class Reader:
    """Who asks. `sees_all`: supervisors and inspectors do, and so does Kefu itself."""

    id: str
    sees_all: bool = False


KEFU = Reader("", sees_all=True)


def sees(reader: Reader | None, session: Session, guests: Container[str]) -> bool:
    """Whether the session is for the reader's eyes; `guests` are the ids of those who were let in."""
    if reader is None:
        return False
    return reader.sees_all or session.agent_id in {None, reader.id} or reader.id in guests


def is_seen_by(reader: Reader) -> ColumnElement[bool]:
    """The same as a condition."""
    if reader.sees_all:
        return true()
    let_in = select(SessionGuest.session).where(SessionGuest.agent_id == reader.id, SessionGuest.until > now_ms())
    return or_(Session.agent_id.is_(None), Session.agent_id == reader.id, Session.name.in_(let_in))


async def check_seen(tx: AsyncSession, reader: Reader, name: str) -> None:
    """Raises SessionHidden for a session that others hold. One that does not exist hides nothing."""
    query = select(Session.agent_id, Session.agent_name, is_seen_by(reader)).where(Session.name == name)
    row: Any = (await tx.execute(query)).first()
    if row is not None and not row[2]:
        raise SessionHidden(agent={"id": row[0], "name": row[1]})


async def guests_of(tx: AsyncSession, names: list[str]) -> dict[str, set[str]]:
    """The ids of who was let in, for each of the named sessions that has guests now."""
    if not names:
        return {}
    query = select(SessionGuest.session, SessionGuest.agent_id)
    found: dict[str, set[str]] = {}
    for name, agent_id in await tx.execute(query.where(SessionGuest.session.in_(names), SessionGuest.until > now_ms())):
        found.setdefault(name, set()).add(agent_id)
    return found
