"""What holds of deploy/compose without Docker: its shape, what it names, and the settings it starts Kefu with."""

import json
import os
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import redis
import yaml
from redis.backoff import ConstantBackoff, NoBackoff
from redis.retry import Retry

from certificates import own_certificate
from conftest import do_without
from faults.nginx import FOLDER as NGINX
from house.sources import ROOT
from kefu.kit.config import Settings, load_settings

FOLDER = ROOT / "deploy/compose"
# Of https://github.com/compose-spec/compose-spec (Apache License 2.0), commit 170098b.
SCHEMA = jsonschema.Draft7Validator(json.loads((Path(__file__).parent / "schemas/compose-spec.json").read_text()))
KEFU = ("app-1", "app-2", "worker", "migrate")
ALWAYS = {
    "app-1",
    "app-2",
    "worker",
    "migrate",
    "postgres",
    "redis",
    "nginx",
    "prometheus",
    "alertmanager",
    "grafana",
    "alert-relay",
}
PATIENTLY = Retry(ConstantBackoff(0.05), 300, (redis.ConnectionError,))  # while it starts
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)\}")


@cache
def read(name: str = "compose.yaml") -> dict[str, Any]:
    """As Compose reads it, with what env.example says."""
    given = dict(re.findall(r"^(\w+)=(.*)$", (FOLDER / "env.example").read_text(), re.MULTILINE))
    text = VARIABLE.sub(lambda found: given[found[1]], (FOLDER / name).read_text())
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def services() -> dict[str, dict[str, Any]]:
    every: dict[str, dict[str, Any]] = read()["services"]
    return every


@pytest.mark.parametrize("name", ["compose.yaml", "compose.certbot.yaml"])
def test_it_is_what_compose_takes(name: str) -> None:
    SCHEMA.validate(read(name))


def test_the_schema_sees_a_mistake() -> None:
    wrong = {"services": {"app": {"image": "kefu", "helthcheck": {}}}}
    with pytest.raises(jsonschema.ValidationError, match="helthcheck"):
        SCHEMA.validate(wrong)


def test_everything_is_there_bounded_and_without_privilege() -> None:
    assert set(services()) == ALWAYS
    for name, one in services().items():
        limits = one["deploy"]["resources"]["limits"]
        assert set(limits) == {"cpus", "memory", "pids"}, name
        assert one["read_only"], name
        assert one["cap_drop"] == ["ALL"], name
        assert one["security_opt"] == ["no-new-privileges:true"], name
        assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+(-\w+)?", one["image"]), one["image"]
        assert one["restart"] == ("no" if name == "migrate" else "unless-stopped")


def test_nobody_begins_before_what_they_need_is_healthy() -> None:
    assert set(services()["nginx"]["depends_on"]) == {"app-1", "app-2"}
    for name in ("app-1", "app-2", "worker"):
        assert services()[name]["depends_on"]["migrate"]["condition"] == "service_completed_successfully"
        assert {"postgres", "redis"} <= set(services()[name]["depends_on"])
    for one in services().values():
        for needed, how in one.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in services()[needed]["healthcheck"], needed


def test_what_it_mounts_exists() -> None:
    made = {"./tls", "./secrets"}
    for name, one in services().items():
        for volume in one.get("volumes", []):
            source = volume.partition(":")[0]
            if source.startswith("."):
                assert source in made or (FOLDER / source).exists(), f"{name}: {source}"
            else:
                assert source in read()["volumes"], f"{name}: {source}"
    nginx = {volume.split(":")[1]: volume.split(":")[0] for volume in services()["nginx"]["volumes"]}
    (certbots,) = read("compose.certbot.yaml")["services"]["nginx"]["volumes"]
    assert certbots.split(":")[1] in nginx


def test_kefu_starts_in_production_with_its_settings_and_secrets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(2):
        subprocess.run([FOLDER / "secrets.sh", tmp_path], check=True, capture_output=True)
    made = {file.name: file.read_text().strip() for file in tmp_path.iterdir()}
    assert {f"./secrets/{name}" for name in made} == {one["file"] for one in read()["secrets"].values()}
    assert made["POSTGRES_PASSWORD"] in made["DATABASE_URL"]
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    given = dict(re.findall(r"^(\w+)=(.*)$", (FOLDER / "env.example").read_text(), re.MULTILINE))
    for name in KEFU:
        assert set(services()[name]["environment"]) | set(services()[name]["secrets"]) <= known
        for setting, value in (given | services()[name]["environment"]).items():
            monkeypatch.setenv(setting, value)
        monkeypatch.setenv("KEFU_SECRETS_DIR", str(tmp_path))
        settings = load_settings()
        assert settings.is_production
        assert settings.database == made["DATABASE_URL"]
        assert settings.redis_url == made["REDIS_URL"]
        assert settings.trusted_proxies == [f"{services()['nginx']['networks']['front']['ipv4_address']}/32"]


