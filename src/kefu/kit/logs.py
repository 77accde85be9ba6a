"""Logs: one JSON object a line, with `timestamp`, `level`, `event` and whatever is bound to the request."""

import gzip
import logging
import logging.handlers
import re
import shutil
import sys
import threading
from collections.abc import MutableMapping
from pathlib import Path
from queue import SimpleQueue
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


# Lines that wait to be written: what comes beyond is dropped rather than waited for. So many are written at once.
MOST = 10_000
TOGETHER = 100


class Lines(logging.Handler):
    """Has `writer` write each line on a thread of its own, together with what has gathered meanwhile.

    Lines of ours come by `put`, past all that `logging` does with a record. `stop` returns when all are written.
    """

    def __init__(self, writer: logging.Handler) -> None:
        super().__init__()
        self.writer = writer
        self._waiting: SimpleQueue[str | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._write_forever, name="logs", daemon=True)
        self._thread.start()

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self.put(self.format(record))
        except Exception:  # noqa: BLE001 - a line that cannot be put together must not fail who says it
            self.handleError(record)

    def put(self, line: str) -> None:
        if self._waiting.qsize() < MOST:
            self._waiting.put(line)

    debug = info = warning = error = critical = put  # what structlog calls

    def stop(self) -> None:
        self._waiting.put(None)
        self._thread.join()

    def _write_forever(self) -> None:
        last: str | None = ""
        while last is not None:
            lines = [last := self._waiting.get()]
            while last is not None and len(lines) < TOGETHER and not self._waiting.empty():
                lines.append(last := self._waiting.get())
            if text := "\n".join(line for line in lines if line is not None):
                self.writer.handle(logging.makeLogRecord({"msg": text}))


def _masked(_: Any, __: str, entry: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    masked: MutableMapping[str, Any] = mask(entry)
    return masked


def _as_json(entry: Any, **_: Any) -> str:
    return orjson.dumps(entry, default=str).decode()


def set_up_logs(level: str, file: Path | None = None, keep_days: int = 14) -> Lines:
    """Send structlog and the standard library's loggers to standard error, or to a `DailyFile`.

    Everything is masked (`kit.masking`). Stop what is returned to have all written. Safe to repeat.
    """
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
    ]
    rendered: list[Any] = [_masked, structlog.processors.JSONRenderer(_as_json)]
    lines = Lines(DailyFile(file, keep_days) if file else logging.StreamHandler(sys.stderr))
    structlog.configure(
        processors=[*shared, *rendered],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=False,
    )
    remove = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    formatter = structlog.stdlib.ProcessorFormatter(foreign_pre_chain=shared, processors=[remove, *rendered])
    lines.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [lines]
    root.setLevel(level.upper())
    for quiet, least in QUIET.items():
        logging.getLogger(quiet).setLevel(max(root.level, least))
    logging.raiseExceptions = False  # a line that cannot be written would else be printed with all its arguments
    return lines


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
