"""What a Dockerfile says, read so that its steps can be taken without Docker; and what .dockerignore leaves out.

Understands what deploy/Dockerfile uses and raises ValueError for anything else, rather than leave a step out.
"""

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")
SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
LISTS = {"SHELL": "shell", "ENTRYPOINT": "entrypoint", "CMD": "command"}
TEXTS = {"WORKDIR": "workdir", "USER": "user", "VOLUME": "volume"}
ENV_PAIR = re.compile(r'(\w+)=("[^"]*"|\S+)')


@dataclass(frozen=True)
class Copy:
    """`origin`: the stage it comes from, "" for the folder that is built."""

    origin: str
    sources: tuple[str, ...]
    target: str


@dataclass(frozen=True)
class Run:
    """`command` for `shell`, with the environment and the folder that hold at this step."""

    command: str
    shell: tuple[str, ...]
    env: Mapping[str, str]
    workdir: str


@dataclass
class Stage:
    """`base`: an image, or the name of a stage before."""

    name: str
    base: str
    env: dict[str, str] = field(default_factory=lambda: {"PATH": SYSTEM_PATH})
    shell: list[str] = field(default_factory=lambda: ["/bin/sh", "-c"])
    workdir: str = "/"
    user: str = "0:0"
    volume: str = ""
    entrypoint: list[str] = field(default_factory=list)
    command: list[str] = field(default_factory=list)
    health: list[str] = field(default_factory=list)
    steps: list[Copy | Run] = field(default_factory=list)

    def heir(self, name: str) -> "Stage":
        return Stage(name, self.name, dict(self.env), self.shell, self.workdir, self.user)

    def expand(self, text: str) -> str:
        return _expand(text, self.env)

    def take(self, word: str, rest: str) -> None:
        """Raises ValueError."""
        if word in LISTS:
            setattr(self, LISTS[word], json.loads(rest))
        elif word in TEXTS:
            setattr(self, TEXTS[word], self.expand(rest))
        elif word == "RUN":
            self.steps.append(Run(rest, tuple(self.shell), dict(self.env), self.workdir))
        elif word == "COPY":
            self.steps.append(self._copy(rest))
        elif word == "ENV":
            self.env |= {name: self.expand(value.strip('"')) for name, value in ENV_PAIR.findall(rest)}
        elif word == "HEALTHCHECK":
            self.health = json.loads(rest.partition("CMD ")[2])
        elif word != "EXPOSE":
            raise ValueError(f"not understood: {word} {rest}")

    def _copy(self, rest: str) -> Copy:
        words = self.expand(rest).split()
        origin = words.pop(0).removeprefix("--from=") if words[0].startswith("--from=") else ""
        if words[0].startswith("--"):
            raise ValueError(f"not understood: COPY {rest}")
        return Copy(origin, tuple(words[:-1]), os.path.join(self.workdir, words[-1]))  # noqa: PTH118 - keeps a / at the end


def _expand(text: str, values: Mapping[str, str]) -> str:
    return VARIABLE.sub(lambda found: values[found[1] or found[2]], text)


def instructions(text: str) -> Iterator[tuple[str, str]]:
    """Each with its word and what follows, continued lines joined, comments left out."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        if line.strip():
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def stages(text: str) -> dict[str, Stage]:
    """In their order; the last is the image. Raises ValueError."""
    found: dict[str, Stage] = {}
    arguments: dict[str, str] = {}
    stage: Stage | None = None
    for word, rest in instructions(text):
        if word == "ARG" and stage is None:
            name, _, value = rest.partition("=")
            arguments[name] = value
        elif word == "FROM":
            base, _, name = _expand(rest, arguments).partition(" AS ")
            stage = found[base].heir(name) if base in found else Stage(name, base)
            found[name] = stage
        elif stage is None:
            raise ValueError(f"before the first FROM: {word}")
        else:
            stage.take(word, rest)
    return found


def _pattern(line: str) -> re.Pattern[str]:
    """Of .dockerignore: it means what it names and all below."""
    parts = re.split(r"(\*\*/|\*)", line.strip("/"))
    known = {"**/": r"(?:.*/)?", "*": "[^/]*"}
    return re.compile("".join(known.get(part, re.escape(part)) for part in parts) + "(?:/.*)?")


class Ignored:
    """Which paths of the folder that is built never get to it; of several lines that match the last one counts."""

    def __init__(self, text: str) -> None:
        lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
        self._rules = [(_pattern(line.lstrip("!")), not line.startswith("!")) for line in lines]

    def __contains__(self, path: str) -> bool:
        verdicts = [is_out for pattern, is_out in self._rules if pattern.fullmatch(path)]
        return bool(verdicts) and verdicts[-1]

    def kept(self, root: Path, source: str) -> Iterator[str]:
        """The files at or below `source` that come along, as paths from `root`."""
        if (root / source).is_file():
            yield from [source] * (source not in self)
        for folder, below, names in os.walk(root / source):
            here = Path(folder).relative_to(root)
            below[:] = [name for name in below if (here / name).as_posix() not in self]
            yield from (path for name in names if (path := (here / name).as_posix()) not in self)
