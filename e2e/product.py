"""The running product: the real command line, a data folder of its own, a port that survives its death."""

import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import orjson

from servers import free_port

KEFU = Path(sys.executable).with_name("kefu")
# Three of a processor, of which a loaded machine gives it little.
START_SECONDS = 90
# Loading the authorities anew costs each client 26 ms, and asking whether it is up takes many.
NO_TLS = ssl.create_default_context()
# As the command line has it, but reading the program once for all of them.
EACH = """
import json, sys
from kefu.cli import cli
for arguments in json.loads(sys.argv[1]):
    cli(arguments, standalone_mode=False)
"""
ONE_TIME_PASSWORD = re.compile(r"One-time password\s+(\S+)")


@dataclass(frozen=True)
class Account:
    username: str
    name: str
    password: str
    role: str = "agent"

    @property
    def credentials(self) -> dict[str, str]:
        return {"username": self.username, "password": self.password}


LENA = Account("lena", "Lena", "bicycle-bell-7")
WANG = Account("wang", "王芳", "bicycle-lamp-8")
# See what others hold.
CHEN = Account("chen", "陈静", "bicycle-horn-9", "supervisor")
ZHOU = Account("zhou", "周敏", "bicycle-pump-6", "supervisor")
ROOT = Account("root", "根", "bicycle-gear-1", "super_admin")


def kefu(data: Path, *arguments: str) -> None:
    _run(data, KEFU, *arguments)


def employ(data: Path, accounts: Sequence[Account]) -> None:
    _run(data, sys.executable, "-c", EACH, json.dumps([_hiring(one) for one in accounts]))


def _hiring(one: Account) -> tuple[str, ...]:
    who = ("--username", one.username, "--name", one.name, "--role", one.role)
    return ("agent", "create", *who, "--password", one.password, "--max-sessions", "200")


def _run(data: Path, *command: str | Path) -> None:
    subprocess.run(command, env=_environment(data), cwd=data, check=True, capture_output=True)


def _environment(data: Path, **settings: str) -> dict[str, str]:
    """Only what is named here: settings of the shell that runs the tests are not ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return {**kept, "KEFU_DATA_DIR": str(data), "RATE_LIMITS": "off", **settings}


@dataclass
class Product:
    """`data` is its folder. What it prints goes to `data/output`."""

    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def one_time_password(self) -> str:
        shown = ONE_TIME_PASSWORD.search(self.output())
        assert shown, self.output()
        return shown[1]

    def output(self) -> str:
        return (self.data / "output").read_text()

    def start(self) -> None:
        with (self.data / "output").open("ab") as output:
            self.process = subprocess.Popen(
                [KEFU, "serve", "--port", str(self.port)],
                env=_environment(self.data, **self.settings),
                cwd=self.data,
                stdout=output,
                stderr=output,
            )
        deadline = time.monotonic() + START_SECONDS
        while not self._is_ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"not started: {self.output()[-2000:]}")
            time.sleep(0.05)

    def _is_ready(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/api/health/ready", timeout=1, verify=NO_TLS).status_code == 200
        except httpx2.TransportError:
            return False

    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def kill(self) -> None:
        """As a power cut does: no word to anybody."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(START_SECONDS)
        shutil.rmtree(self.data)

    def closes_what_is_open(self) -> None:
        """Nobody waits any more, and no agent holds anything: the queue is as empty as that of a new product."""
        with self._signed_in(CHEN) as client:
            listed = client.get("/api/sessions", params={"limit": 100}).raise_for_status().json()["data"]["sessions"]
            for one in listed:
                if one["status"] != "closed":
                    client.post(f"/api/sessions/{one['session_name']}/close").raise_for_status()

    def log(self, session: str, account: Account = LENA) -> list[dict[str, Any]]:
        """All events of the session, as an agent may read them."""
        events: list[dict[str, Any]] = []
        for frame in self._frames(session, account):
            if frame["type"] == "stream.ready":
                break
            events.append(frame)
        return [event for event in events if "seq" in event]

    def _frames(self, session: str, account: Account) -> Iterator[dict[str, Any]]:
        with self._signed_in(account) as client, client.stream("GET", f"/api/sessions/{session}/events") as stream:
            data = (line.removeprefix("data: ") for line in stream.iter_lines() if line.startswith("data: "))
            yield from map(orjson.loads, data)

    def seen(self) -> dict[str, tuple[int, int]]:
        """How often the chat was seen and opened today, by page."""
        with self._signed_in(CHEN) as client:
            steps = client.get("/api/reports/funnel").raise_for_status().json()["data"]["steps"]
        return {step["key"]: (step["impressions"], step["opens"]) for step in steps if step["impressions"]}

    @contextmanager
    def _signed_in(self, account: Account) -> Iterator[httpx2.Client]:
        with httpx2.Client(base_url=self.address, timeout=10, verify=NO_TLS) as client:
            token = client.post("/api/agent/login", json=account.credentials).raise_for_status().json()["token"]
            client.headers["Authorization"] = f"Bearer {token}"
            yield client

    def messages(self, session: str) -> list[tuple[str, str]]:
        """Role and words of every message, in the order of the log."""
        return [(one["role"], one["content"]) for one in self.log(session) if one["type"] == "message.posted"]