def test_redis_keeps_what_it_is_told_and_asks_for_its_password(tmp_path: Path) -> None:
    program = shutil.which("redis-server")
    if not program:
        do_without("redis-server")
    subprocess.run([FOLDER / "secrets.sh", tmp_path], check=True, capture_output=True)
    told = (FOLDER / "redis.conf").read_text().replace("dir /data", f"dir {tmp_path}")
    told = told.replace("/run/secrets", str(tmp_path)) + f"\nport 0\nunixsocket {tmp_path}/socket\n"
    (tmp_path / "own.conf").write_text(told)
    password = (tmp_path / "redis.conf").read_text().split()[1]
    assert f":{password}@" in (tmp_path / "REDIS_URL").read_text()
    address = f"{tmp_path}/socket"
    with subprocess.Popen([program, tmp_path / "own.conf"], stdout=subprocess.DEVNULL) as running:
        try:
            owner = redis.Redis(unix_socket_path=address, password=password, retry=PATIENTLY, decode_responses=True)
            assert owner.config_get("appendonly") == {"appendonly": "yes"}
            with pytest.raises(redis.AuthenticationError):
                redis.Redis(unix_socket_path=address, retry=Retry(NoBackoff(), 0)).ping()
        finally:
            running.kill()


def test_nginx_takes_its_file_and_finds_the_apps_where_they_are(tmp_path: Path) -> None:
    apps = [services()[name]["networks"]["front"]["ipv4_address"] for name in ("app-1", "app-2")]
    upstreams = (FOLDER / "upstreams.conf").read_text()
    assert [address for address in apps if f"server {address}:8000 max_fails" in upstreams] == apps
    for file in (*NGINX.glob("*.conf"), FOLDER / "upstreams.conf"):
        (tmp_path / "kefu").mkdir(exist_ok=True)
        (tmp_path / "kefu" / file.name).write_text(_here(file.read_text(), tmp_path))
    (tmp_path / "nginx.conf").write_text(_here((FOLDER / "nginx.conf").read_text(), tmp_path))
    (tmp_path / "mime.types").write_text("types { text/html html; }")
    own_certificate(tmp_path / "own.pem")
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if not program:
        do_without("nginx")
    command = (program, "-t", "-q", "-c", tmp_path / "nginx.conf", "-e", tmp_path / "error.log")
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    assert tried.returncode == 0, tried.stderr


def _here(text: str, home: Path) -> str:
    """What is of that image only (its user, its folders) as it is on this machine."""
    text = re.sub(r"/etc/nginx/tls/\w+\.pem", str(home / "own.pem"), text)
    return (
        text.replace("user nginx;", "").replace("/run/nginx.pid", f"{home}/pid").replace("/var/cache/nginx", str(home))
    )


def test_what_watches_asks_for_what_there_is() -> None:
    scraped = yaml.safe_load((ROOT / "deploy/prometheus/prometheus.yml").read_text())["scrape_configs"][0]
    assert scraped["static_configs"][0]["targets"] == ["app-1:8000", "app-2:8000"]
    assert scraped["authorization"]["credentials_file"] == "/run/secrets/METRICS_TOKEN"
    source = "\n".join(file.read_text() for file in (ROOT / "src/kefu").rglob("*.py"))
    (board,) = (ROOT / "deploy/grafana/dashboards").glob("*.json")
    panels = json.loads(board.read_text())["panels"]
    asked = {name for panel in panels for one in panel["targets"] for name in re.findall(r"kefu_\w+", one["expr"])}
    for name in asked:
        assert f'"{re.sub("_(bucket|count|sum)$", "", name)}"' in source, name
    (known,) = yaml.safe_load((ROOT / "deploy/grafana/provisioning/dashboards/kefu.yml").read_text())["providers"]
    assert any(volume.split(":")[1] == known["options"]["path"] for volume in services()["grafana"]["volumes"])
