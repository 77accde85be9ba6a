"""One thing done to several sessions: where it was done, where there was nothing to do, and where not and why."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from kefu.kit.errors import KefuError


@dataclass(frozen=True, slots=True)
class Outcome:
    """Names of sessions. `refused`: the code of the error that each of them met."""

    changed: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)


async def for_each(names: list[str], act: Callable[[str], Awaitable[bool]]) -> Outcome:
    """Does it to each, in one order, so that two who do this never wait for each other.

    `act` says whether it changed anything, and refuses before it writes: one session's refusal is no other's.
    """
    outcome = Outcome()
    for name in sorted(set(names)):
        try:
            is_new = await act(name)
        except KefuError as refusal:
            outcome.refused[name] = refusal.code
        else:
            (outcome.changed if is_new else outcome.unchanged).append(name)
    return outcome
