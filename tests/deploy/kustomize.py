"""What `kustomize build` makes of deploy/k8s, as far as its files go: resources, patches by name, images, a namespace.

Anything else that a kustomization says fails, rather than being left out.
"""

from pathlib import Path
from typing import Any

import yaml

Resource = dict[str, Any]
UNDERSTOOD = {"apiVersion", "kind", "resources", "patches", "images", "namespace"}


def build(folder: Path) -> list[Resource]:
    told = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(told) <= UNDERSTOOD, set(told) - UNDERSTOOD
    made = [one for name in told["resources"] for one in _read(folder / name)]
    for patch in told.get("patches", []):
        text = patch.get("patch") or (folder / patch["path"]).read_text()
        _change(made, yaml.safe_load(text), patch)  # one in each, as every version of kustomize takes it
    for image in told.get("images", []):
        for container in (one for resource in made for one in containers(resource)):
            if container["image"] == image["name"]:
                container["image"] = f"{image.get('newName', image['name'])}:{image['newTag']}"
    for resource in made:
        if "namespace" in told and resource["kind"] != "Namespace":
            resource["metadata"]["namespace"] = told["namespace"]
    return made


def _read(path: Path) -> list[Resource]:
    return build(path) if path.is_dir() else list(yaml.safe_load_all(path.read_text()))


def _change(made: list[Resource], change: Resource, patch: dict[str, Any]) -> None:
    """A strategic merge. Fails unless it is for exactly one resource."""
    target = patch.get("target", {"kind": change["kind"], "name": change["metadata"]["name"]})
    (found,) = [one for one in made if (one["kind"], one["metadata"]["name"]) == (target["kind"], target["name"])]
    if change.get("$patch") == "delete":
        made.remove(found)
        return
    is_renamed = change["metadata"]["name"] != target["name"]
    assert not is_renamed or patch["options"]["allowNameChange"]
    found |= _merged(found, change)


def _merged(old: Any, new: Any) -> Any:
    """Lists of named things are merged by name; others are replaced."""
    if isinstance(old, dict) and isinstance(new, dict):
        return {**old, **{key: _merged(old.get(key), value) for key, value in new.items()}}
    if isinstance(old, list) and isinstance(new, list) and all("name" in one for one in (*old, *new)):
        names = {one["name"]: one for one in old}
        return list({**names, **{one["name"]: _merged(names.get(one["name"]), one) for one in new}}.values())
    return new


def pod_of(resource: Resource) -> Resource | None:
    """The pod template of whatever makes pods."""
    spec = resource.get("spec", {})
    template: Resource | None = spec.get("jobTemplate", {}).get("spec", spec).get("template")
    return template


def containers(resource: Resource) -> list[Resource]:
    pod = (pod_of(resource) or {}).get("spec", {})
    return [*pod.get("initContainers", []), *pod.get("containers", [])]
