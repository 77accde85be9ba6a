"""A visitor's contact data is for who serves visitors: no answer to an inspector has it, whatever is asked."""

from collections.abc import Iterator

import pypdfium2
import pytest
from fastapi import FastAPI

from actors import Agent, Stage, Visitor, data_of
from kefu.kit.db import Database
from kefu.log.log import SYSTEM, Fact
from kefu.sessions.after_hours import record_mail
from kefu.sessions.service import locked, moved, record
from kefu.sessions.states import Move
from kefu.shops.customers import Customer
from realtime.socket_watch import connects

CANARY = "canary.anna@example.com"
EVENTS = ("session.deferred", "mail.sent", "mail.failed", "session.identified", "customer.described")

# What the database has no part in is tested on one.
on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
async def left(visitor: Visitor, db: Database) -> Visitor:
    """A visitor who left an address, at which one mail came and another did not."""
    await visitor.says("Bitte schreiben Sie mir")
    async with db.write() as tx:
        session = await locked(tx, visitor.name)
        await record(tx, session, moved(session, Move.DEFER, SYSTEM, reason="manual", email=CANARY))
        await record_mail(tx, visitor.name, "mail.sent", purpose="reply", to=CANARY)
        await record_mail(tx, visitor.name, "mail.failed", purpose="reply", to=CANARY, detail=f"550 <{CANARY}>")
        customer = Customer("7", email=CANARY, verified_by="token").facts
        identity = {"customer": customer, "visitor_id": session.visitor_id, "identity_epoch": session.identity_epoch}
        await record(tx, session, Fact("session.identified", SYSTEM, identity, audience="internal"))
        await record(tx, session, Fact("customer.described", SYSTEM, {"customer": customer}, audience="internal"))
        await record(
            tx, session, Fact("note.added", SYSTEM, {"note_id": "n-1", "content": "called"}, audience="internal")
        )
    return visitor


def paths(app: FastAPI, name: str) -> Iterator[str]:
    """Every GET of the description, of the session where one is named; a transcript in each of its forms."""
    for path, methods in app.openapi()["paths"].items():
        if "get" in methods and path != "/api/agent/events":
            filled = path.replace("{name}", name).replace("{agent_id}", "a").replace("{role_id}", "agent")
            yield filled.replace("{", "").replace("}", "") + ("?wait=0" if path.endswith("{name}/events") else "")
    for form in ("txt", "json"):
        yield f"/api/sessions/{name}/transcript?format={form}&include=internal"
    yield f"/api/sessions?keyword={CANARY}"


async def shown_to(who: Agent, app: FastAPI, name: str) -> set[str]:
    """The addresses whose answers have it, a page of the log, a stream and a socket among them."""
    answers = {path: await who.get(path) for path in paths(app, name)}
    assert {answers[path].status_code for path in (f"/api/sessions/{name}", f"/api/sessions/{name}/events?wait=0")} == {
        200
    }
    streams = {"stream": await who.follows(name), "socket": await connects(who, name)}
    for one in streams.values():
        await one.sees("stream.ready")
    pdf = await who.get(f"/api/sessions/{name}/transcript?format=pdf&include=internal")
    document = pypdfium2.PdfDocument(pdf.content)
    texts = {path: answer.text.removeprefix(CANARY) for path, answer in answers.items()}
    texts |= {name: str(one.frames) for name, one in streams.items()}
    texts["pdf"] = "".join(page.get_textpage().get_text_bounded() for page in document).replace("\r\n", "")
    document.close()
    return {path.replace(name, "NAME") for path, text in texts.items() if CANARY in text}


@on_sqlite
async def test_nothing_an_inspector_gets_has_it(app: FastAPI, stage: Stage, left: Visitor, db: Database) -> None:
    inspector, lead = await stage.agent("ida", "inspector"), await stage.agent("chen", "supervisor")
    ready = await inspector.follows(left.name)
    await ready.sees("stream.ready")
    assert await shown_to(inspector, app, left.name) == set()
    assert await shown_to(lead, app, left.name) == {
        "/api/events",
        "/api/sessions/NAME",
        "/api/sessions/NAME/events?wait=0",
        "/api/sessions/NAME/log",
        "/api/sessions/NAME/transcript?format=json&include=internal",
        "/api/sessions/NAME/transcript?format=txt&include=internal",
        "pdf",
        "socket",
        "stream",
    }
    async with db.write() as tx:
        await record_mail(tx, left.name, "mail.sent", purpose="confirmation", to=CANARY)
    await ready.sees("mail.sent", to="***", purpose="confirmation")
    assert [frame["email"] for frame in ready.frames if frame["type"] == "session.deferred"] == ["***"]
    assert data_of(await inspector.get(f"/api/sessions/{left.name}"))["session"]["email"] is None
    own = await left.follows(left.name)
    await own.sees("session.deferred", email=CANARY)
