"""The server is lost under load, and what was backed up of it comes back elsewhere."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from faults.checker import Found, violations
from faults.crowd import Crowd
from faults.people import Line
from faults.process import PROGRAM, Kefu
from faults.stored import found
from faults.waiting import until
from kefu.accounts.audit import Keys
from kefu.accounts.verifying import verify
from kefu.backups.models import Backup
from kefu.kit.db import Database
from kefu.log.models import Event

KEY = "8f0c2a61d97e4b35a1c6e08d52f7b94310aa5c7d2e9f4b68"
WITHIN = 60
OWED = "was never answered"


@dataclass(frozen=True)
class Loss:
    """`lost`: of what was `acknowledged`. `seconds`: from the newest event that is there to the end of the server.

    `wrong`: what was acknowledged before the last backup, or the last of the WAL, and is not there; and whatever is
    doubled, out of order or not the fold of its log.
    """

    acknowledged: int
    lost: int
    seconds: float
    wrong: list[str]


async def loss(db: Database, line: Line, promised: int, ended: int, prefix: str = "") -> Loss:
    """Compare the restored database with what was acknowledged, the first `promised` of it before the backup.

    `ended`: when the server died, Unix ms. `prefix`: of the sessions' names.
    """
    acks = line.told.acks
    there = await found(db, line.told, [], prefix)
    stored = {(name, entry.client_msg_id) for name, log in there.logs.items() for entry in log}
    lost = [ack for ack in acks if (ack.session, ack.client_msg_id) not in stored]
    there.acks = acks[:promised]
    there.shouted |= {(ack.session, ack.client_msg_id) for ack in acks[promised:]}
    async with db.read() as tx:
        own = Event.stream.startswith(f"session/{prefix}", autoescape=True)
        newest = await tx.scalar(select(func.max(Event.at)).where(own)) or 0
    return Loss(len(acks), len(lost), (ended - newest) / 1000, _wrong(there))


def _wrong(there: Found) -> list[str]:
    """Who still waits for the bot gets their answer where the product is started again: its work is in the queue."""
    jobs, there.jobs = there.jobs, 0
    wrong = violations(there)
    owed = [one for one in wrong if one.endswith(OWED)]
    return [one for one in wrong if one not in owed] if len(owed) <= jobs else wrong


async def talked(line: Line, crowd: Crowd) -> int:
    """Wait until people have been told something new; how many acknowledgements there are then."""
    await crowd.get_on()
    return len(line.told.acks)


async def audit_is_whole(db: Database, kefu: Kefu) -> bool:
    """Whether there is a chain, and it verifies. Raises Broken."""
    heads = [head async for head, _ in verify(db, Keys(kefu.environment["JWT_SECRET_KEY"]))]
    return bool(heads)


async def is_recovered(db: Database) -> bool:
    """PostgreSQL serves readers before it has read all of the WAL."""
    ((is_recovering,),) = await db.fetch("SELECT pg_is_in_recovery()")
    return not is_recovering


async def wal_is_followed(url: str, since: int) -> None:
    """Until a round that began later than that (Unix ms) has brought in its part of the WAL.

    Over connections that are closed again before anybody kills the server.
    """
    db = Database(url)

    async def is_there() -> bool:
        async with db.read() as tx:
            at = await tx.scalar(select(Backup.at).where(Backup.part == "wal"))
        return at is not None and at > since

    try:
        await until(is_there, WITHIN)
    finally:
        await db.close()


async def started(kefu: Kefu, *words: str) -> asyncio.subprocess.Process:
    """Another `kefu` command beside the server, that goes on."""
    return await asyncio.create_subprocess_exec(PROGRAM, *words, cwd=kefu.home, env=kefu.environment)


async def command(kefu: Kefu, *words: str) -> str:
    code, output = await kefu.run(*words)
    assert code == 0, output
    return output


def machine(home: Path, database_url: str = "") -> Kefu:
    home.mkdir()
    return Kefu(home, database_url, BACKUP_KEY=KEY)
