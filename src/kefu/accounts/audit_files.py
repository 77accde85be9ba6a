"""The audit log as a file: CSV as it is read, or a sheet for Excel."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from typing import IO, Literal

from kefu.accounts.audit_queries import Wanted, all_pages
from kefu.accounts.models import AuditEntry
from kefu.kit.clock import iso
from kefu.kit.db import Database
from kefu.kit.i18n import Locale, Text
from kefu.kit.spreadsheets import BOM, cell, csv_row

Format = Literal["csv", "xlsx"]
MEDIA: dict[Format, str] = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
LIMIT = 100_000
CHUNK = 65_536
COLUMNS: tuple[tuple[str, Text, int], ...] = (
    ("seq", {"en": "No.", "zh": "序号"}, 10),
    ("at", {"en": "Time (UTC)", "zh": "时间（UTC）"}, 25),
    ("actor_name", {"en": "Who", "zh": "操作人"}, 16),
    ("actor_id", {"en": "Who (id)", "zh": "操作人 ID"}, 28),
    ("actor_role", {"en": "Role", "zh": "角色"}, 14),
    ("action", {"en": "Action", "zh": "操作"}, 26),
    ("object_type", {"en": "Kind of object", "zh": "对象类型"}, 14),
    ("object_id", {"en": "Object", "zh": "对象"}, 30),
    ("before", {"en": "Before", "zh": "修改前"}, 40),
    ("after", {"en": "After", "zh": "修改后"}, 40),
    ("address", {"en": "Address", "zh": "IP 地址"}, 18),
    ("user_agent", {"en": "Browser", "zh": "浏览器"}, 30),
    ("request_id", {"en": "Request", "zh": "请求 ID"}, 20),
    ("hash", {"en": "Hash", "zh": "哈希"}, 66),
)
MORE: Text = {
    "en": "There are more: this file has the newest {limit:,}. Narrow the time for the others.",
    "zh": "还有更多记录：本文件仅含最新的 {limit:,} 条，请缩小时间范围后再导出其余记录。",
}

Line = list[object]


def head_of(locale: Locale) -> Line:
    return [title[locale] for _, title, _ in COLUMNS]


async def lines(db: Database, wanted: Wanted, locale: Locale) -> AsyncIterator[list[Line]]:
    """The entries, newest first, in batches; the last line says so when there are more than LIMIT."""
    left = LIMIT
    async for found in all_pages(db, wanted):
        yield [_line(entry) for entry in found[:left]]
        if len(found) > left:
            yield [[MORE[locale].format(limit=LIMIT)]]
            return
        left -= len(found)


def _line(entry: AuditEntry) -> Line:
    return [iso(entry.at) if name == "at" else getattr(entry, name) for name, _, _ in COLUMNS]


async def csv_file(db: Database, wanted: Wanted, locale: Locale) -> AsyncIterator[bytes]:
    yield (BOM + csv_row(head_of(locale))).encode()
    async for batch in lines(db, wanted, locale):
        yield "".join(map(csv_row, batch)).encode()


async def xlsx_file(db: Database, wanted: Wanted, locale: Locale) -> IO[bytes]:
    """A file that is gone when it is closed. It is written row by row, on another thread than the one that serves."""
    from xlsxwriter import Workbook  # noqa: PLC0415 - only who takes the audit log as a sheet needs it

    file = tempfile.TemporaryFile()  # noqa: SIM115 - who reads it to the end closes it (`chunks`)
    book = Workbook(file, {"constant_memory": True})
    sheet = book.add_worksheet()
    sheet.freeze_panes(1, 0)
    for column, (_, _, width) in enumerate(COLUMNS):
        sheet.set_column(column, column, width)
    row = 0

    def write(batch: list[Line]) -> None:
        nonlocal row
        for line in batch:
            for column, value in enumerate(line):
                sheet.write_string(row, column, cell(value))
            row += 1

    write([head_of(locale)])
    async for batch in lines(db, wanted, locale):
        await asyncio.to_thread(write, batch)
    await asyncio.to_thread(book.close)
    return file


def chunks(file: IO[bytes]) -> Iterator[bytes]:
    """The whole file, which is closed at the end."""
    with file:
        file.seek(0)
        while chunk := file.read(CHUNK):
            yield chunk
