"""The full-text index over `passages`: an FTS5 table kept by triggers on SQLite, a GIN index on PostgreSQL.

Both hold the very same tokens. PostgreSQL's parser is passed by (`array_to_tsvector` is `to_tsvector('simple', …)` of
words already cut), so
that both engines find the same passages.
"""

from sqlalchemy import Connection

INDEX = "ix_passages_tokens"
FTS = "passages_fts"
COLUMNS = "tokens, title_tokens, asked_tokens"

# The words of all three columns of `passages` as one tsvector. A query must use this very expression to be served by
# the index.
POSTGRES_WORDS = (
    "array_to_tsvector(array_remove(string_to_array(tokens || ' ' || title_tokens || ' ' || asked_tokens, ' '), ''))"
)

PUT = f"INSERT INTO {FTS}(rowid, {COLUMNS}) VALUES (new.number, new.tokens, new.title_tokens, new.asked_tokens)"  # noqa: S608 - ours
TAKE = (
    f"INSERT INTO {FTS}({FTS}, rowid, {COLUMNS}) "  # noqa: S608 - our own names
    "VALUES ('delete', old.number, old.tokens, old.title_tokens, old.asked_tokens)"
)

SQLITE = (
    f"""CREATE VIRTUAL TABLE {FTS} USING fts5({COLUMNS}, content='passages', content_rowid='number', columnsize=0,
        detail=none, tokenize="unicode61 remove_diacritics 0 tokenchars '_'")""",
    f"CREATE TRIGGER passages_fts_insert AFTER INSERT ON passages BEGIN {PUT}; END",
    f"CREATE TRIGGER passages_fts_delete AFTER DELETE ON passages BEGIN {TAKE}; END",
    f"CREATE TRIGGER passages_fts_update AFTER UPDATE OF number, {COLUMNS} ON passages BEGIN {TAKE}; {PUT}; END",
)
# The list of pending entries is read anew for each word of a question: it is kept short (64 kB).
POSTGRES = (f"CREATE INDEX {INDEX} ON passages USING gin (({POSTGRES_WORDS})) WITH (gin_pending_list_limit = 64)",)


def create(connection: Connection) -> None:
    """Make the index for the table `passages`, which must exist and be empty."""
    for statement in SQLITE if connection.dialect.name == "sqlite" else POSTGRES:
        connection.exec_driver_sql(statement)


def is_ours(name: str) -> bool:
    """Whether a table or index belongs to the full-text index, so that a comparison with the models leaves it out."""
    return name == INDEX or name.startswith(FTS)
