"""Where in a document a field stands, and documents as YAML that people like to read. Pure."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from contracts.errors import FieldProblem
from contracts.jobs.definition import JobDefinition
from contracts.jobs.steps import STEP_TYPES, StepSpec

Place = tuple[int, int]
"""Line and column, both from 1."""


class Places:
    """The place of every field in a YAML or JSON text; of a field that is not there its nearest parent's."""

    def __init__(self, root: yaml.Node | None) -> None:
        self._places: dict[str, Place] = {}
        self._scripts: dict[str, int] = {}
        self._known: set[int] = set()
        if root is not None:
            self._note("", root, _start(root))

    @classmethod
    def in_text(cls, text: str) -> "Places":
        """The places in a text of one document."""
        try:
            return cls(yaml.compose(text, Loader=yaml.SafeLoader))
        except (yaml.YAMLError, RecursionError):
            return cls(None)  # the text cannot be read at all: that is told by who reads it

    def of(self, problem: FieldProblem) -> Place | None:
        """Where to look; a line inside a script is counted from where the script stands."""
        path = problem.field
        if problem.line is not None and path in self._scripts:
            return self._scripts[path] + problem.line - 1, 1
        while path not in self._places:
            if not path:
                return self._places.get("")
            path = path.rpartition(".")[0]
        return self._places[path]

    def _note(self, path: str, node: Any, place: Place) -> None:
        self._places[path] = place
        if isinstance(node, yaml.ScalarNode):
            block = node.style in {"|", ">"}
            self._scripts[path] = node.start_mark.line + (2 if block else 1)
        if id(node) in self._known:
            return  # an alias: what it stands for has its places already
        self._known.add(id(node))
        for name, key, value in _children(node):
            self._note(f"{path}.{name}" if path else name, value, _start(key))


def _children(node: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key, value
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            yield str(index), value, value


def _start(node: Any) -> Place:
    return node.start_mark.line + 1, node.start_mark.column + 1


OTHER_BREAKS = re.compile("[\x85\u2028\u2029\r\ufeff]")
"""What YAML may take for the end of a line, or for none of the text."""


class _Dumper(yaml.SafeDumper):
    """Scripts as blocks, lists indented under their key."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: FBT001, FBT002
        super().increase_indent(flow, indentless=False)


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    style = "|" if "\n" in value else None
    if OTHER_BREAKS.search(value):
        style = '"'  # anything else would read them as line ends
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text)


def as_yaml(document: Mapping[str, Any]) -> str:
    """The definition with its keys in the order in which the schema tells of them."""
    return dumped(ordered(document))


def ordered(definition: Mapping[str, Any]) -> dict[str, Any]:
    """The same with its keys in the order in which the schema tells of them."""
    found = _ordered(definition, _fields(JobDefinition))
    if isinstance(steps := found.get("steps"), list):
        found["steps"] = [_step(step) for step in steps]
    return found


def dumped(document: Any) -> str:
    """Any document as YAML: scripts as blocks, keys in the order they have."""
    text: str = yaml.dump(document, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100)
    return text


def _step(step: Any) -> Any:
    if not isinstance(step, dict):
        return step
    kind = next((k for k in STEP_TYPES if step.get("type") in _types(k)), StepSpec)
    order = ["name", "type", *(name for name in _fields(kind) if name not in _fields(StepSpec))]
    return _ordered(step, [*order, *_fields(kind)])


def _types(kind: type[StepSpec]) -> tuple[str, ...]:
    found: tuple[str, ...] = getattr(kind.model_fields["type"].annotation, "__args__", ())
    return found


def _fields(model: type[JobDefinition] | type[StepSpec]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _ordered(document: Mapping[str, Any], order: list[str]) -> dict[str, Any]:
    known = [name for name in dict.fromkeys(order) if name in document]
    return {name: document[name] for name in [*known, *(n for n in document if n not in known)]}
