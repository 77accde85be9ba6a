"""What in a session's log is a visitor's contact data: hidden from who may not see it (`contacts.read`)."""

from collections.abc import Mapping
from dataclasses import replace

import orjson

from kefu.bus.ports import Notice
from kefu.log.log import Entry

HIDDEN = "***"
# By the type of the event. What a server said of a mail names the address too.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "session.deferred": ("email",),
    "mail.sent": ("to",),
    "mail.failed": ("to", "detail"),
}


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
    parsed = orjson.loads(facts)
    return orjson.dumps(parsed | {field: HIDDEN for field in FIELDS.get(type_, ()) if field in parsed})
