"""The rules of the house for Python that no linter knows."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator

import pytest

from house.sources import Rule, Source, distinct, sources, violations

FILE_LINES = 400
FUNCTION_LINES = 40
WRITTEN_BY_ALEMBIC = "src/kefu/migrations/versions"
VAGUE = re.compile(r"(?:^|_)(?:utils?|helpers?|common|misc|managers?)(?:_|$)")
VAGUE_CLASS = re.compile(r"(?:Manager|Helper|Util|Utils|Misc)s?$")


def _calls(file: Source) -> Iterator[ast.Call]:
    return (node for node in ast.walk(file.tree) if isinstance(node, ast.Call))


def _name(node: ast.expr) -> str:
    """`c` of `a.b.c` and of `c`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else ""


def _root(node: ast.expr) -> str:
    """The last capitalised name of `models.Session.name`, which is the table that is meant."""
    while isinstance(node, ast.Attribute) and not node.attr[:1].isupper():
        node = node.value
    return _name(node)


def _functions(file: Source) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(file.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def _tokens(file: Source) -> Iterator[tokenize.TokenInfo]:
    return tokenize.generate_tokens(io.StringIO(file.text).readline)


def _names_used(file: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Name | ast.Attribute):
            yield node.lineno, _name(node)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, alias.name) for alias in node.names)


def _imports(file: Source) -> Iterator[tuple[int, str]]:
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.lineno, node.module


def long_file(file: Source) -> Iterator[str]:
    lines = file.text.count("\n")
    if lines > FILE_LINES:
        yield f"{lines} lines"


def _code_lines(file: Source) -> set[int]:
    """The lines with code on them: neither blank, nor comment, nor docstring."""
    idle = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}
    lines: set[int] = set()
    for token in _tokens(file):
        if token.type not in idle:
            lines.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def long_function(file: Source) -> Iterator[str]:
    if file.is_in(WRITTEN_BY_ALEMBIC):
        return
    code = _code_lines(file)
    for function in _functions(file):
        count = len(code.intersection(range(function.lineno, (function.end_lineno or function.lineno) + 1)))
        if count > FUNCTION_LINES:
            yield f"{function.name} at line {function.lineno} has {count} lines of code"


def vague_name(file: Source) -> Iterator[str]:
    for part in file.path.removesuffix(".py").split("/"):
        if VAGUE.search(part):
            yield f"'{part}' does not say what it knows"
    for node in ast.walk(file.tree):
        if isinstance(node, ast.ClassDef) and VAGUE_CLASS.search(node.name):
            yield f"'{node.name}' at line {node.lineno} does not say what it is"


def slow_middleware(file: Source) -> Iterator[str]:
    for line, name in _names_used(file):
        if name == "BaseHTTPMiddleware":
            yield f"BaseHTTPMiddleware at line {line}"
    for function in _functions(file):
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and _name(decorator.func) == "middleware":
                yield f"@….middleware at line {decorator.lineno}"


def own_commit(file: Source) -> Iterator[str]:
    if file.is_in("src") and not file.is_in("src/kefu/kit/db.py"):
        for call in _calls(file):
            if isinstance(call.func, ast.Attribute) and call.func.attr == "commit":
                yield f".commit( at line {call.lineno}"


def http_error(file: Source) -> Iterator[str]:
    if file.is_in("src") and not file.is_in("src/kefu/kit/web.py"):
        for line, name in _names_used(file):
            if name == "HTTPException":
                yield f"HTTPException at line {line}"


MAY_START_TASKS = (
    "main.py",
    "realtime",
    "jobs",
    "answering",
    "bus/redis.py",
    "kit/db.py",
    "kit/postgres.py",
    "kit/redis.py",
    "kit/sqlite.py",
    "knowledge/vectors.py",
    "routing/signs.py",
    "sessions/mirror.py",
)


def loose_task(file: Source) -> Iterator[str]:
    if file.is_in("src") and not file.is_in(*(f"src/kefu/{place}" for place in MAY_START_TASKS)):
        for call in _calls(file):
            if _name(call.func) in {"create_task", "ensure_future"}:
                yield f"{_name(call.func)} at line {call.lineno}"


def foreign_query(file: Source) -> Iterator[str]:
    if file.is_in("src") and not file.is_in("src/kefu/sessions"):
        for call in _calls(file):
            verb = _name(call.func)
            if verb in {"select", "insert", "update", "delete"} and "Session" in map(_root, call.args):
                yield f"{verb}(Session) at line {call.lineno}"


