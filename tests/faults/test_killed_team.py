"""The server is killed with -9 in the middle of what agents do among themselves: nothing happens twice or hangs."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from pathlib import Path

import httpx2
import pytest
from sqlalchemy import update

from actors import Agent, Stage, Visitor
from channels.conftest import CLOSED
from channels.post_office import PostOffice, post_office
from faults.process import Kefu, KefuWorker
from faults.waiting import until
from jobs.work import let_leases_pass
from kefu.kit.clock import now_ms
from kefu.kit.db import Database
from kefu.sessions.fold import fold_all
from kefu.shops.models import Shop
from kefu.shops.service import FIRST_SHOP, put_shop
from routing.scene import assigns, has_waited, set_agent, types_of
from sessions.records import all_of, columns_of
from transfers.desk import answers, asked

ROUNDS = 2
PATIENCE = 40.0
LETTER = {"email": "anna@example.com", "message": "电池坏了", "client_msg_id": "l1"}


@pytest.fixture
async def office() -> AsyncIterator[PostOffice]:
    async with post_office() as office:
        yield office


@pytest.fixture
async def installation(database_url: str, tmp_path: Path, office: PostOffice) -> AsyncIterator[list[Kefu]]:
    """What runs on the database: one process on SQLite, another one for the mail on PostgreSQL."""
    mail = {
        "SMTP_HOST": "127.0.0.1",
        "SMTP_PORT": str(office.port),
        "SMTP_USE_TLS": "false",
        "EMAIL_FROM": "kefu@shop.example",
        "EMAIL_RECIPIENTS": "desk@shop.example",
    }
    kinds = (Kefu,) if database_url.startswith("sqlite") else (Kefu, KefuWorker)
    processes = []
    for kind in kinds:
        home = tmp_path / kind.__name__
        home.mkdir()
        processes.append(kind(home, database_url, **mail))
        await processes[-1].start()
    yield processes
    for one in processes:
        await one.kill()


class Scene:
    """What was begun, and must have come to its end once."""

    def __init__(self, stage: Stage, db: Database, mei: Agent, bob: Agent) -> None:
        self.stage, self.db, self.mei, self.bob = stage, db, mei, bob
        self.asking: list[Visitor] = []
        self.late: list[Visitor] = []
        self.writing: list[Visitor] = []
        self.handed: dict[str, Visitor] = {}

    async def set_up(self) -> None:
        for agent in (self.mei, self.bob):
            await set_agent(self.db, agent, last_seen_at=now_ms() + 60_000)
        self.asking += [await self.stage.visitor() for _ in range(3)]
        self.writing.append(await self.stage.visitor(shop="night"))
        late, held = await self.stage.visitor(), await self.stage.visitor()
        await late.asks_for_a_person()
        await has_waited(self.db, late, 400)
        self.late.append(late)
        await self.mei.takes_over(held)
        self.handed[await asked(self.mei, held, self.bob)] = held

    async def act(self) -> None:
        """Everything at once; whoever gets no answer does it again another time."""
        await self.db.execute("UPDATE jobs SET run_at = $1 WHERE key = 'remind_queue'", now_ms())
        await asyncio.gather(
            *(self._try(one.post("/api/manual/escalate", {"session_name": one.name})) for one in self.asking),
            *(self._try(one.post(f"/api/sessions/{one.name}/email", LETTER)) for one in self.writing),
            *(self._try(answers(self.bob, request_id, "accept")) for request_id in self.handed),
        )

    async def _try(self, request: Awaitable[httpx2.Response]) -> None:
        with suppress(httpx2.TransportError):
            assert (await request).status_code < 500

    async def is_done(self) -> bool:
        wanted = (
            [(one, "session.assigned") for one in self.asking]
            + [(one, "queue.reminded") for one in self.late]
            + [(one, "mail.sent") for one in self.writing]
            + [(one, "session.transferred") for one in self.handed.values()]
        )
        return all([type_ in await types_of(self.db, one) for one, type_ in wanted])


async def check(scene: Scene, office: PostOffice, db: Database) -> None:
    """Each thing stands once in its log, each row is the fold of its log, and a mail that came twice can be told."""
    once = {
        "session.assigned": scene.asking,
        "queue.reminded": scene.late,
        "mail.sent": scene.writing,
        "session.transferred": [*scene.handed.values()],
        "transfer.accepted": [*scene.handed.values()],
    }
    for type_, visitors in once.items():
        for visitor in visitors:
            row, log = await all_of(db, visitor.name)
            assert [one.type for one in log].count(type_) == 1, [one.type for one in log]
            folded = columns_of(fold_all(visitor.name, log))
            assert folded == row | {"escalated_at": folded["escalated_at"]}  # the test made some waits longer
    ids = {str(mail["Message-ID"]) for _, mail in office.mails}
    assert len(ids) == len(scene.writing)


async def told_by_the_worker(scene: Scene, db: Database) -> None:
    """On PostgreSQL another process ends the request, and no bus joins the two."""
    held, desk = await scene.stage.visitor(), await scene.mei.watches_the_desk()
    await desk.sees("stream.ready")
    await scene.mei.takes_over(held)
    request_id = await asked(scene.mei, held, scene.bob)
    await db.execute("UPDATE jobs SET run_at = $1 WHERE kind = 'expire_transfer'", now_ms())
    await desk.sees("transfer.changed", PATIENCE, request_id=request_id, status="expired")
    await scene.stage.close()


async def test_what_was_begun_ends_once_however_often_the_process_is_killed(
    installation: list[Kefu], office: PostOffice, db: Database
) -> None:
    async with httpx2.AsyncClient(base_url=installation[0].address, timeout=20, trust_env=False) as http:
        stage = Stage(db, http)
        async with db.write() as tx:
            await put_shop(tx, **FIRST_SHOP | {"id": "night"})
            await tx.execute(update(Shop).where(Shop.id == "night").values(hours=CLOSED))
        await assigns(db, accept_seconds=600)
        scene = Scene(stage, db, await stage.agent("mei"), await stage.agent("bob"))
        for _ in range(ROUNDS):
            await scene.set_up()
            acting = asyncio.create_task(scene.act())
            await asyncio.sleep(random.uniform(0, 0.25))
            for one in installation:
                await one.kill()
            await acting
            for one in installation:
                await one.start()
        await let_leases_pass(db)  # of those who were killed
        await scene.act()
        await until(scene.is_done, PATIENCE)
        await told_by_the_worker(scene, db)
    await check(scene, office, db)
    assert installation[0].logged("request.failed") == []
