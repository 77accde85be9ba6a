"""A server of each test's own, to be killed, and a line to it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from faults.people import Line, line_to
from faults.process import Kefu


@pytest.fixture
async def kefu(database_url: str, tmp_path: Path) -> AsyncIterator[Kefu]:
    kefu = Kefu(tmp_path, database_url)
    await kefu.start()
    yield kefu
    await kefu.kill()


@pytest.fixture
async def line(kefu: Kefu) -> AsyncIterator[Line]:
    async with line_to(kefu.address) as line:
        yield line
