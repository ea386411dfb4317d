"""Reading what strangers wrote: no double keys, NUL, broken Unicode or endless nesting."""

import json
from collections.abc import Iterator
from typing import Any

import orjson
import yaml

from contracts.errors import FieldProblem, Invalid

MAX_DEPTH = 64
MAX_YAML_NODES = 200_000


class _DoubleKey(ValueError):
    pass


def _no_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) < len(pairs):
        names = [key for key, _ in pairs]
        raise _DoubleKey(next(name for name in document if names.count(name) > 1))
    return document


def read_json(body: bytes) -> Any:
    """The document in `body`; raises `Invalid` for anything that two readers could take differently."""
    try:
        document = orjson.loads(body)
        json.loads(body, object_pairs_hook=_no_double_keys)
    except orjson.JSONDecodeError as error:
        raise _malformed(str(error), line=error.lineno) from None
    except _DoubleKey as error:
        raise _malformed(f"the key {str(error)[:100]!r} stands twice in one object") from None
    except (RecursionError, ValueError):
        raise _malformed("is nested too deeply, or holds a number that is too long") from None
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH or b"\\u0000" in body:
        _check(document)
    return document


def _malformed(reason: str, *, line: int | None = None) -> Invalid:
    return Invalid("The body cannot be read.", problems=[FieldProblem("body", reason, line)])


def _check(document: Any) -> None:
    """Refuse NUL characters and nesting that databases and browsers choke on."""
    for path, depth, value in _walk(document):
        if depth > MAX_DEPTH:
            raise _malformed(f"is nested more than {MAX_DEPTH} levels deep")
        if isinstance(value, str) and "\0" in value:
            field = ".".join(path) or "body"
            raise Invalid(
                "The body holds a NUL character.",
                problems=[FieldProblem(field, "must not hold a NUL character")],
            )


def _walk(document: Any) -> Iterator[tuple[tuple[str, ...], int, Any]]:
    waiting: list[tuple[tuple[str, ...], int, Any]] = [((), 0, document)]
    while waiting:
        path, depth, value = waiting.pop()
        yield path, depth, value
        if depth > MAX_DEPTH:
            continue
        if isinstance(value, dict):
            for key, item in value.items():
                yield path, depth, key
                waiting.append(((*path, str(key).replace("\0", "\\0")), depth + 1, item))
        elif isinstance(value, list):
            waiting.extend(((*path, str(i)), depth + 1, item) for i, item in enumerate(value))


class _StrictLoader(yaml.SafeLoader):
    """YAML without aliases (they can grow without bound), double keys and surprising dates."""

    nodes = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        self.nodes += 1
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases are not accepted")
        if self.nodes > MAX_YAML_NODES:
            raise yaml.YAMLError("the document is too large")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value]
        if len(set(map(str, keys))) < len(keys):
            raise yaml.constructor.ConstructorError(
                None, None, "a key stands twice in one mapping", node.start_mark
            )
        return super().construct_mapping(node, deep=deep)


_StrictLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def read_yaml(body: bytes) -> Any:
    """The document in `body` as plain JSON values; raises `Invalid` with the line of the first mistake."""
    try:
        document = yaml.load(body.decode(), Loader=_StrictLoader)  # noqa: S506  (derived from SafeLoader)
        plain = orjson.loads(orjson.dumps(document))
    except UnicodeDecodeError:
        raise _malformed("is not UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise _malformed(error.problem or "is not YAML", line=mark.line + 1 if mark else None) from None
    except (yaml.YAMLError, TypeError, ValueError, RecursionError) as error:
        raise _malformed(str(error)[:200] or "is not YAML") from None
    _check(plain)
    return plain
