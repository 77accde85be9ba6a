"""Statements compiled for one test hold for the next one's engines.

SQLAlchemy keeps them by engine and by the engine's dialect. Each test has engines of its own and would compile anew all
it says, which is a third of what it costs. What opens a sealed column is kept with the statement: only those who have
the same keys share it.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.util import LRUCache

from kefu.kit.sealed import SEALING

STATEMENTS = 2000
COMPILED: LRUCache[object, object] = LRUCache(STATEMENTS)


class Alike:
    """One dialect is as good as another of its kind with the same keys: the server and the settings are the same."""

    kids: tuple[str, ...] = ()

    def __setattr__(self, name: str, value: Any) -> None:
        super().__setattr__(name, value)
        if name == SEALING:
            self.kids = value().kids

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and other.kids == self.kids

    def __hash__(self) -> int:
        return hash((type(self), self.kids))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        engine.update_execution_options(compiled_cache=COMPILED)


class Postgres(Alike, PGDialect_asyncpg):
    supports_statement_cache = True


class Sqlite(Alike, SQLiteDialect_aiosqlite):
    supports_statement_cache = True


def keep_compiled() -> None:
    """From now on in this process."""
    registry.register("postgresql.asyncpg", __name__, Postgres.__name__)
    registry.register("sqlite.aiosqlite", __name__, Sqlite.__name__)
