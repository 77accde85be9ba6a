"""What in a session's log is a visitor's contact data: hidden from who may not see it (`contacts.read`)."""

from dataclasses import replace
from typing import Any

import orjson

from kefu.bus.ports import Notice
from kefu.kit.sealed import with_changed
from kefu.log.log import Entry
from kefu.log.private import PRIVATE
from kefu.sessions.models import Session

HIDDEN = "***"
# By the type of the event: what is sealed, but the number by which a shop knows its customer.
FIELDS = {type_: tuple(path for path in paths if path != "customer.id") for type_, paths in PRIVATE.items()}


def without_contacts(entry: Entry) -> Entry:
    """The event as those see it who may not see contact data."""
    if entry.type not in FIELDS:
        return entry
    return replace(entry, payload=veiled(entry.type, entry.payload).decode())


def veiled_notice(notice: Notice) -> Notice:
    """The notice as those see it; itself where there is nothing to hide."""
    return replace(notice, data=veiled(notice.type, notice.data)) if notice.type in FIELDS else notice


def veiled(type_: str, facts: str | bytes) -> bytes:
    """The facts of an event of that type, as JSON, with contact data hidden."""
    return orjson.dumps(with_changed(orjson.loads(facts), FIELDS.get(type_, ()), lambda _: HIDDEN))


def customer_of(session: Session, *, sees_contacts: bool) -> dict[str, Any] | None:
    """Who the visitor is, as far as the reader may know it."""
    known = session.customer
    return known if known is None or sees_contacts else with_changed(known, ("email", "phone"), lambda _: HIDDEN)
