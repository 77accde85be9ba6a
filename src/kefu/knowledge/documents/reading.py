"""Reads one file, in a process of its own that may take little time and memory, open nothing and reach nobody.

`python -I -m kefu.knowledge.documents.reading MEDIA_TYPE` with the file as standard input. It writes a line of JSON for
each step, `{"done": 3, "total": 12}`, and last `{"text": …}` (Markdown, pages parted by form feeds) or
`{"refused": CODE}`. What it holds is a stranger's: it may be made to kill whoever reads it.
"""

import os
import resource
import sys
import time
from contextlib import suppress

import orjson

from kefu.knowledge.documents import office, pdf, text
from kefu.knowledge.documents.kinds import HTML, MARKDOWN
from kefu.knowledge.documents.refusals import DocumentEmpty, DocumentTooComplex, DocumentTooLong, Refused
from kefu.knowledge.passages import PAGE_BREAK

MEMORY = 1 << 30
CPU_SECONDS = 60
CHARACTERS = 500_000
SHOW_EVERY = 0.2  # seconds


class Progress:
    def __init__(self) -> None:
        self._shown = 0.0

    def __call__(self, done: int, total: int) -> None:
        if time.monotonic() - self._shown >= SHOW_EVERY or done == total:
            self._shown = time.monotonic()
            say(done=done, total=total)


def say(**facts: object) -> None:
    sys.stdout.buffer.write(orjson.dumps(facts) + b"\n")
    sys.stdout.buffer.flush()


def limit() -> None:
    """From here on nothing but memory, a little time, and what is open already."""
    os.nice(10)
    for what, most in ((resource.RLIMIT_AS, MEMORY), (resource.RLIMIT_CPU, CPU_SECONDS), (resource.RLIMIT_FSIZE, 0)):
        with suppress(ValueError, OSError):  # macOS knows no limit of memory
            resource.setrlimit(what, (most, most))


def read(media_type: str, data: bytes) -> str:
    """Raises what `refusals` names."""
    progress = Progress()
    if media_type == "application/pdf":
        said = PAGE_BREAK.join(pdf.pages_of(data, progress))
    elif media_type == HTML.media_type:
        said = text.html(data)
    elif media_type == MARKDOWN.media_type:
        said = text.markdown(data)
    elif media_type == "text/plain":
        said = text.plain(data)
    else:
        reader = office.word if media_type.endswith("wordprocessingml.document") else office.sheets
        said = reader(data, progress)
    if not said.strip():
        raise DocumentEmpty
    if len(said) > CHARACTERS:
        raise DocumentTooLong
    return said.replace("\x00", "")


def main() -> None:
    limit()
    try:
        with open(0, "rb", closefd=False) as file:
            say(text=read(sys.argv[1], file.read()).encode("utf-8", "replace").decode())
    except Refused as refused:
        say(refused=refused.code)
    except (MemoryError, RecursionError):
        say(refused=DocumentTooComplex.code)


if __name__ == "__main__":
    main()
