"""What holds of deploy/k8s without a cluster: each overlay whole, by Kubernetes's own schemas, strictly."""

import copy
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from deploy.kustomize import Resource, build, containers, pod_of
from house.sources import ROOT
from kefu.kit.config import Settings, load_settings
from kefu.server import DRAIN_SECONDS, LINGER_SECONDS

FOLDER = ROOT / "deploy/k8s"
OVERLAYS = ("dev", "production", "canary")
OLDEST, NEWEST = "1.29", "1.37"
# Nobody writes this one down; the command that makes it is in docs/operate/install.md.
BY_HAND = {("Secret", "kefu"), ("Secret", "kefu-tls")}


@cache
def _built(overlay: str) -> list[Resource]:
    return build(FOLDER / "overlays" / overlay)


def built(overlay: str, kind: str = "") -> list[Resource]:
    return [copy.deepcopy(one) for one in _built(overlay) if kind in {"", one["kind"]}]


@pytest.mark.parametrize(("overlay", "version"), [("production", OLDEST), *((overlay, NEWEST) for overlay in OVERLAYS)])
def test_every_resource_is_what_kubernetes_takes(overlay: str, version: str) -> None:
    for resource in built(overlay):
        kubernetes_validate.validate(resource, version, strict=True)


def test_a_word_misspelt_is_seen() -> None:
    (app, *_) = built("production", "Deployment")
    app["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError, match="readynessProbe"):
        kubernetes_validate.validate(app, NEWEST, strict=True)


def _referred(resource: Resource) -> set[tuple[str, str]]:
    """What it names of other resources."""
    pod = (pod_of(resource) or {}).get("spec", {})
    found = {("ServiceAccount", pod["serviceAccountName"])} if "serviceAccountName" in pod else set()
    for volume in pod.get("volumes", []):
        found |= {("PersistentVolumeClaim", volume[it]["claimName"]) for it in volume if it == "persistentVolumeClaim"}
        found |= {("Secret", volume[it]["secretName"]) for it in volume if it == "secret"}
    for container in containers(resource):
        found |= {("ConfigMap", one["configMapRef"]["name"]) for one in container.get("envFrom", [])}
    spec = resource.get("spec", {})
    if "scaleTargetRef" in spec:
        found.add((spec["scaleTargetRef"]["kind"], spec["scaleTargetRef"]["name"]))
    for rule in spec.get("rules", []):
        found |= {("Service", path["backend"]["service"]["name"]) for path in rule["http"]["paths"]}
    return found | {("Secret", one["secretName"]) for one in spec.get("tls", [])}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_what_one_names_the_other_is(overlay: str) -> None:
    beside = built("production") if overlay == "canary" else []
    there = {(one["kind"], one["metadata"]["name"]) for one in (*built(overlay), *beside)} | BY_HAND
    for resource in built(overlay):
        assert _referred(resource) <= there, resource["metadata"]["name"]
        for container in containers(resource):
            _, _, tag = container["image"].rpartition(":")
            assert tag not in {container["image"], "", "latest"}
    spaces = {one["metadata"]["namespace"] for one in built(overlay) if one["kind"] != "Namespace"}
    assert len(spaces) == 1
    assert all(one["metadata"]["name"] in spaces for one in built(overlay, "Namespace"))


def _selects(selector: dict[str, str], resource: Resource) -> bool:
    pod = pod_of(resource)
    return pod is not None and selector.items() <= pod["metadata"].get("labels", {}).items()


def test_a_canary_gets_nothing_that_is_for_the_others_and_the_other_way_round() -> None:
    every = built("production") + built("canary")
    chosen = {}
    for service in (one for one in every if one["kind"] == "Service"):
        selector = service["spec"]["selector"]
        chosen[service["metadata"]["name"]] = [one["metadata"]["name"] for one in every if _selects(selector, one)]
    assert chosen == {"kefu-app": ["kefu-app"], "kefu-canary": ["kefu-canary"]}
    (ingress,) = built("canary", "Ingress")
    annotations = ingress["metadata"]["annotations"]
    assert annotations["nginx.ingress.kubernetes.io/canary-weight"] == "5"
    assert annotations["nginx.ingress.kubernetes.io/proxy-read-timeout"] == "75"


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_pod_is_restricted_and_bounded(overlay: str) -> None:
    for resource in built(overlay):
        if pod := pod_of(resource):
            spec: dict[str, Any] = pod["spec"]
            assert spec["securityContext"]["runAsNonRoot"] is True
            assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            assert spec["automountServiceAccountToken"] is False
        for container in containers(resource):
            own = container["securityContext"]
            assert own["allowPrivilegeEscalation"] is False
            assert own["capabilities"] == {"drop": ["ALL"]}
            assert own.get("readOnlyRootFilesystem") or overlay == "dev"
            assert {"cpu", "memory"} <= set(container["resources"]["limits"])


def test_an_app_is_probed_drained_scaled_and_given_time_to_end() -> None:
    app = next(one for one in built("production", "Deployment") if one["metadata"]["name"] == "kefu-app")
    (container,) = app["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"]["path"] == "/health"
    assert container["readinessProbe"]["httpGet"]["path"] == "/api/health/ready"
    pause = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    assert (
        app["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > pause + LINGER_SECONDS + DRAIN_SECONDS + 10
    )
    assert app["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    (scaler,) = built("production", "HorizontalPodAutoscaler")
    assert [one["type"] for one in scaler["spec"]["metrics"]] == ["Resource", "Pods"]
    (budget,) = built("production", "PodDisruptionBudget")
    assert budget["spec"]["minAvailable"] < scaler["spec"]["minReplicas"] == app["spec"]["replicas"]
    assert _selects(budget["spec"]["selector"]["matchLabels"], app)
    policies = built("production", "NetworkPolicy")
    for resource in built("production"):
        assert not pod_of(resource) or _selects(policies[0]["spec"]["podSelector"]["matchLabels"], resource)


@pytest.mark.parametrize("overlay", ["dev", "production"])
def test_kefu_starts_with_what_it_sets(overlay: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    known = {str(field.validation_alias) for field in Settings.model_fields.values()}
    (config,) = built(overlay, "ConfigMap")
    assert set(config["data"]) <= known
    for name, value in config["data"].items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("KEFU_SECRETS_DIR", str(tmp_path))
    subprocess.run([ROOT / "deploy/compose/secrets.sh", tmp_path], check=True, capture_output=True)
    for secret in built(overlay, "Secret"):
        for name, value in secret["stringData"].items():
            assert name in known
            (tmp_path / name).unlink()
            (tmp_path / name).write_text(value)
    assert load_settings().is_production == (overlay == "production")
    assert load_settings().database.endswith("@postgres:5432/kefu")
