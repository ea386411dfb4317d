"""Binding in HTTP requests: what a value may do depends on where in the request it stands.

In a URL's path and query it is percent-encoded, in its host it must be a host name, in a header it may not
end the line, in JSON it is a JSON value, in XML it is escaped. Scheme and user part take no values.
"""

import json
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any
from urllib.parse import quote

from contracts.binding.filling import check_text, fill
from contracts.binding.model import BindingRefused, ParameterValue, Placeholder, Refusal
from contracts.binding.scanning import placeholders
from contracts.binding.values import problem_of, refuse_values, text_of

_URL = re.compile(
    r"(?P<scheme>https?)://(?P<authority>[^/?#]*)(?P<path>[^?#]*)(?P<query>[^#]*)", re.IGNORECASE
)
_HOST_PIECE = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,251}[A-Za-z0-9])?")
_PORT = re.compile(r"[0-9]{1,5}")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_XML = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&apos;"})
_IN_STRING = re.compile(r'"(?:[^"\\]|\\.)*"?', re.DOTALL)

Problem = tuple[str, str] | None


def check_url(url: str, declared: Collection[str], *, with_credential: bool = False) -> tuple[Refusal, ...]:
    """Every placeholder that cannot be bound where it stands in a URL."""
    problems = list(check_text(url, declared))
    for mark in placeholders(url):
        place = _url_place(url, mark)
        if place == "outside":
            problems.append(
                _refusal(mark, "Only host, port, path and query take a value.", "Write the rest out.")
            )
        elif place in {"host", "port"} and with_credential:
            reason = "A credential is sent only to a host that the job itself names."
            problems.append(_refusal(mark, reason, "Write host and port out, or leave the credential away."))
    return tuple(problems)


def bind_url(url: str, values: Mapping[str, ParameterValue]) -> str:
    """The URL with encoded values. Raises `BindingRefused`, also for a value that climbs in the path."""
    if problems := check_url(url, values):
        raise BindingRefused(problems)
    marks = placeholders(url)
    places = {mark.start: _url_place(url, mark) for mark in marks}
    refused = [
        _refusal(mark, *problem)
        for mark in marks
        if (problem := _url_problem(places[mark.start], values[mark.name]))
    ]
    if refused:
        raise BindingRefused(refused)
    bound = _replaced(
        url, values, lambda mark, text: quote(text, safe="" if places[mark.start] in _ENCODED else ":.")
    )
    _refuse_climbing(url, bound)
    return bound


_ENCODED = frozenset({"path", "query"})


def _url_place(url: str, mark: Placeholder) -> str:
    found = _URL.match(url)
    if found is None:
        return "outside"
    for part in ("path", "query"):
        if found.start(part) <= mark.start < found.end(part):
            return part
    if not found.start("authority") <= mark.start < found.end("authority"):
        return "outside"
    before = url[found.start("authority") : mark.start]
    if "@" in found["authority"] or "[" in before:
        return "outside"
    return "port" if before.endswith(":") else "host"


def _url_problem(place: str, value: ParameterValue) -> Problem:
    if isinstance(value, list | tuple):
        return "The value is a list, which has no place in a URL.", "Write it as a field of `query`."
    text = text_of(value)
    if place == "host" and not _HOST_PIECE.fullmatch(text):
        return "The value is no host name.", "Give letters, digits, dots and hyphens."
    if place == "port" and not _PORT.fullmatch(text):
        return "The value is no port.", "Give a number."
    if place in _ENCODED and not text:
        return None
    return problem_of(value)


def _refuse_climbing(url: str, bound: str) -> None:
    """A path segment `.` or `..` that the author did not write would lead elsewhere."""
    written, now = (_URL.match(text) for text in (url, bound))
    if written is None or now is None:
        return
    dots = {".", ".."}
    before = [one for one in written["path"].split("/") if one in dots]
    after = [one for one in now["path"].split("/") if one in dots]
    if before != after:
        mark = placeholders(url)[0]
        raise BindingRefused(
            [_refusal(mark, "The value would become a path segment `.` or `..`.", "Give another value.")]
        )


