"""compose.yaml as a person's shell would fill it in: with no variable set at all."""

import re
from functools import cache
from typing import Any

import yaml

from tests.support.processes import ROOT

FILE = ROOT / "compose.yaml"
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")


@cache
def compose() -> dict[str, Any]:
    """The parsed file, variables replaced by their defaults; one without a default stays and is seen."""
    document: dict[str, Any] = yaml.safe_load(FILE.read_text())
    filled: dict[str, Any] = _filled(document)
    return filled


def services() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = compose()["services"]
    return found


def _filled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _filled(item) for key, item in value.items() if not str(key).startswith("x-")}
    if isinstance(value, list):
        return [_filled(item) for item in value]
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: found[0] if found[2] is None else found[2], value)
    return value


def long_lived() -> list[str]:
    return [name for name, service in services().items() if service["restart"] != "no"]


def ours() -> list[str]:
    """The services that run our Python image."""
    return [name for name, service in services().items() if service["image"].startswith("opsconductor:")]


def secrets_of(name: str) -> set[str]:
    """The volumes with secrets that a service mounts."""
    volumes = [str(volume).split(":")[0] for volume in services()[name].get("volumes", ())]
    return {volume for volume in volumes if volume.startswith(("secrets-", "certificate"))}
