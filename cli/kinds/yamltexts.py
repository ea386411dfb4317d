"""Jobs as their authors wrote them: comments and layout travel between a file and the server.

The server keeps a definition's text, which has the name in it and no envelope; a file has the envelope around
it. Whatever does not come out meaning the same is left to the generated form.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from contracts.jobs.yamltext import OTHER_BREAKS, dumped

_ENVELOPE = ("apiVersion", "kind", "metadata")


class PlainLoader(yaml.SafeLoader):
    """YAML as JSON knows it: dates stay text."""


PlainLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def source_of(text: str, root: yaml.Node, definition: Mapping[str, Any]) -> str | None:
    """The definition's own text in the document at `root`; None when it cannot be told from the rest."""
    found = _entry(root, "spec")
    if found is None or OTHER_BREAKS.search(text):
        return None
    lines = text.split("\n")
    key, spec, end = found
    if (
        not isinstance(spec, yaml.MappingNode)
        or spec.flow_style
        or spec.start_mark.line == key.start_mark.line
    ):
        return None
    indent = spec.start_mark.column
    body = lines[key.start_mark.line + 1 : end]
    if any(line[:indent].strip() and not _is_remark(line) for line in body):
        return None
    inner = [line.lstrip() if line[:indent].strip() else line[indent:] for line in body]
    told = [
        *_remarks_above(lines, root.start_mark.line),
        dumped({"name": definition["name"]}).rstrip(),
        *inner,
    ]
    source = "\n".join(told).rstrip() + "\n"
    return source if _plain(source) == definition else None


def written(document: Mapping[str, Any], source: str | None) -> str:
    """The document as a file, in its author's text where there is one."""
    if source is not None:
        text = _enveloped(document, source)
        if text is not None and _plain(text) == document:
            return text
    return dumped(document)


def _enveloped(document: Mapping[str, Any], source: str) -> str | None:
    if OTHER_BREAKS.search(source):
        return None
    try:
        found = _entry(yaml.compose(source, Loader=PlainLoader), "name")
    except (yaml.YAMLError, RecursionError):
        return None
    if found is None or found[0].start_mark.line != found[1].end_mark.line:
        return None
    lines, at = source.split("\n"), found[0].start_mark.line
    head = [line for line in lines[:at] if line.strip() != "---"]
    if not all(_is_remark(line) for line in head):
        head, lines, at = [], [*lines[:at], *lines[at + 1 :]], -1
    body = [f"  {line}" if line.strip() else "" for line in lines[at + 1 :]]
    envelope = dumped({name: document[name] for name in _ENVELOPE})
    return "".join(f"{line}\n" for line in head) + envelope + "\n".join(["spec:", *body]).rstrip() + "\n"


def _entry(root: yaml.Node | None, name: str) -> tuple[yaml.Node, yaml.Node, int] | None:
    """Key and value of a block mapping at the left margin, and the line before which its text ends."""
    if not isinstance(root, yaml.MappingNode) or root.flow_style or root.start_mark.column:
        return None
    ends = [
        *(key.start_mark.line for key, _ in root.value[1:]),
        root.end_mark.line + bool(root.end_mark.column),
    ]
    for (key, value), end in zip(root.value, ends, strict=True):
        if key.value == name:
            return key, value, end
    return None


def _remarks_above(lines: Sequence[str], line: int) -> list[str]:
    first = line
    while first and _is_remark(lines[first - 1]):
        first -= 1
    return [one for index, one in enumerate(lines[first:line]) if one.strip() or index]


def _is_remark(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _plain(text: str) -> Any:
    """What the text says; None when it says it with aliases, which the server does not read."""
    try:
        if any(isinstance(event, yaml.AliasEvent) for event in yaml.parse(text, Loader=PlainLoader)):
            return None
        return yaml.load(text, Loader=PlainLoader)  # noqa: S506  (derived from SafeLoader)
    except (yaml.YAMLError, ValueError, RecursionError):
        return None
