"""Statements that took long, each as a line of the log, with its text and never its values."""

from dataclasses import dataclass
from time import perf_counter
from typing import Any

import structlog
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

log = structlog.get_logger()

MOST = 600  # characters of a statement


@dataclass(slots=True)
class SlowQueries:
    """`seconds`: from which a statement is told, the wait for a connection or its group included in the lanes' ones."""

    seconds: float = 0.5

    def look(self, sql: str, began: float) -> None:
        """`began`: what `perf_counter` said."""
        took = perf_counter() - began
        if took >= self.seconds:
            log.warning("query.slow", duration_ms=round(took * 1000, 1), statement=" ".join(sql.split())[:MOST])

    def listen(self, engine: AsyncEngine) -> None:
        """Those of SQLAlchemy too, also when they fail: what runs into a time limit is the slowest."""

        def begin(*of: Any) -> None:
            of[4].began = perf_counter()

        def end(*of: Any) -> None:
            self.look(of[2], of[4].began)

        def fail(failure: Any) -> None:
            began = getattr(failure.execution_context, "began", None)
            if began is not None and failure.statement:
                self.look(failure.statement, began)

        event.listen(engine.sync_engine, "before_cursor_execute", begin)
        event.listen(engine.sync_engine, "after_cursor_execute", end)
        event.listen(engine.sync_engine, "handle_error", fail)
