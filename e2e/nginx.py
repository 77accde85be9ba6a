"""nginx before the product: set up as people do who have not read what streams need, and as it is recommended."""

import os
import shutil
import ssl
import subprocess
import time
from ipaddress import ip_address
from pathlib import Path

import httpx2
from cryptography import x509

from certificates import own_certificate
from e2e.product import NO_TLS
from faults.nginx import Nginx as Recommended
from servers import free_port

START_SECONDS = 30
CONF = """
pid nginx.pid;
error_log error.log;
{user}
events {{}}
http {{
  access_log off;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server {{
    listen 127.0.0.1:{port};
    location / {{
      proxy_pass {target};
      proxy_set_header Host $http_host;
      {more}
    }}
  }}
}}
"""


class Nginx:
    """Passes no upgrade on, as nginx does unless it is told to. `more`: directives of the location."""

    IN_FRONT: tuple[str, ...] = ("-g", "daemon off;")

    def __init__(self, home: Path, target: str, more: str = "") -> None:
        self.address = f"http://127.0.0.1:{free_port()}"
        port = self.address.rpartition(":")[2]
        user = "user root;" if home.owner() == "root" else ""
        (home / "nginx.conf").write_text(CONF.format(port=port, target=target, more=more, user=user))
        self._trusts = NO_TLS
        self._prepare(home)

    def _prepare(self, home: Path) -> None:
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin") or "nginx"
        command = (program, "-p", str(self._home), "-c", "nginx.conf", "-e", "error.log", *self.IN_FRONT)
        self._process = subprocess.Popen(command, cwd=self._home)
        deadline = time.monotonic() + START_SECONDS
        while not self._passes():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"not started: {(self._home / 'error.log').read_text()[-2000:]}")
            time.sleep(0.05)

    def _passes(self) -> bool:
        try:
            return httpx2.get(f"{self.address}/api/health/ready", timeout=1, verify=self._trusts).status_code == 200
        except httpx2.TransportError:
            return False

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(START_SECONDS)


class Secured(Nginx):
    """By the recommended files, over TLS with a certificate of its own."""

    IN_FRONT = ()  # they say so themselves

    def __init__(self, home: Path, port: int) -> None:
        certificate = own_certificate(home / "own.pem", x509.IPAddress(ip_address("127.0.0.1")))
        recommended = Recommended(home, port, free_port(), certificate=certificate)
        self.address = f"https://127.0.0.1:{recommended.port}"
        self._trusts = ssl.create_default_context(cafile=certificate)
        self._prepare(home)
