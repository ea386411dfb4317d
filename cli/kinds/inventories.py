"""Lists of machines as other tools keep them, as target documents. Pure."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from pydantic import ValidationError

from cli.kinds.documents import API_VERSION, Document, Fault, Origin, Reading
from cli.kinds.registry import BY_NAME
from contracts.errors import FieldProblem
from contracts.wording import reason

_WINDOWS_CONNECTIONS = {"winrm", "psrp"}
_EVERYWHERE = {"all", "ungrouped", "_meta"}
_OWN_FIELDS = {"name", "os", "hostname", "credential", "pool", "tags"}
_SETTINGS = {"ssh", "winrm"}
_NUMBERS = {"port", "max_concurrent"}
_BOOLEANS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}


class _Unlike(ValueError):
    """The text is something else than a list of machines."""


@dataclass(frozen=True, slots=True)
class Defaults:
    """What machines get that say nothing themselves."""

    os: str | None = None
    credential: str | None = None
    pool: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One machine and the line that tells of it."""

    line: int
    name: str
    spec: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _OneLine:
    line: int

    def of(self, _problem: FieldProblem) -> tuple[int, int]:
        return self.line, 1


def read_inventory(file: str, text: str, defaults: Defaults) -> Reading:
    """Targets of CSV, of a YAML list, or of what `ansible-inventory --list` prints."""
    reading = Reading()
    try:
        rows = list(_rows(file, text))
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        reading.faults.append(Fault(file, line, f"this is no YAML: {error.problem}"))
        return reading
    except (ValueError, csv.Error) as error:
        line = error.lineno if isinstance(error, json.JSONDecodeError) else 1
        reading.faults.append(Fault(file, line, str(error)))
        return reading
    for row in rows:
        _take(reading, file, row, defaults)
    return reading


def _rows(file: str, text: str) -> Iterator[Row]:
    if file.endswith(".csv"):
        return _of_csv(text)
    if text.lstrip().startswith("{"):
        return _of_ansible(text)
    if file.endswith((".yaml", ".yml")) or text.lstrip().startswith(("-", "[")):
        return _of_yaml(text)
    return _of_csv(text)


def _of_csv(text: str) -> Iterator[Row]:
    """Columns name, os, hostname, credential, pool, tags (`a=1;b`), and settings such as `ssh.port`."""
    heading = text.partition("\n")[0]
    reader = csv.DictReader(io.StringIO(text), delimiter=max(",;\t", key=heading.count), strict=True)
    unknown = [name for name in reader.fieldnames or () if not _is_column(name.strip())]
    if unknown or "name" not in (reader.fieldnames or ()):
        wanted = "name, os, hostname, credential, pool, tags, ssh.…, winrm.…"
        raise ValueError(f"the columns are {wanted}; not {', '.join(unknown) or 'without name'}")
    for record in reader:
        given = {str(k).strip(): v.strip() for k, v in record.items() if k and v and v.strip()}
        spec: dict[str, Any] = {}
        for column, value in given.items():
            _put(spec, column, value)
        yield Row(reader.line_num, str(spec.pop("name", "")), spec)


def _is_column(name: str) -> bool:
    return name in _OWN_FIELDS or name.partition(".")[0] in _SETTINGS


def _put(spec: dict[str, Any], column: str, value: str) -> None:
    head, dot, setting = column.partition(".")
    if dot:
        spec.setdefault(head, {})[setting] = _typed(setting, value)
    elif column == "tags":
        pairs = (pair.partition("=") for pair in value.split(";") if pair.strip())
        spec["tags"] = {name.strip(): tag.strip() for name, _, tag in pairs}
    else:
        spec[column] = value


def _typed(setting: str, value: str) -> Any:
    if setting in _NUMBERS:
        return int(value) if value.isdigit() else value
    return _BOOLEANS.get(value.lower(), value) if setting == "verify_tls" else value


def _of_yaml(text: str) -> Iterator[Row]:
    """A list of objects with the fields of a target's spec, and its name."""
    node = yaml.compose(text, Loader=yaml.SafeLoader)
    if not isinstance(node, yaml.SequenceNode):
        raise _Unlike("a list of targets is expected: each with name, os and hostname")
    for item, fields in zip(node.value, yaml.safe_load(text), strict=True):
        if not isinstance(fields, dict):
            raise _Unlike(f"line {item.start_mark.line + 1}: each target is an object")
        spec = dict(fields)
        yield Row(item.start_mark.line + 1, str(spec.pop("name", "")), spec)


def _of_ansible(text: str) -> Iterator[Row]:
    """Hosts with their variables; every group a host is in, also through others, becomes a tag."""
    document = json.loads(text)
    variables = document.get("_meta", {}).get("hostvars", {})
    groups = {name: group for name, group in document.items() if isinstance(group, dict) and name != "_meta"}
    hosts = dict.fromkeys(h for group in groups.values() for h in group.get("hosts", []))
    if not hosts and not variables:
        raise ValueError("there is no host in it; it should be what `ansible-inventory --list` prints")
    tags = _tags_of(groups)
    for host in {**dict.fromkeys(variables), **hosts}:
        told = variables.get(host, {})
        yield Row(text[: text.find(json.dumps(host))].count("\n") + 1, host, _spec_of(host, told, tags))


def _tags_of(groups: Mapping[str, Any]) -> dict[str, set[str]]:
    tags: dict[str, set[str]] = {}

    def spread(name: str, group: Mapping[str, Any], above: frozenset[str]) -> None:
        names = above if name in _EVERYWHERE else above | {name}
        for host in group.get("hosts", []):
            tags.setdefault(host, set()).update(names)
        for child in group.get("children", []):
            if child in groups and child not in above:
                spread(child, groups[child], names)

    for name, group in groups.items():
        spread(name, group, frozenset())
    return tags


def _spec_of(host: str, told: Mapping[str, Any], tags: Mapping[str, set[str]]) -> dict[str, Any]:
    windows = told.get("ansible_connection") in _WINDOWS_CONNECTIONS
    spec: dict[str, Any] = {"hostname": str(told.get("ansible_host", host))}
    if windows:
        spec["os"] = "windows"
    elif "ansible_connection" in told or "ansible_port" in told:
        spec["os"] = "linux"
    if port := told.get("ansible_port"):
        spec["winrm" if windows else "ssh"] = {"port": port}
    if found := tags.get(host):
        spec["tags"] = dict.fromkeys(sorted(found), "")
    return spec


def _take(reading: Reading, file: str, row: Row, defaults: Defaults) -> None:
    given = {"os": defaults.os, "credential": defaults.credential, "pool": defaults.pool}
    spec = {name: value for name, value in given.items() if value is not None} | row.spec
    spec.setdefault("hostname", row.name)
    kind = BY_NAME["Target"]
    document = {"apiVersion": API_VERSION, "kind": kind.name, "metadata": {"name": row.name}, "spec": spec}
    origin = Origin(file, _OneLine(row.line))
    try:
        parsed = kind.model.model_validate(document)
    except ValidationError as error:
        for item in error.errors(include_url=False, include_input=False):
            words = [str(part) for part in item["loc"][1:] if "[" not in str(part)]
            path = ".".join(word for word in words if word not in {"dict", "list"})
            reading.faults.append(origin.fault(path, reason(item)))
        return
    twin = next((other for other in reading.documents if other.name == row.name), None)
    if twin is not None:
        reading.faults.append(origin.fault("name", f"{row.name} stands in line {_line(twin)} already"))
        return
    reading.documents.append(Document(kind, parsed, origin))


def _line(document: Document) -> int:
    return document.origin.fault("name", "").line
