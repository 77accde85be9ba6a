"""A migration only adds: the release before it must run on its schema (docs/operate/upgrade.md)."""

import ast
import re
from collections.abc import Iterator

import pytest

from house.sources import Rule, Source, distinct, sources, violations

FOLDER = "src/kefu/migrations/versions"
TAKES_AWAY = {"drop_table", "drop_column", "drop_constraint", "drop_index", "rename_table"}
# What else would break who still runs the release before: a rename, a new type, NOT NULL.
CHANGES = {"new_column_name", "type_", "nullable"}
IN_SQL = re.compile(r"\b(?:DROP\s+(?:TABLE|COLUMN|INDEX)|RENAME\s+(?:TO|COLUMN)|SET\s+NOT\s+NULL)\b", re.IGNORECASE)
# Looked at one by one: why the release before does not notice.
ALLOWED = {
    ("0017_sealed.py", "alter_column type_"): "a text grows longer, which PostgreSQL does without writing it anew",
}


def _calls(file: Source, *names: str) -> Iterator[ast.Call]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
            yield node


def _named(call: ast.Call) -> dict[str | None, ast.expr]:
    return {keyword.arg: keyword.value for keyword in call.keywords}


def taken_away(file: Source) -> Iterator[str]:
    for call in _calls(file, *TAKES_AWAY):
        assert isinstance(call.func, ast.Attribute)
        yield f"{call.func.attr} at line {call.lineno}"


def changed(file: Source) -> Iterator[str]:
    for call in _calls(file, "alter_column"):
        for what in sorted(CHANGES & _named(call).keys()):
            if (file.path.rpartition("/")[2], f"alter_column {what}") not in ALLOWED:
                yield f"alter_column {what} at line {call.lineno}"


def compulsory(file: Source) -> Iterator[str]:
    """A new column that who does not know it leaves out, and that has nothing to stand there."""
    for call in _calls(file, "add_column"):
        for column in (one for one in ast.walk(call) if isinstance(one, ast.Call)):
            given = _named(column)
            is_compulsory = (
                isinstance(given.get("nullable"), ast.Constant) and ast.unparse(given["nullable"]) == "False"
            )
            if is_compulsory and "server_default" not in given:
                yield f"a column without a default at line {call.lineno}"


def taken_away_in_sql(file: Source) -> Iterator[str]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and (found := IN_SQL.search(node.value)):
            yield f"{found[0]} at line {node.lineno}"


def _planted(line: str) -> Source:
    return Source(f"{FOLDER}/9999_planted.py", f"def upgrade() -> None:\n    {line}\n")


RULES = (
    Rule("nothing is dropped", taken_away, _planted('op.drop_column("sessions", "email")')),
    Rule("nothing is dropped in a batch", taken_away, _planted('batch.drop_constraint("ck")')),
    Rule("nothing is renamed", changed, _planted('op.alter_column("sessions", "email", new_column_name="mail")')),
    Rule("nothing becomes compulsory", changed, _planted('op.alter_column("sessions", "email", nullable=False)')),
    Rule(
        "what is compulsory has a default",
        compulsory,
        _planted('op.add_column("sessions", sa.Column("x", sa.Text(), nullable=False))'),
    ),
    Rule("nothing is dropped by SQL", taken_away_in_sql, _planted('op.execute("ALTER TABLE a DROP COLUMN b")')),
    Rule("nothing is renamed by SQL", taken_away_in_sql, _planted('op.execute("ALTER TABLE a RENAME TO b")')),
)


def migrations() -> list[Source]:
    return [file for file in sources(".py") if file.is_in(FOLDER) and not file.path.endswith("__init__.py")]


@pytest.mark.parametrize("rule", distinct(RULES), ids=lambda rule: rule.find.__name__)
def test_there_is_no(rule: Rule) -> None:
    assert not (found := violations(rule, migrations())), "\n".join(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_a_planted_violation_is_seen(rule: Rule) -> None:
    assert violations(rule, [rule.planted])


def test_each_exception_is_still_one() -> None:
    files = {file.path.rpartition("/")[2]: file for file in migrations()}
    for name, what in ALLOWED:
        words = what.split()
        assert any(words[1] in _named(call) for call in _calls(files[name], words[0]))
