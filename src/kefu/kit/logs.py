"""Logs: one JSON object a line, with `timestamp`, `level`, `event` and whatever is bound to the request."""

import gzip
import logging
import logging.handlers
import queue
import re
import shutil
import sys
import threading
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


def set_up_logs(level: str, file: Path | None = None, keep_days: int = 14) -> logging.handlers.QueueListener:
    """Send structlog and the standard library's loggers to standard error, or to a `DailyFile`.

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
    writer = DailyFile(file, keep_days) if file else logging.StreamHandler(sys.stderr)
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


class DailyFile(logging.handlers.TimedRotatingFileHandler):
    """Begins a new file at midnight UTC, compresses those of earlier days, and keeps `keep_days` of these.

    For one process: two would take each other's file away. Compressing does not hold up who writes, and what a killed
    process left uncompressed is compressed when the next one starts.
    """

    def __init__(self, file: Path, keep_days: int) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        super().__init__(file, when="midnight", backupCount=keep_days, utc=True, encoding="utf-8")
        self.namer = "{}.gz".format
        self.compressing = [self._compress(one) for one in file.parent.iterdir() if self._is_left(file, one.name)]

    @staticmethod
    def _is_left(file: Path, name: str) -> bool:
        return bool(re.fullmatch(re.escape(file.name) + r"\.\d{4}-\d\d-\d\d", name))

    def rotate(self, source: str, dest: str) -> None:
        plain = Path(source).rename(dest.removesuffix(".gz"))
        self.compressing = [*(one for one in self.compressing if one.is_alive()), self._compress(plain)]

    @staticmethod
    def _compress(plain: Path) -> threading.Thread:
        thread = threading.Thread(target=_compress, args=(plain,), name="compress-log")
        thread.start()
        return thread


def _compress(plain: Path) -> None:
    """Nothing is lost when it fails: the day's file stays as it is until the next start."""
    part = plain.with_name(f"{plain.name}.part")
    with plain.open("rb") as lines, gzip.open(part, "wb") as packed:
        shutil.copyfileobj(lines, packed)
    part.replace(f"{plain}.gz")
    plain.unlink()
