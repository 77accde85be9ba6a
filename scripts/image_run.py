"""Starts the root of an image as Docker would with --read-only --cap-drop=ALL, and asks it a question over HTTP."""

import fcntl
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx2

from dockerfile import Stage
from steps import stop

ADDRESS = "http://127.0.0.1:8000"
PAGES = ("/demo", "/workbench/", "/docs", "/embed", "/sdk/fiido-kefu.js")
QUESTION = "How far can I ride in winter?"
UP_SECONDS, DOWN_SECONDS = 120, 30
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
# In namespaces of its own: $1 the root, $2 its folder for data, $3 its user.
PREPARE = """set -e; mount --bind "$1" "$1"; mount -o remount,ro,bind "$1"; mount -t tmpfs tmpfs "$1/tmp"
mount -t tmpfs -o "uid=$3,gid=$3,mode=0750" tmpfs "$1$2" """
BEGIN = """set -e; mount -t proc proc "$1/proc"; root=$1; shift; exec chroot "$root" "$@" """
# Every compiled module by its own name; prints how many load and which do not.
LOAD_ALL = """
import importlib, sysconfig
from pathlib import Path
here, bad, names = Path(sysconfig.get_path("platlib")), [], []
for file in sorted(here.rglob("*.so")):
    if not any(part.endswith(".libs") for part in file.parts) and "lib" != file.name[:3]:
        names.append(".".join((*file.relative_to(here).parts[:-1], file.name.partition(".")[0])))
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        bad.append(f"{name}: {error}")
print(len(names) - len(bad), "of", len(names), *bad)
"""
OWN = ("unshare", "--pid", "--fork", "--kill-child")


@dataclass
class Seen:
    """What was seen of it. `refused`: what a write beside its data was answered with."""

    first_start_seconds: float = 0
    start_seconds: float = 0
    stop_seconds: float = 0
    answer: str = ""
    sources: tuple[str, ...] = ()
    pages: str = ""
    pdf: str = ""
    modules: str = ""
    uid: int = 0
    capabilities: str = ""
    no_new_privileges: bool = False
    refused: str = ""
    health: int = -1
    exit_code: int = -1
    memory: int = 0


def run_image(root: Path, stage: Stage) -> Seen:
    """In a process of its own, which has a network and mounts of its own."""
    command = ["unshare", "--net", "--mount", sys.executable, __file__, str(root), json.dumps(_told(stage))]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=600, check=False)
    if done.returncode:
        stop(f"{root.name} did not run", "What it wrote stands above.")
    return Seen(**json.loads(done.stdout.splitlines()[-1]))


def _told(stage: Stage) -> dict[str, Any]:
    return {
        "env": stage.env,
        "user": stage.user.partition(":")[0],
        "data": stage.volume,
        "workdir": stage.workdir,
        "start": stage.entrypoint + stage.command,
        "health": stage.health,
    }


class Container:
    """`inside`: how a command of the image is run in it, as its user and without privileges."""

    def __init__(self, root: Path, told: dict[str, Any]) -> None:
        user, env = told["user"], [f"{name}={value}" for name, value in told["env"].items()]
        less = ("--clear-groups", "--no-new-privs", "--bounding-set=-all", "--inh-caps=-all")
        as_user = ["setpriv", f"--reuid={user}", f"--regid={user}", *less]
        self.inside = [*as_user, "env", "-i", f"--chdir={told['workdir']}", *env]
        self._root, self._start = root, told["start"]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> float:
        """Seconds until it takes requests."""
        began = time.monotonic()
        command = [*OWN, "sh", "-c", BEGIN, "sh", str(self._root), *self.inside, *self._start, *more]
        self.process = subprocess.Popen(command, stdout=sys.stderr, stdin=subprocess.DEVNULL)
        while not _is_ready():
            if self.process.poll() is not None or time.monotonic() > began + UP_SECONDS:
                raise RuntimeError("it did not start")
            time.sleep(0.05)
        return time.monotonic() - began

    def first(self) -> int:
        """The process that is its number one."""
        assert self.process
        return int(Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()[0])

    def serving(self) -> int:
        """The one behind tini, where there is one."""
        first = self.first()
        below = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return int(below[0]) if below else first

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        """Beside the one that serves, in its root."""
        return subprocess.run(
            ["chroot", str(self._root), *self.inside, *command], capture_output=True, text=True, timeout=60, check=False
        )

    def stop(self) -> tuple[int, float]:
        """Its exit code and the seconds it took."""
        assert self.process
        began = time.monotonic()
        os.kill(self.first(), signal.SIGTERM)
        return self.process.wait(DOWN_SECONDS), time.monotonic() - began


def _is_ready() -> bool:
    try:
        return httpx2.get(f"{ADDRESS}/api/health/ready", timeout=2, trust_env=False).status_code == 200
    except httpx2.TransportError:
        return False


def _status(pid: int) -> dict[str, str]:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def _look(container: Container, seen: Seen, health: list[str]) -> None:
    """While it serves the demo shop."""
    with httpx2.Client(base_url=ADDRESS, timeout=30, trust_env=False) as client:
        sizes = {page: len(client.get(page).raise_for_status().content) for page in PAGES}
        said = client.post("/api/chat", json={"message": QUESTION}).raise_for_status().json()
        transcript = f"/api/sessions/{said['session_name']}/transcript?format=pdf"
        pdf = client.get(transcript, headers={"Authorization": f"Bearer {said['visitor_token']}"})
    seen.pages = ", ".join(f"`{page}` {size:,} bytes" for page, size in sizes.items())
    seen.answer, seen.sources = said["message"], tuple(one["title"] for one in said["sources"])
    seen.pdf = pdf.content[:8].decode("ascii", "replace") if pdf.is_success else pdf.text
    status = _status(container.serving())
    seen.uid, seen.capabilities = int(status["Uid"].split()[1]), status["CapEff"]
    seen.no_new_privileges = status["NoNewPrivs"] == "1"
    seen.memory = int(status["VmRSS"].split()[0]) * 1024
    seen.modules = container.run("python", "-c", LOAD_ALL).stdout.strip()
    seen.health = container.run(*health).returncode
    written = container.run("touch", "/opt/kefu/here", "/etc/here", "/var/here").stderr
    seen.refused = ", ".join(sorted({line.rpartition(": ")[2] for line in written.splitlines()}))


def _loopback_up() -> None:
    """A new network has its loopback down."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        asked = struct.pack("16sh14x", b"lo", 0)
        (flags,) = struct.unpack_from("h", fcntl.ioctl(any_socket, SIOCGIFFLAGS, asked), 16)
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def main(root: Path, told: dict[str, Any]) -> None:
    _loopback_up()
    subprocess.run(["sh", "-c", PREPARE, "sh", root, told["data"], told["user"]], check=True)
    seen, container = Seen(), Container(root, told)
    seen.first_start_seconds = container.start("--demo")
    _look(container, seen, told["health"])
    container.stop()
    seen.start_seconds = container.start()
    seen.exit_code, seen.stop_seconds = container.stop()
    print(json.dumps(asdict(seen)))


if __name__ == "__main__":
    main(Path(sys.argv[1]), json.loads(sys.argv[2]))
