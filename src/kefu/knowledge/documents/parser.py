"""Has a file read by a process of its own (`reading`), and sees that it ends."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import orjson

from kefu.knowledge.documents.refusals import REFUSALS, DocumentTooComplex

SECONDS = 180.0
LONGEST_LINE = 8 << 20  # of the longest text, however JSON writes them
COMMAND = (sys.executable, "-I", "-m", "kefu.knowledge.documents.reading")

Progress = Callable[[int, int], Awaitable[None]]


async def parsed(place: Path, media_type: str, progress: Progress, seconds: float = SECONDS) -> str:
    """The file's text as Markdown, its pages parted by form feeds.

    Raises what `refusals` names; DocumentTooComplex also when the process ends without a word. It ends with us: it is
    killed when we are cancelled, and its pipe breaks when we die.
    """
    with place.open("rb") as file:
        process = await asyncio.create_subprocess_exec(
            *COMMAND,
            media_type,
            stdin=file,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            env={},
            cwd="/",
            limit=LONGEST_LINE,
        )
    try:
        async with asyncio.timeout(seconds):
            return await _heard(process, progress)
    except TimeoutError:
        raise DocumentTooComplex from None
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _heard(process: asyncio.subprocess.Process, progress: Progress) -> str:
    assert process.stdout
    while line := await _line(process.stdout):
        if not line.endswith(b"\n"):  # killed in the middle of a word
            break
        said: dict[str, Any] = orjson.loads(line)
        if "text" in said:
            return str(said["text"])
        if "refused" in said:
            raise REFUSALS[said["refused"]]
        await progress(said["done"], said["total"])
    raise DocumentTooComplex


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # longer than any text may be
        raise DocumentTooComplex from None