def check_header(text: str, declared: Collection[str]) -> tuple[Refusal, ...]:
    """As for any plain text; and the text itself may not end the line."""
    if _CONTROL.search(text):
        return (Refusal("", 1, 1, "A header is one line without control characters.", "Remove them."),)
    return check_text(text, declared)


def bind_header(text: str, values: Mapping[str, ParameterValue]) -> str:
    """Raises `BindingRefused`, also for a value that would end the line and begin another header."""
    marks = placeholders(text)
    problems = {
        mark.name: ("The value holds a line break or control character.", "Remove it.")
        for mark in marks
        if mark.name in values and _CONTROL.search(text_of(values[mark.name]))
    }
    refuse_values(marks, problems)
    return fill(text, values).strip(" \t")


def check_json(value: Any, declared: Collection[str], path: str) -> list[tuple[str, Refusal]]:
    """Every refused placeholder inside a JSON value, with its path. Keys take none."""
    found: list[tuple[str, Refusal]] = []
    if isinstance(value, str):
        found += [(path, refusal) for refusal in check_text(value, declared)]
    elif isinstance(value, Mapping):
        for key, item in value.items():
            found += [
                (path, _refusal(mark, "Names of fields take no value.", "Write the name out."))
                for mark in placeholders(key)
            ]
            found += check_json(item, declared, f"{path}.{key}")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            found += check_json(item, declared, f"{path}.{place}")
    return found


def bind_json(value: Any, values: Mapping[str, ParameterValue]) -> Any:
    """A text that is nothing but one placeholder becomes the typed value, any other a text with it inside.

    Raises `BindingRefused`.
    """
    if isinstance(value, str):
        marks = placeholders(value)
        if len(marks) == 1 and value == value[marks[0].start : marks[0].end] and marks[0].name in values:
            refuse_values(marks, {marks[0].name: problem_of(values[marks[0].name])})
            return values[marks[0].name]
        return fill(value, values)
    if isinstance(value, Mapping):
        return {key: bind_json(item, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [bind_json(item, values) for item in value]
    return value


def check_raw(text: str, content_type: str | None, declared: Collection[str]) -> tuple[Refusal, ...]:
    """Every refused placeholder of a body that is sent as it is written."""
    problems = check_text(text, declared)
    if content_type is None and text.lstrip()[:1] in {"{", "[", "<"}:
        why = "Without a content type nobody knows how to encode a value here."
        what = "Write the body as JSON, not as a text, or set the Content-Type header."
        problems += tuple(_refusal(mark, why, what) for mark in placeholders(text))
    return problems


def bind_raw(text: str, content_type: str | None, values: Mapping[str, ParameterValue]) -> str:
    """The body with values encoded as its content type needs it. Raises `BindingRefused`."""
    if problems := check_raw(text, content_type, values):
        raise BindingRefused(problems)
    marks = placeholders(text)
    refuse_values(marks, {mark.name: problem_of(values[mark.name]) for mark in marks})
    kind = (content_type or "").partition(";")[0].strip().lower()
    if kind == "application/x-www-form-urlencoded":
        return _replaced(text, values, lambda _, value: quote(value, safe=""))
    if kind.endswith(("json", "xml", "html")):
        return _in_json(text, values) if kind.endswith("json") else _in_xml(text, values)
    return fill(text, values)


def _in_xml(text: str, values: Mapping[str, ParameterValue]) -> str:
    return _replaced(text, values, lambda _, value: value.translate(_XML))


def _in_json(text: str, values: Mapping[str, ParameterValue]) -> str:
    strings = [(found.start(), found.end()) for found in _IN_STRING.finditer(text)]

    def encoded(mark: Placeholder, value: str) -> str:
        inside = any(start < mark.start < end for start, end in strings)
        return json.dumps(value)[1:-1] if inside else json.dumps(values[mark.name])

    return _replaced(text, values, encoded)


def _replaced(
    text: str, values: Mapping[str, ParameterValue], encode: Callable[[Placeholder, str], str]
) -> str:
    for mark in reversed(placeholders(text)):
        text = text[: mark.start] + encode(mark, text_of(values[mark.name])) + text[mark.end :]
    return text


def _refusal(mark: Placeholder, reason: str, suggestion: str) -> Refusal:
    return Refusal(mark.name, mark.line, mark.column, reason, suggestion)
