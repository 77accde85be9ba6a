"""The full-text index over `indexed_messages`: an FTS5 table kept by triggers on SQLite, a GIN index on PostgreSQL.

Both hold the very same words, cut by Kefu, as the index of the knowledge does.
"""

from sqlalchemy import Connection

FTS = "indexed_messages_fts"
PUT = f"INSERT INTO {FTS}(rowid, words) VALUES (new.position, new.words)"  # noqa: S608 - our own names
TAKE = f"INSERT INTO {FTS}({FTS}, rowid, words) VALUES ('delete', old.position, old.words)"  # noqa: S608 - our own names

SQLITE = (
    f"""CREATE VIRTUAL TABLE {FTS} USING fts5(words, content='indexed_messages', content_rowid='position',
        columnsize=0, detail=none, tokenize="unicode61 remove_diacritics 0 tokenchars '_'")""",
    f"CREATE TRIGGER indexed_messages_fts_insert AFTER INSERT ON indexed_messages BEGIN {PUT}; END",
    f"CREATE TRIGGER indexed_messages_fts_delete AFTER DELETE ON indexed_messages BEGIN {TAKE}; END",
)
POSTGRES = ("CREATE INDEX ix_indexed_messages_words ON indexed_messages USING gin (words)",)


def shop_term(shop: str) -> str:
    """What stands in the index of each message beside its words: its shop, which may be a small one."""
    return f"shop__{shop.replace('-', '_')}"


def create(connection: Connection) -> None:
    """Make the index for the table, which must exist and be empty."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRES:
        connection.exec_driver_sql(statement)
