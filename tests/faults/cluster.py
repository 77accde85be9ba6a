"""Kefu as it runs in production: two app processes and a worker behind nginx, on PostgreSQL and Redis.

Everything is one test's own and may be killed; each wire between them leads through a proxy and may be broken.
"""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from itertools import count, islice
from pathlib import Path

import httpx2

from accounts.team import with_keys
from faults.nginx import Nginx
from faults.people import Line
from faults.postgres import Postgres
from faults.process import ADMIN_PASSWORD, UP_SECONDS, Kefu, KefuWorker
from faults.proxy import Proxy
from faults.redis import Redis
from faults.waiting import until
from kefu.accounts.passwords import hash_password
from kefu.accounts.service import NewAgent, create_agent
from kefu.kit.db import Database

# nginx tries a process that was away again after this time (fail_timeout in deploy/nginx/kefu.conf), and a bit.
NOTICED_SECONDS = 1.5


class Cluster:
    """`front`: the wire from the clients to nginx; `to_database`, `to_redis`: from the Kefu processes.

    `drained`: exit code and seconds of each process that was asked to stop.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.postgres = Postgres(_folder(home, "postgres"))
        self.redis: Redis | None = None
        self.to_database = Proxy(self.postgres.port)
        self.to_redis: Proxy | None = None
        self.drained: list[tuple[int, float]] = []
        self._usernames = (f"rival-{n}" for n in count(1))

    async def start(self, stack: AsyncExitStack, *, with_redis: bool) -> None:
        """Start everything; `stack` ends it again."""
        stack.push_async_callback(self.postgres.stop)
        await self.postgres.create()
        await self.postgres.start()
        await stack.enter_async_context(self.to_database)
        settings = {"KEFU_ENV": "development"}
        if with_redis:
            self.redis = Redis(_folder(self.home, "redis"))
            stack.push_async_callback(self.redis.kill)
            await self.redis.start()
            self.to_redis = await stack.enter_async_context(Proxy(self.redis.port))
            settings["REDIS_URL"] = f"redis://127.0.0.1:{self.to_redis.port}/0"
        await self._start_kefu(stack, settings)
        self.nginx = Nginx(_folder(self.home, "nginx"), *(app.port for app in self.apps))
        stack.push_async_callback(self.nginx.kill)
        await self.nginx.start()
        self.front = await stack.enter_async_context(Proxy(self.nginx.port))

    async def _start_kefu(self, stack: AsyncExitStack, settings: dict[str, str]) -> None:
        url = f"postgresql://kefu@127.0.0.1:{self.to_database.port}/postgres"
        self.apps = [Kefu(_folder(self.home, f"app-{n}"), url, **settings) for n in (1, 2)]
        self.worker = KefuWorker(_folder(self.home, "worker"), url, **settings)
        code, output = await self.apps[0].run("migrate")
        assert code == 0, output
        for process in (*self.apps, self.worker):
            stack.push_async_callback(process.kill)
        await self.apps[0].start()  # it makes the first shop and the first admin
        await asyncio.gather(self.apps[1].start(), self.worker.start())
        self.db = with_keys(Database(self.postgres.url))
        stack.push_async_callback(self.db.close)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.front.port}"

    @property
    def wires(self) -> dict[str, Proxy]:
        wires = {"client": self.front, "PostgreSQL": self.to_database}
        return {**wires, "Redis": self.to_redis} if self.to_redis else wires

    async def hire(self, line: Line, agents: int) -> dict[str, str]:
        """Accounts for so many agents, who may look on while others serve; returns their tokens by their ids."""
        password_hash = await hash_password(ADMIN_PASSWORD)
        tokens = {}
        for username in islice(self._usernames, agents):
            new = NewAgent(username, username, "supervisor", password_hash, must_change_password=False)
            async with self.db.write() as tx:
                agent = await create_agent(tx, new)
            tokens[str(agent.id)] = await line.sign_in(username)
        return tokens

    async def roll(self) -> None:
        """Restart the apps one after the other and then the worker, as docs/operate/postgresql.md says."""
        for app in self.apps:
            self.drained.append(await app.terminate())
            await app.start()
            await until(partial(is_ready, app), UP_SECONDS)
            await asyncio.sleep(NOTICED_SECONDS)
        self.drained.append(await self.worker.terminate())
        await self.worker.start()

    def failed(self) -> list[object]:
        """What the Kefu processes logged as their own fault."""
        return [dict(line) for process in (*self.apps, self.worker) for line in process.logged("request.failed")]


async def is_ready(app: Kefu) -> bool:
    async with httpx2.AsyncClient(trust_env=False, timeout=10) as client:
        try:
            return (await client.get(f"{app.address}/api/health/ready")).status_code == 200
        except httpx2.TransportError:
            return False


def _folder(home: Path, name: str) -> Path:
    folder = home / name
    folder.mkdir()
    return folder


def _open_to_others(home: Path) -> Path:
    """PostgreSQL runs as somebody else."""
    home.chmod(0o755)
    return home


@asynccontextmanager
async def cluster(*, with_redis: bool = True) -> AsyncIterator[Cluster]:
    """Raises servers.Missing."""
    with tempfile.TemporaryDirectory(prefix="kefu-cluster-", ignore_cleanup_errors=True) as home:
        async with AsyncExitStack() as stack:
            made = Cluster(_open_to_others(Path(home)))
            await made.start(stack, with_redis=with_redis)
            yield made
