"""Logs: one JSON object a line, with `timestamp`, `level`, `event` and whatever is bound to the request."""

import logging
import logging.handlers
import queue
import re
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import orjson
import structlog

SECRET_KEYS = re.compile(r"password|token|secret|authorization|cookie|api_?key", re.IGNORECASE)
SECRET_VALUES = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}|[\w.+-]{1,64}@[\w-]{1,63}\.[\w.-]{2,63}|(?<!\d)\+?\d[\d -]{9,17}\d(?!\d)"
)


def mask(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Hide secrets by the name of their field, and tokens, e-mail addresses, phone and card numbers by their look."""
    for key, value in entry.items():
        if SECRET_KEYS.search(key):
            entry[key] = "***"
        elif isinstance(value, str) and key not in {"timestamp", "request_id", "incident"}:
            entry[key] = SECRET_VALUES.sub("***", value)
    return entry


def _as_json(entry: Any, **_: Any) -> str:
    return orjson.dumps(entry, default=str).decode()


def set_up_logs(level: str, file: Path | None = None) -> logging.handlers.QueueListener:
    """Send structlog and the standard library's loggers to standard error, or to a file rotated daily (14 kept).

    Writing happens on a thread of its own; stop the returned listener to flush it. Safe to repeat.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        mask,
    ]
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )
    writer = _writer(file)
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(_as_json),
        ],
    )
    waiting: queue.Queue[Any] = queue.Queue(10_000)
    handler = logging.handlers.QueueHandler(waiting)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for quiet in ("uvicorn.access", "alembic", "aiosqlite", "asyncio"):
        logging.getLogger(quiet).setLevel(logging.WARNING)
    listener = logging.handlers.QueueListener(waiting, writer)
    listener.start()
    return listener


def _writer(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    return logging.handlers.TimedRotatingFileHandler(file, when="midnight", backupCount=14, utc=True, encoding="utf-8")
