"""Reading the log: who may, by what, page by page, and as a file."""

import csv
import io
import re
from html import unescape
from typing import Any
from zipfile import ZipFile

import pytest
from sqlalchemy import text

from actors import Agent, Stage, code_of, data_of
from audit.audited import entries
from kefu.accounts import audit_files, audit_queries
from kefu.accounts.audit import audit
from kefu.accounts.audit_queries import Wanted, newest_first
from kefu.kit.db import Database, is_sqlite
from kefu.kit.spreadsheets import csv_cell

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\uff1d1+1", ' =HYPERLINK("http://x")']


@pytest.fixture
async def root(stage: Stage) -> Agent:
    return await stage.agent("root", "super_admin")


async def asks(root: Agent, query: str = "") -> Any:
    return data_of(await root.get(f"/api/audit{query}"))


def seqs(page: Any) -> list[int]:
    return [one["seq"] for one in page["entries"]]


async def write(db: Database, count: int, **after: object) -> None:
    async with db.write() as tx:
        for n in range(count):
            audit(tx, "thing.changed", ("thing", f"t{n}"), after=after or {"n": n})


def sheet_of(content: bytes) -> list[list[str]]:
    """The texts of the rows of an Excel file, which has nothing but texts in it."""
    xml = ZipFile(io.BytesIO(content)).read("xl/worksheets/sheet1.xml").decode()
    rows = re.findall(r"<row .*?</row>", xml)
    cells = [re.findall(r'<c r="[A-Z]+\d+" t="inlineStr"><is><t[^>]*>(.*?)</t></is></c>', row) for row in rows]
    assert xml.count("<c ") == xml.count('t="inlineStr"') == sum(map(len, cells))
    return [list(map(unescape, row)) for row in cells]


async def test_super_admins_read_it_and_nobody_else(stage: Stage, root: Agent) -> None:
    shown = (await asks(root))["entries"]
    assert [one["action"] for one in shown] == ["agent.signed_in", "agent.created"]
    assert shown[0]["actor"] == {"id": root.id, "name": "Root", "role": "super_admin"}
    assert shown[0]["object"] == {"type": "agent", "id": root.id}
    assert shown[1]["actor"] == {"id": "", "name": "", "role": "system"}
    assert (shown[1]["before"], shown[1]["after"]["username"]) == (None, "root")
    for role in ("supervisor", "agent", "inspector"):
        agent = await stage.agent(role, role)
        for path in ("/api/audit", "/api/audit/export"):
            assert code_of(await agent.get(path)) == "FORBIDDEN"
    assert (await stage.http.get("/api/audit")).status_code == 401


async def test_it_is_read_page_by_page_while_more_is_written(root: Agent, db: Database) -> None:
    await write(db, 7)
    first = await asks(root, "?limit=4&action=thing.changed")
    await write(db, 2)
    rest = await asks(root, f"?limit=4&action=thing.changed&cursor={first['next_cursor']}")
    assert (first["has_more"], rest["has_more"], rest["next_cursor"]) == (True, False, None)
    assert seqs(first) + seqs(rest) == [9, 8, 7, 6, 5, 4, 3]
    assert code_of(await root.get("/api/audit?cursor=nonsense")) == "BAD_CURSOR"
    for wrong in ("limit=0", "limit=201", "time_start=x", "action=%00", "q=%00", "actor=a%20b", f"q={'x' * 101}"):
        assert code_of(await root.get(f"/api/audit?{wrong}")) == "VALIDATION_FAILED", wrong


async def test_it_is_narrowed_by_actor_action_object_time_and_text(stage: Stage, root: Agent, db: Database) -> None:
    lead = await stage.agent("lead", "supervisor")
    data_of(await lead.post("/api/tags", {"name": "Wet 100%"}), 201)
    await write(db, 3)
    (tag,) = await entries(db, "tag.created")
    (made,) = (await asks(root, f"?actor={lead.id}&action=tag.created"))["entries"]
    assert (made["seq"], made["after"]["name"]) == (tag.seq, {"en": "Wet 100%", "zh": "Wet 100%"})
    assert seqs(await asks(root, "?object_type=thing&object_id=t1")) == [tag.seq + 2]
    assert seqs(await asks(root, f"?actor=system&time_start={tag.at / 1000}")) == [tag.seq + n for n in (3, 2, 1)]
    assert seqs(await asks(root, f"?time_end={(tag.at - 1) / 1000}&actor={lead.id}")) == [tag.seq - 1]
    for said in ("wet 100%25", tag.object_id, "127.0.0.1"):
        assert tag.seq in seqs(await asks(root, f"?q={said}&action=tag.created")), said
    for unsaid in ("wet_100", "dry", "wet%25wet"):
        assert seqs(await asks(root, f"?q={unsaid}")) == [], unsaid


