"""Threads for what takes a core for long: they have what the event loop and everybody else leaves."""

import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

NICE = 10  # a tenth of the processor against who wants all of it, and all of it when nobody does


def modest_threads(count: int, name: str) -> ThreadPoolExecutor:
    """The work must let go of the interpreter's lock while it runs, or it is in everybody's way all the same."""
    return ThreadPoolExecutor(count, thread_name_prefix=name, initializer=_give_way)


def _give_way() -> None:
    """On Linux a thread has a priority of its own; elsewhere, or where a sandbox forbids it, that of the process."""
    if sys.platform == "linux":
        with suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
