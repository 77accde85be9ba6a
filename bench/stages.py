"""What an answer costs beside its stream, stage by stage and one at a time, with the code that the service runs."""

import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bench.figures import Table, quantile
from kefu.ai.budget import Books, Budget, Limit, Payer
from kefu.ai.catalog import Price
from kefu.ai.ports import Finished, Message, Usage
from kefu.answering.builtin import BuiltinAnswerer
from kefu.answering.citing import check
from kefu.answering.pii import Placeholders
from kefu.answering.ports import Said, Turn
from kefu.answering.prompt import Voice, build
from kefu.answering.saying import Saying
from kefu.kit.db import Database
from kefu.kit.ids import new_id

TIMES = 40
# With contact data, which is masked on its way to the model.
QUESTION = "How long is the return period? I am Li Wei, li.wei@canary.example, +49 30 9018200."
HELLO = "Hello"
LIMIT = {"tokens": 10**9, "usd": 10**6}
TURN = Turn("", "en", QUESTION, "s-1", [Said("user", HELLO), Said("assistant", "Hello! What would you like to know?")])


async def prompt_of(db: Database, shop: str) -> Sequence[Message]:
    """What the shop's model is asked when a visitor asks QUESTION."""
    turn = Turn(shop, TURN.locale, TURN.question, TURN.session_name, TURN.history)
    found = await BuiltinAnswerer(db).look_up(turn, turn.locale)
    return build(turn, "en", found.hits, Voice(), Placeholders("en").mask)


async def stages(db: Database, shop: str) -> Table:
    """Each TIMES over, in ms. What is written is counted for a session that is nobody's."""
    turn = Turn(shop, TURN.locale, TURN.question, TURN.session_name, TURN.history)
    builtin = BuiltinAnswerer(db)
    found = await builtin.look_up(turn, turn.locale)
    sentence = found.hits[0].text.partition(".")[0]
    deltas = [*(f"{word} " for word in sentence.split()), "[", "1", "]", ". "] * 10
    books = Books(db, "UTC", lambda _: Price(1.0, 1.0))
    payer = Payer(shop, "v-1", Budget(session=Limit(LIMIT["tokens"], LIMIT["usd"])))
    usage = Usage(900, 200, is_estimated=False)

    async def ask() -> None:
        build(turn, "en", found.hits, Voice(), Placeholders("en").mask)

    async def say() -> None:
        saying = Saying(Placeholders("en").unmask, lambda _: True)
        for delta in deltas:
            saying.hear(delta)

    async def judge() -> None:
        check("".join(deltas), found.hits)

    async def count() -> None:
        call = await books.reserve(payer, new_id("s"), "bench", usage)
        await books.settle(payer, "answer", Finished("custom", "bench", usage), call)

    rows: dict[str, Callable[[], Awaitable[object]]] = {
        "search": partial(builtin.look_up, turn, turn.locale),
        "prompt, contact data masked": ask,
        "reserved in the books, and set right": count,
        f"{len(deltas)} deltas made fit to be shown": say,
        "citations checked": judge,
    }
    return Table(
        "What an answer takes beside its stream, one at a time, in ms",
        ("", "p50", "p95", "CPU"),
        [[name, *await _timed(work)] for name, work in rows.items()],
    )


async def _timed(work: Callable[[], Awaitable[object]]) -> list[str]:
    await work()
    took, before = [], time.process_time()
    for _ in range(TIMES):
        began = time.perf_counter()
        await work()
        took.append((time.perf_counter() - began) * 1000)
    cpu = (time.process_time() - before) / TIMES * 1000
    return [f"{quantile(took, 0.5):.2f}", f"{quantile(took, 0.95):.2f}", f"{cpu:.2f}"]
