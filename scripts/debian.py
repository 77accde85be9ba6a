"""The Debian packages the tests need: what is missing, and how to get it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path

from steps import environment, run


def _program(*names: str) -> Callable[[], bool]:
    path = f"{os.environ.get('PATH', '')}:/usr/sbin"
    return lambda: any(shutil.which(name, path=path) for name in names)


def _file(pattern: str) -> Callable[[], bool]:
    return lambda: any(Path("/").glob(pattern))


PACKAGES: Mapping[str, Callable[[], bool]] = {
    "postgresql": _file("usr/lib/postgresql/*/bin/initdb"),
    "redis-server": _program("redis-server"),
    # The engine alone, which takes a fifth less of the machine; the whole browser does as well.
    "chromium-headless-shell": _program("chromium-headless-shell", "chromium"),
    "fonts-noto-cjk": _file("usr/share/fonts/**/*CJK*"),
    "nginx": _program("nginx"),
    "prometheus": _program("promtool"),
    "prometheus-alertmanager": _program("prometheus-alertmanager"),
}


def missing() -> list[str]:
    return [package for package, is_there in PACKAGES.items() if not is_there()]


def install(packages: list[str]) -> None:
    """Install them when this is Debian (or its kin) and we may: as root, or by a sudo that asks for nothing."""
    root = _root_by()
    if not packages or root is None or not shutil.which("apt-get"):
        return
    env = environment(DEBIAN_FRONTEND="noninteractive")
    apt = [*root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-o", "DPkg::Lock::Timeout=120"]
    run("Debian package lists", [*apt, "update"], env)
    run(f"Debian packages: {' '.join(packages)}", [*apt, "install", "-y", "--no-install-recommends", *packages], env)


def _root_by() -> list[str] | None:
    if os.geteuid() == 0:
        return []
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0
    ):
        return ["sudo", "-n"]
    return None
