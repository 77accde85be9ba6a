"""What models have cost, for who may see the team's figures."""

import csv
import io

import pytest

from actors import Agent, Stage, code_of, data_of
from conftest import ON_ONE_DATABASE
from kefu.ai.budget import Books, Payer
from kefu.ai.catalog import Price
from kefu.ai.ports import Finished, Usage
from kefu.kit.db import Database

SPENT = Finished("openai", "mini", Usage(1000, 500, is_estimated=False))


@pytest.fixture
async def lead(db: Database, stage: Stage) -> Agent:
    """Who comes when two calls were made for one shop and one for another."""
    books = Books(db, "Asia/Shanghai", lambda _: Price(1.0, 2.0))
    for shop, purpose in (("default", "answer"), ("default", "answer"), ("=cmd|x", "packet")):
        await books.settle(Payer(shop), purpose, SPENT, None)
    return await stage.agent("lead", "supervisor")


async def test_tokens_and_money_by_shop_day_and_provider(lead: Agent) -> None:
    used = data_of(await lead.get("/api/reports/costs"))["used"]
    assert [(one["shop"], one["provider"], one["purpose"], one["calls"]) for one in used] == [
        ("=cmd|x", "openai", "packet", 1),
        ("default", "openai", "answer", 2),
    ]
    assert (used[1]["tokens_in"], used[1]["tokens_out"], used[1]["cost"]) == (2000, 1000, pytest.approx(0.004))
    one = data_of(await lead.get("/api/reports/costs?shop=default"))
    assert one["used"] == [used[1]]
    assert used[0]["day"] == one["last"]
    past = data_of(await lead.get("/api/reports/costs?from=2020-01-01&to=2020-02-01"))
    assert past == {"first": "2020-01-01", "last": "2020-02-01", "used": []}


async def test_as_a_file_that_no_spreadsheet_runs(lead: Agent) -> None:
    answer = await lead.get("/api/reports/costs/file?locale=zh")
    assert answer.headers["content-disposition"].endswith('.csv"')
    rows = list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert rows[0][0] == "店铺"
    assert rows[1][0] == "'=cmd|x"
    assert rows[2][5:] == ["2", "2000", "1000", "0.004000"]


@ON_ONE_DATABASE
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("from=2026-02-02&to=2026-02-01", 422),
        ("from=2024-01-01&to=2026-01-01", 422),
        ("to=0001-01-01", 200),
        ("from=9999-12-31", 422),
        ("from=yesterday", 422),
        ("shop=A%20B", 422),
    ],
)
async def test_days_that_are_none_are_refused(lead: Agent, query: str, status: int) -> None:
    answer = await lead.get(f"/api/reports/costs?{query}")
    assert answer.status_code == status, answer.text
    if "from=2" in query:
        assert code_of(answer) == "BAD_DAYS"


async def test_not_for_everybody(stage: Stage) -> None:
    mei = await stage.agent("mei")
    assert (await mei.get("/api/reports/costs")).status_code == 403
    assert (await mei.get("/api/reports/costs/file")).status_code == 403