async def test_a_text_is_looked_for_stretch_by_stretch(
    root: Agent, db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await write(db, 1, said="the needle")
    await write(db, 25)
    monkeypatch.setattr(audit_queries, "SEARCHED", 10)
    pages: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await asks(root, f"?q=needle&cursor={cursor}")
        pages.append(len(page["entries"]))
        cursor = page["next_cursor"]
    assert pages == [0, 0, 1]


async def test_every_filter_goes_by_an_index(db: Database) -> None:
    await write(db, 500)
    if not db.is_sqlite:
        await db.execute("ANALYZE audit_entries")
    async with db.read() as tx:
        for switch in () if is_sqlite(tx) else ("seqscan", "bitmapscan", "sort", "incremental_sort"):
            await tx.execute(text(f"SET LOCAL enable_{switch} = off"))
        for wanted, index in (
            (Wanted(actor="a", after=[9, 9]), "actor"),
            (Wanted(action="a", since=5), "action"),
            (Wanted(object_type="a", object_id="b"), "object"),
            (Wanted(since=5, until=9), "at"),
        ):
            query = newest_first(wanted).compile(tx.get_bind(), compile_kwargs={"literal_binds": True})
            explain = "EXPLAIN QUERY PLAN " if is_sqlite(tx) else "EXPLAIN "
            plan = "\n".join(map(str, await tx.execute(text(f"{explain} {query}"))))
            assert f"ix_audit_entries_{index}" in plan
            assert not re.search("Sort|TEMP B-TREE", plan), plan


async def test_it_is_exported_as_csv_in_which_nothing_is_a_formula(root: Agent, db: Database) -> None:
    for formula in FORMULAS:
        async with db.write() as tx:
            audit(tx, "thing.changed", ("thing", formula), after={"said": '"quoted", 你好'})
    answer = await root.get("/api/audit/export?format=csv&action=thing.changed&locale=zh")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert answer.content.startswith("\ufeff".encode())
    head, *rows = csv.reader(io.StringIO(answer.content.decode("utf-8-sig")))
    assert head[:4] == ["序号", "时间（UTC）", "操作人", "操作人 ID"]
    assert [row[7] for row in rows] == [f"'{formula}" for formula in reversed(FORMULAS)]
    assert {row[9] for row in rows} == {'{"said":"\\"quoted\\", 你好"}'}
    (exported,) = await entries(db, "audit.exported")
    assert (exported.actor_id, exported.after) == (root.id, '{"action":"thing.changed","locale":"zh"}')


async def test_it_is_exported_as_a_sheet_of_text(root: Agent, db: Database) -> None:
    async with db.write() as tx:
        audit(tx, "thing.changed", ("thing", "=1+1"), after={"said": "你好"})
    answer = await root.get("/api/audit/export?format=xlsx&object_type=thing")
    head, row = sheet_of(answer.content)
    assert head[5:8] == ["Action", "Kind of object", "Object"]
    assert row[4:10] == ["system", "thing.changed", "thing", "'=1+1", "", '{"said":"你好"}']
    assert code_of(await root.get("/api/audit/export?format=pdf")) == "VALIDATION_FAILED"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_file_that_does_not_have_all_says_so(
    root: Agent, db: Database, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    await write(db, 9)
    monkeypatch.setattr(audit_files, "LIMIT", 5)
    monkeypatch.setattr(audit_queries, "BATCH", 2)
    answer = await root.get(f"/api/audit/export?format={kind}&action=thing.changed")
    lines = csv.reader(io.StringIO(answer.content.decode("utf-8-sig"))) if kind == "csv" else sheet_of(answer.content)
    rows = list(lines)
    assert len(rows) == 7
    assert "newest 5" in rows[-1][0]


@pytest.mark.parametrize("value", [*FORMULAS, "|calc", "\r=1", "\x00=1"])
def test_no_cell_begins_a_formula(value: str) -> None:
    assert csv_cell(value).startswith("\"'")


@pytest.mark.parametrize(("value", "shown"), [(None, '""'), (7, '"7"'), ('a"b', '"a""b"'), ("a\nb", '"a\nb"')])
def test_other_cells_stay_as_they_are(value: object, shown: str) -> None:
    assert csv_cell(value) == shown
