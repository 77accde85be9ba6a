"""Long work on a thread has what everybody else leaves of the processor."""

import os
import sys
import threading

import pytest

from kefu.kit.threads import NICE, modest_threads


def priority() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a thread has the priority of its process")
def test_only_the_threads_for_long_work_give_way() -> None:
    before = priority()
    with modest_threads(1, "long-work") as threads:
        assert threads.submit(priority).result() == max(before, NICE)
    assert priority() == before
