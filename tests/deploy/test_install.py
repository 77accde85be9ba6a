"""docs/operate/install.md: its commands are run somewhere, or it says that they are not."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from certificates import own_certificate
from conftest import do_without
from house.sources import ROOT, is_test

PAGE = (ROOT / "docs/operate/install.md").read_text()


def blocks() -> Iterator[tuple[str, str]]:
    """Each with the line after it."""
    yield from re.findall(r"^```sh\n(.*?)^```\n(.*?)$", PAGE, re.MULTILINE | re.DOTALL)


def test_below_each_command_stands_what_runs_it_or_that_nothing_does() -> None:
    assert len(list(blocks())) >= 8
    for commands, after in blocks():
        assert re.match(r"\*(Run by|Not run here)", after), f"{commands}{after}"
    for named in re.findall(r"`(tests/[\w/]+\.py::\w+)`", PAGE):
        assert is_test(named), named


def test_nginx_takes_its_files_where_the_page_puts_them(tmp_path: Path) -> None:
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        do_without("nginx")
    pem = own_certificate(tmp_path / "fullchain.pem")
    shutil.copy(pem, tmp_path / "privkey.pem")
    (commands,) = [commands for commands, _ in blocks() if "nginx -t" in commands]
    script = re.sub(r"(?<= )(?=/)", str(tmp_path), commands).replace("deploy/", f"{ROOT}/deploy/")
    script = script.replace("nginx -t", f"{program} -t -q -c {tmp_path}/etc/nginx/nginx.conf -e {tmp_path}/error.log")
    around = f"pid {tmp_path}/pid; events {{}} http {{ include conf.d/*.conf; }}"
    (tmp_path / "etc/nginx").mkdir(parents=True)
    (tmp_path / "etc/nginx/nginx.conf").write_text(around)
    put, _, tried = script.rpartition(program)
    subprocess.run(["sh", "-ec", put], cwd=tmp_path, check=True)
    for file in (tmp_path / "etc/nginx").rglob("*.conf"):
        file.write_text(re.sub(r"(?<= )/(etc|var)/", rf"{tmp_path}/\1/", file.read_text()))
    done = subprocess.run(["sh", "-ec", program + tried], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
