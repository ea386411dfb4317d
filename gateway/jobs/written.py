"""A definition in the order of its author: the database keeps what a document says, not in which order."""

from collections.abc import Mapping
from typing import Any

from contracts.errors import Invalid
from gateway.strictjson import read_yaml


def as_written(definition: Mapping[str, Any], source: str | None) -> dict[str, Any]:
    """The definition with its parameters as its text has them, since that is how people are asked."""
    found = dict(definition)
    parameters = found.get("parameters")
    said = _parameters_in(source) if isinstance(parameters, dict) else []
    if said and isinstance(parameters, dict):
        order = {name: place for place, name in enumerate(said)}
        names = sorted(parameters, key=lambda name: order.get(name, len(order)))
        found["parameters"] = {name: parameters[name] for name in names}
    return found


def _parameters_in(source: str | None) -> list[str]:
    """Names of parameters in the order of the text; none where that cannot be told."""
    if source is None:
        return []
    try:
        document = read_yaml(source.encode())
    except Invalid:
        return []
    said = document.get("definition", document) if isinstance(document, dict) else {}
    parameters = said.get("parameters") if isinstance(said, dict) else None
    return list(parameters) if isinstance(parameters, dict) else []
