"""Statements compiled for one test hold for the next one's engines.

SQLAlchemy keeps them by engine and by the engine's dialect. Each test has engines of its own and would compile anew all
it says, which is a third of what it costs.
"""

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.util import LRUCache

STATEMENTS = 2000
COMPILED: LRUCache[object, object] = LRUCache(STATEMENTS)


class Alike:
    """One dialect is as good as another of its kind: the server and the settings are the same."""

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self)

    def __hash__(self) -> int:
        return hash(type(self))

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
