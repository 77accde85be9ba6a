"""nginx as it is recommended (deploy/nginx), before two processes, on ports of the test's own."""

import os
import re
import shutil
from functools import partial
from pathlib import Path

from faults.program import Program, takes_connections
from servers import Missing, free_port

FOLDER = Path(__file__).resolve().parents[2] / "deploy" / "nginx"
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
    """`port`: of the site. `plain_port`: of the redirect. Raises servers.Missing."""

    def __init__(
        self, home: Path, first: int, second: int, *, certificate: Path | None = None, share: str = "", **lines: str
    ) -> None:
        """`certificate`: a PEM with its key; without one the site speaks plain HTTP and holds nobody up at its doors.

        `share`: of the addresses, to the canary. `lines`: directives of the recommended files, here with another value.
        """
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
        if not program:
            raise Missing("nginx")
        self.port, self.plain_port, self.canary_port = free_port(), free_port(), free_port()
        places = {
            "127.0.0.1:8001": f"127.0.0.1:{first}",
            "127.0.0.1:8002": f"127.0.0.1:{second}",
            "127.0.0.1:8011": f"127.0.0.1:{self.canary_port}",
            "/var/cache/nginx/kefu": f"{home}/cache",
            "/var/www/acme": f"{home}/acme",
            "# 5% kefu_canary;": f"{share} kefu_canary;" if share else "",
            "listen 80;": f"listen 127.0.0.1:{self.plain_port};",
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
        }
        if certificate:
            places |= {f"/etc/nginx/tls/{name}.pem": str(certificate) for name in ("fullchain", "privkey")}
        else:
            places |= {" ssl http2;": ";", "rate=20r/s": "rate=100000r/s"}
            lines |= dict.fromkeys(("ssl_certificate", "ssl_certificate_key"), "")
        self._write(home, places, lines)
        command = [program, "-c", str(home / "nginx.conf"), "-e", str(home / "error.log")]
        super().__init__(home, command, partial(takes_connections, self.port))

    @staticmethod
    def _write(home: Path, places: dict[str, str], lines: dict[str, str]) -> None:
        """Only the addresses and places of the recommended files are other ones, and what the test asks for."""
        files = {file.name: file.read_text() for file in FOLDER.glob("*.conf")}
        for name, value in lines.items():
            line = f"{name} {value};" if value else ""
            found = [file for file, text in files.items() if re.search(rf"^\s*{name} ", text, re.MULTILINE)]
            assert found, name
            for file in found:
                files[file] = re.sub(rf"^(\s*){name} .*;$", rf"\1{line}", files[file], flags=re.MULTILINE)
        for place, here in places.items():
            assert any(place in text for text in files.values()), place
            files = {file: text.replace(place, here) for file, text in files.items()}
        (home / "kefu").mkdir()
        for name, text in files.items():
            (home / name if name == "kefu.conf" else home / "kefu" / name).write_text(text)
        user = "user root;" if os.geteuid() == 0 else ""
        folders = "\n    ".join(f"{folder}_temp_path {home}/{folder};" for folder in FOLDERS)
        (home / "nginx.conf").write_text(AROUND.format(home=home, user=user, folders=folders))

    def complaints(self) -> list[str]:
        """What it logged as wrong."""
        file = self._home / "error.log"
        return file.read_text().splitlines() if file.exists() else []
