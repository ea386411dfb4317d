"""From the answer to the outcome: pure."""

import codecs
from collections.abc import Iterator, Mapping
from email.message import Message
from itertools import islice
from typing import Any

import orjson

from contracts.binding import BindingRefused, ParameterValue, bind_json, fill
from contracts.causes import CAUSES
from contracts.jobs.steps.http import HttpRequest, JsonAssertion, compiled_path, is_found
from infra.egress import Answer
from workers.executor.steps.base import StepOutcome

MOST_NODES = 1_000
OUTPUTS_BYTES = 64 * 1024
SHOWN_CHARACTERS = 200
REJECTED = {401, 403}
"""Statuses that speak of the credential, where one was sent (RFC 9110 15.5.2, 15.5.4)."""
_HIDDEN_HEADERS = {"set-cookie", "authorization", "proxy-authorization", "www-authenticate-token"}


class NotJson(Exception):
    """The answer was to be read as JSON and is none; the text says why."""


def outcome_of(step: HttpRequest, answer: Answer, values: Mapping[str, ParameterValue]) -> StepOutcome:
    """Success, or the first thing that is not as expected; outputs in both cases."""
    outputs: dict[str, Any] = {"status": answer.status}
    if not step.expect.fits(answer.status):
        rejected = step.credential is not None and answer.status in REJECTED
        return _failed(
            "http_auth_rejected" if rejected else "http_status",
            f"{answer.status} {answer.reason}".strip(),
            outputs,
        )
    try:
        if problem := next(_unmet(step, answer, values), None):
            return _failed("http_assertion", problem, outputs)
        missing = _capture(step, answer, outputs)
    except NotJson as error:
        return _failed("http_assertion", str(error), outputs)
    except BindingRefused as refused:
        return _failed("step_invalid", str(refused), outputs)
    if missing:
        return _failed("http_output_missing", missing, outputs)
    return StepOutcome(outcome="succeeded", outputs=outputs)


def _failed(code: str, detail: str, outputs: Mapping[str, Any]) -> StepOutcome:
    return StepOutcome(outcome="failed", cause=CAUSES[code], words={"detail": detail}, outputs=outputs)


def _unmet(step: HttpRequest, answer: Answer, values: Mapping[str, ParameterValue]) -> Iterator[str]:
    wanted = step.expect.body_contains
    if wanted is not None and fill(wanted, values) not in text_of_body(answer):
        yield "the body does not contain the text it should"
    if step.expect.json_:
        document = _json(answer)
        for assertion in step.expect.json_:
            if problem := _mismatch(assertion, _found(document, assertion.path), values):
                yield f"{assertion.path} {problem}"


def _mismatch(assertion: JsonAssertion, found: list[Any], values: Mapping[str, ParameterValue]) -> str | None:
    if assertion.exists is False:
        return f"should not be there and is {_shown(found[0])}" if found else None
    if not found:
        return "is not there"
    if assertion.compares:
        wanted = bind_json(assertion.equals, values)
        if not any(_same(one, wanted) for one in found):
            return f"is {_shown(found[0])} instead of {_shown(wanted)}"
    if assertion.matches is not None:
        texts = [one if isinstance(one, str) else orjson.dumps(one).decode() for one in found]
        if not any(is_found(assertion.matches, one) for one in texts):
            return f"is {_shown(found[0])} and does not match {assertion.matches}"
    return None


def _same(one: Any, other: Any) -> bool:
    """Equal as JSON: true is not 1."""
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _capture(step: HttpRequest, answer: Answer, outputs: dict[str, Any]) -> str | None:
    """Fill `outputs`; what is missing or too large, if anything."""
    if not step.outputs:
        return None
    document = _json(answer)
    for name, path in step.outputs.items():
        found = _found(document, path)
        if not found:
            return f"there is nothing at {path} for {name}"
        value = found[0] if len(found) == 1 and compiled_path(path).singular_query() else found
        if len(orjson.dumps(value)) > OUTPUTS_BYTES:
            return f"what is at {path} for {name} is larger than {OUTPUTS_BYTES // 1024} KiB"
        outputs[name] = value
    return None


def _found(document: Any, path: str) -> list[Any]:
    return [match.obj for match in islice(compiled_path(path).finditer(document), MOST_NODES)]


def _json(answer: Answer) -> Any:
    try:
        return orjson.loads(answer.body)
    except orjson.JSONDecodeError as error:
        raise NotJson(f"the body is not JSON ({error})") from None


def _shown(value: Any) -> str:
    text = orjson.dumps(value).decode()
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[:SHOWN_CHARACTERS]}…"


def text_of_body(answer: Answer) -> str:
    """The body as text, in the character set it says it has."""
    return answer.body.decode(_charset(answer), errors="replace")


def _charset(answer: Answer) -> str:
    header = Message()
    header["content-type"] = answer.header("content-type") or ""
    try:
        return codecs.lookup(header.get_content_charset() or "utf-8").name
    except LookupError:
        return "utf-8"


def shown(answer: Answer) -> bytes:
    """The answer as the step's output: status line, headers, body. What opens doors is left out."""
    lines = [f"{answer.http_version} {answer.status} {answer.reason}".rstrip()]
    lines += [
        f"{name}: {'***' if name.lower() in _HIDDEN_HEADERS else value}" for name, value in answer.headers
    ]
    text = text_of_body(answer)
    if b"\0" in answer.body[:4096]:
        text = f"[{len(answer.body)} bytes that are no text]"
    return "\n".join([*lines, "", text]).encode("utf-8", errors="replace")
