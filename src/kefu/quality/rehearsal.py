"""A copy of one shop's published knowledge, to see what the bot would say if it were changed.

It is an SQLite file of its own, whose other tables are empty: the rehearsal takes no lock of the live database, and
every database finds the same.
"""

import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Select, and_, insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from kefu.kit.db import Database
from kefu.knowledge import search_ddl
from kefu.knowledge.models import Article, ArticleVersion, KnowledgeState, Passage, Term

CHUNK = 200


@asynccontextmanager
async def copied(db: Database, shop: str, article_id: str) -> AsyncIterator[Database]:
    """The copy, with this article whatever its status. It is gone when the block ends."""
    with tempfile.TemporaryDirectory(prefix="kefu-rehearsal-") as folder:
        copy = Database(f"sqlite:///{Path(folder, 'knowledge.db')}")
        try:
            async with copy.engine.begin() as connection:
                await connection.run_sync(_create)
            async with db.read() as tx, copy.write() as to:
                await _copy(tx, to, shop, article_id)
            yield copy
        finally:
            await copy.close()


def _create(connection: Connection) -> None:
    Article.metadata.create_all(connection)
    search_ddl.create(connection)


async def _copy(tx: AsyncSession, to: AsyncSession, shop: str, article_id: str) -> None:
    is_wanted = and_(Article.shop == shop, or_(Article.public_version.is_not(None), Article.id == article_id))
    is_said = or_(ArticleVersion.version == Article.public_version, ArticleVersion.article_id == article_id)
    versions = select(ArticleVersion.__table__).join(Article, Article.id == ArticleVersion.article_id)
    queries: dict[Any, Select[Any]] = {
        Article: select(Article.__table__).where(is_wanted),
        ArticleVersion: versions.where(is_wanted, is_said),
        **{table: select(table.__table__).where(table.shop == shop) for table in (Passage, Term, KnowledgeState)},
    }
    for table, rows in queries.items():
        found = await tx.stream(rows.execution_options(yield_per=CHUNK))
        async for chunk in found.mappings().partitions():
            await to.execute(insert(table), _plain(chunk))


def _plain(rows: Sequence[Any]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]
