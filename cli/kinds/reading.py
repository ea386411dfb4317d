"""From files to documents, with file and line of everything that is wrong."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from cli.client.problems import CliError
from cli.client.texts import file_text, piped_text
from cli.kinds.documents import API_VERSION, Document, Fault, Origin, Reading
from cli.kinds.registry import BY_NAME
from cli.kinds.yamltexts import PlainLoader
from contracts.jobs.yamltext import Places
from contracts.wording import reason

SUFFIXES = (".yaml", ".yml", ".json")


def read_documents(paths: Sequence[str]) -> Reading:
    """Every document in these files, folders (all the way down) and `-`; raises `CliError` for none."""
    reading = Reading()
    for file, text in _texts(paths):
        _read(reading, file, text)
    _refuse_doubles(reading)
    if not reading.documents and not reading.faults:
        raise CliError(f"There is no document in {', '.join(paths)}.")
    return reading


def _texts(paths: Sequence[str]) -> Iterator[tuple[str, str]]:
    for path in paths:
        if path == "-":
            yield "<stdin>", piped_text()
            continue
        files = _files(Path(path))
        if not files:
            raise CliError(f"There is no file of YAML or JSON in {path}.")
        for file in files:
            yield str(file), file_text(file)


def _files(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    return sorted(file for file in path.rglob("*") if file.suffix in SUFFIXES and file.is_file())


def _read(reading: Reading, file: str, text: str) -> None:
    try:
        nodes = [node for node in yaml.compose_all(text, Loader=PlainLoader) if node is not None]
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        reading.faults.append(Fault(file, line, f"this is no YAML: {error.problem or error.context}"))
        return
    except (yaml.YAMLError, RecursionError) as error:
        reading.faults.append(Fault(file, 1, f"this is no YAML: {str(error).splitlines()[0]}"))
        return
    for node in nodes:
        origin = Origin(file, Places(node))
        if doubles := list(_double_keys(node, file)):
            reading.faults += doubles
        else:
            _take(reading, node, origin, text)


def _double_keys(node: yaml.Node, file: str, seen: set[int] | None = None) -> Iterator[Fault]:
    """A key that stands twice would win silently."""
    seen = set() if seen is None else seen
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.MappingNode):
        keys = set()
        for key, value in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                if key.value in keys:
                    reason = f"the key {key.value!r} stands twice in one object"
                    yield Fault(file, key.start_mark.line + 1, reason)
                keys.add(key.value)
            yield from _double_keys(value, file, seen)
    elif isinstance(node, yaml.SequenceNode):
        for value in node.value:
            yield from _double_keys(value, file, seen)


def _take(reading: Reading, node: yaml.Node, origin: Origin, text: str) -> None:
    document = _constructed(node)
    if not isinstance(document, dict):
        reading.faults.append(origin.fault("", "a document is an object with apiVersion, kind and metadata"))
        return
    if document.get("apiVersion") != API_VERSION:
        reading.faults.append(origin.fault("apiVersion", f"must be {API_VERSION}"))
        return
    kind = BY_NAME.get(str(document.get("kind")))
    if kind is None:
        reading.faults.append(origin.fault("kind", f"must be one of {', '.join(BY_NAME)}"))
        return
    try:
        parsed = kind.model.model_validate(document)
    except ValidationError as error:
        reading.faults += [
            origin.fault(_path(item["loc"]), reason(item))
            for item in error.errors(include_url=False, include_input=False)
        ]
        return
    if problems := kind.check(parsed):
        reading.faults += [origin.fault(p.field, p.reason, p.line) for p in problems]
        return
    reading.documents.append(Document(kind, parsed, origin, kind.source(parsed, text, node)))


def _constructed(node: yaml.Node) -> Any:
    loader = PlainLoader("")
    try:
        return loader.construct_document(node)
    except (yaml.YAMLError, RecursionError, ValueError):
        return None
    finally:
        loader.dispose()


def _path(place: tuple[int | str, ...]) -> str:
    """`spec.tags.role`: what told the shapes of a union apart is no part of the document."""
    words = [str(part) for part in place]
    return ".".join(word for word in words if "[" not in word and word not in {"dict", "list"})


def _refuse_doubles(reading: Reading) -> None:
    first: dict[tuple[str, str], Document] = {}
    for document in reading.documents:
        other = first.setdefault(document.ref, document)
        if other is not document:
            where = other.origin.fault("metadata.name", "")
            reason = f"{document.kind.name} {document.name} stands in {where.file}:{where.line} already"
            reading.faults.append(document.origin.fault("metadata.name", reason))