MAY_CONNECT = (
    "channels",
    "webhooks",
    "blobs",
    "knowledge/taxkb.py",
    "kit/http.py",
    "kit/http_streams.py",
    "kit/redis.py",
    "sso/provider.py",
)
CLIENTS = {
    "httpx2",
    "httpx",
    "aiohttp",
    "aiosmtplib",
    "smtplib",
    "urllib.request",
    "http.client",
    "websockets",
    "redis",
}


def own_connection(file: Source) -> Iterator[str]:
    if file.is_in("src") and not file.is_in(*(f"src/kefu/{place}" for place in MAY_CONNECT)):
        for line, module in _imports(file):
            if module in CLIENTS or module.partition(".")[0] in CLIENTS:
                yield f"import of {module} at line {line}"


def swallowing_wait(file: Source) -> Iterator[str]:
    """Before Python 3.12 `wait_for` swallows a cancellation that comes with what it waits for."""
    if file.is_in("src"):
        for line, name in _names_used(file):
            if name == "wait_for":
                yield f"wait_for at line {line} may go on when it is cancelled: use asyncio.timeout"


# The provider of single sign-on is named by the operator in the settings, often in their own network.
MAY_CALL = ("src/kefu/kit/http.py", "src/kefu/kit/http_streams.py", "src/kefu/sso/provider.py")
HTTP_CLIENTS = {"httpx2", "httpx", "aiohttp", "urllib3", "urllib.request", "http.client"}


def unguarded_call(file: Source) -> Iterator[str]:
    if file.is_in("src") and not file.is_in(*MAY_CALL):
        for line, module in _imports(file):
            if module in HTTP_CLIENTS or module.partition(".")[0] in HTTP_CLIENTS:
                yield f"import of {module} at line {line}: take kefu.kit.http"


IGNORES = re.compile(r"noqa|type: ?ignore")
REASONED = re.compile(r"# noqa: [A-Z0-9, ]+ - \S|# type: ignore\[[a-z, -]+\]  # \S")


def bare_ignore(file: Source) -> Iterator[str]:
    for token in _tokens(file):
        if token.type == tokenize.COMMENT and IGNORES.search(token.string) and not REASONED.search(token.string):
            yield f"'{token.string}' without a rule and a reason at line {token.start[0]}"


def _feature(text: str) -> Source:
    return Source("src/kefu/shops/service.py", text)


RULES = (
    Rule("a file has at most 400 lines", long_file, _feature("x = 1\n" * 401)),
    Rule("a function has at most 40 lines", long_function, _feature("def go():\n" + "    x = 1\n" * 40)),
    Rule("a module says what it knows", vague_name, Source("src/kefu/kit/date_utils.py", "")),
    Rule("a class says what it is", vague_name, _feature("class SessionManager: ...")),
    Rule("middleware is pure ASGI", slow_middleware, _feature("class Slow(BaseHTTPMiddleware): ...")),
    Rule(
        "middleware is no decorator",
        slow_middleware,
        _feature("@app.middleware('http')\nasync def slow(request, call_next): ..."),
    ),
    Rule("only the edge commits", own_commit, _feature("async def save(tx): await tx.commit()")),
    Rule("errors are types of ours", http_error, _feature("from fastapi import HTTPException")),
    Rule("tasks have an owner who ends them", loose_task, _feature("asyncio.create_task(later())")),
    Rule("sessions are asked for in sessions/", foreign_query, _feature("select(models.Session.name)")),
    Rule("few modules open connections", own_connection, _feature("import httpx2")),
    Rule(
        "web servers are called by kit/http.py", unguarded_call, Source("src/kefu/webhooks/service.py", "import httpx2")
    ),
    Rule(
        "who waits can be stopped", swallowing_wait, _feature("async def go(): await asyncio.wait_for(bell.wait(), 1)")
    ),
    Rule("an exception from a lint rule gives its reason", bare_ignore, _feature("x = eval(y)  # noqa: S307")),
    Rule("an exception from a type gives its reason", bare_ignore, _feature("x: int = y  # type: ignore[assignment]")),
)


@pytest.mark.parametrize("rule", distinct(RULES), ids=lambda rule: rule.find.__name__)
def test_there_is_no(rule: Rule) -> None:
    found = violations(rule, sources(".py"))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.says)
def test_a_planted_violation_is_seen(rule: Rule) -> None:
    assert violations(rule, [rule.planted])


def test_what_is_no_code_does_not_count() -> None:
    text = 'def go():\n    """Why.\n\n    More.\n    """\n\n    # a reason\n' + "    x = 1\n" * 39
    assert list(long_function(_feature(text))) == []
