"""nginx as it is recommended (deploy/nginx/kefu.conf), before two processes, on ports of the test's own."""

import os
import re
import shutil
from functools import partial
from pathlib import Path

from faults.program import Program, takes_connections
from servers import Missing, free_port

CONFIG = Path(__file__).resolve().parents[2] / "deploy" / "nginx" / "kefu.conf"
# What Debian's own nginx.conf says around it; all files lie in the test's folder.
AROUND = """
daemon off;
{user}
pid {home}/pid;
error_log {home}/error.log warn;
worker_processes 1;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    {folders}
    include {home}/kefu.conf;
}}
"""
FOLDERS = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")


class Nginx(Program):
    """Raises servers.Missing."""

    def __init__(self, home: Path, first: int, second: int, **lines: str) -> None:
        """`lines`: directives of the recommended file, here with another value."""
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if not program:
            raise Missing("nginx")
        self.port = free_port()
        ports = {"127.0.0.1:8001": first, "127.0.0.1:8002": second, "127.0.0.1:8080": self.port}
        self._write(home, ports, lines)
        command = [program, "-c", str(home / "nginx.conf"), "-e", str(home / "error.log")]
        super().__init__(home, command, partial(takes_connections, self.port))

    @staticmethod
    def _write(home: Path, ports: dict[str, int], lines: dict[str, str]) -> None:
        """Only the addresses of the recommended file are other ones, and what the test asks for."""
        config = CONFIG.read_text()
        for name, value in lines.items():
            config, found = re.subn(rf"^(\s+{name}) .*;$", rf"\1 {value};", config, flags=re.MULTILINE)
            assert found == 1, name
        for address, port in ports.items():
            assert config.count(address) == 1
            config = config.replace(address, f"127.0.0.1:{port}")
        user = "user root;" if os.geteuid() == 0 else ""
        folders = "\n    ".join(f"{folder}_temp_path {home}/{folder};" for folder in FOLDERS)
        (home / "kefu.conf").write_text(config)
        (home / "nginx.conf").write_text(AROUND.format(home=home, user=user, folders=folders))

    def complaints(self) -> list[str]:
        """What it logged as wrong."""
        file = self._home / "error.log"
        return file.read_text().splitlines() if file.exists() else []
