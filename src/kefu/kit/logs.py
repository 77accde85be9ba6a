"""Logs: one JSON object a line, with `timestamp`, `level`, `event` and whatever is bound to the request."""

import logging
import logging.handlers
import queue
import sys
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import orjson
import structlog

from kefu.kit.masking import mask

# At debug uvicorn's WebSockets write every frame, and the drivers every statement with its values.
QUIET = {
    "uvicorn.access": logging.WARNING,
    "uvicorn.error": logging.INFO,
    "websockets": logging.INFO,
    "alembic": logging.WARNING,
    "aiosqlite": logging.WARNING,
    "asyncio": logging.WARNING,
    "sqlalchemy": logging.WARNING,
    "aiosmtplib": logging.WARNING,
    "redis": logging.WARNING,
}


def _masked(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    masked: MutableMapping[str, Any] = mask(entry)
    return masked


def _as_json(entry: Any, **_: Any) -> str:
    return orjson.dumps(entry, default=str).decode()


def set_up_logs(level: str, file: Path | None = None) -> logging.handlers.QueueListener:
    """Send structlog and the standard library's loggers to standard error, or to a file rotated daily (14 kept).

    Everything is masked (`kit.masking`). Writing happens on a thread of its own; stop the returned listener to flush
    it. Safe to repeat.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
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
            _masked,
            structlog.processors.JSONRenderer(_as_json),
        ],
    )
    waiting: queue.Queue[Any] = queue.Queue(10_000)
    handler = logging.handlers.QueueHandler(waiting)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for quiet, least in QUIET.items():
        logging.getLogger(quiet).setLevel(max(root.level, least))
    logging.raiseExceptions = False  # a line that cannot be written would else be printed with all its arguments
    listener = logging.handlers.QueueListener(waiting, writer)
    listener.start()
    return listener


def _writer(file: Path | None) -> logging.Handler:
    if file is None:
        return logging.StreamHandler(sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    return logging.handlers.TimedRotatingFileHandler(file, when="midnight", backupCount=14, utc=True, encoding="utf-8")
