"""How Redis goes away and comes back, and how that is seen."""

from actors import Stage, data_of
from faults.proxy import Proxy
from faults.waiting import until
from kefu.kit.db import Database
from kefu.sessions.states import Status
from kefu.sessions.store import DatabaseStore, SessionStore, row_of

HEALED_WITHIN = 20.0
EXPIRE_SECONDS = 86_400


async def health(stage: Stage) -> tuple[str, str]:
    body = data_of(await stage.http.get("/api/health"))
    return body["status"], body["redis"]


async def says_of_redis(stages: list[Stage], *what: str) -> None:
    async def does() -> bool:
        return all([await health(stage) == what for stage in stages])

    await until(does, HEALED_WITHIN)


async def equals_the_database(store: SessionStore, db: Database) -> bool:
    truth = DatabaseStore(db, EXPIRE_SECONDS)
    for status in Status:
        rows = [*map(row_of, await truth.list_by_status(status, 1000))]
        if [*map(row_of, await store.list_by_status(status, 1000))] != rows:
            return False
    return await store.get_stats() == await truth.get_stats()


async def break_wire(wire: Proxy, how: str) -> None:
    match how:
        case "refuses":
            wire.refuse()
            wire.cut_all()
        case "is silent":
            wire.hush()
        case "is slow":
            wire.delay = 0.05


async def mend(wire: Proxy) -> None:
    wire.heal()
    await wire.accept()
