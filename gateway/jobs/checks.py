"""What must hold before a definition is saved, beyond its own shape."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, NamedTuple

import orjson
from pydantic import TypeAdapter, ValidationError

from contracts.binding import (
    Refusal,
    check_cmd,
    check_names,
    check_powershell,
    check_sh,
    check_text,
    placeholders,
)
from contracts.errors import FieldProblem, Invalid
from contracts.jobs.definition import JobDefinition, parse_definition, step_name
from contracts.jobs.steps import BOUND_SHELLS, CopySpec, HttpRequest, SshExec, StepSpec, WinrmExec
from contracts.jobs.steps.files import STEP_SOURCE
from contracts.naming import Labels
from contracts.targets.choosing import names_in
from contracts.wording import reason
from gateway.jobs.http_checks import http_refusals
from gateway.jobs.typed_checks import texts_in, typed_problems
from gateway.strictjson import read_yaml

Check = Callable[[str, Collection[str]], tuple[Refusal, ...]]

_CHECKS: Mapping[str, Check] = {
    "powershell": check_powershell,
    "pwsh": check_powershell,
    "cmd": check_cmd,
    **dict.fromkeys(BOUND_SHELLS, check_sh),
}
DOCUMENT_FIELDS = frozenset({"name", "definition", "source", "active", "labels"})
_SORTED = orjson.OPT_SORT_KEYS
_LABELS: TypeAdapter[dict[str, str]] = TypeAdapter(Labels)


class JobBody(NamedTuple):
    """What a body says; None where it leaves something as it is. `source` is the definition as YAML."""

    document: Any
    active: bool | None = None
    labels: dict[str, str] | None = None
    source: str | None = None


def unwrap(body: Any) -> JobBody:
    """The definition document of a body, which may be the document itself.

    `{name, definition, source, active, labels}` is the wrapped form; its name wins over the document's own.
    """
    if not isinstance(body, dict):
        raise Invalid("A job is an object.", problems=[FieldProblem("body", "must be an object")])
    if not isinstance(body.get("definition"), dict):
        return JobBody(body)
    unknown = [FieldProblem(name, "is not a field of a job") for name in body.keys() - DOCUMENT_FIELDS]
    active = body.get("active")
    if active is not None and not isinstance(active, bool):
        unknown.append(FieldProblem("active", "must be true or false"))
    labels = body.get("labels")
    if labels is not None:
        unknown += _label_problems(labels)
    document = dict(body["definition"])
    if "name" in body:
        document["name"] = body["name"]
    source = body.get("source")
    unknown += _text_problems(source, document)
    if unknown:
        raise Invalid("The job is not valid.", problems=unknown)
    return JobBody(document, active, labels, source)


def _text_problems(source: Any, document: Any) -> list[FieldProblem]:
    """The text is shown in place of the definition, so it has to mean the same."""
    if source is None:
        return []
    if not isinstance(source, str):
        return [FieldProblem("source", "must be text")]
    try:
        said = read_yaml(source.encode())
    except (Invalid, UnicodeEncodeError):
        return [FieldProblem("source", "is not YAML")]
    same = orjson.dumps(said, option=_SORTED) == orjson.dumps(document, option=_SORTED)
    return [] if same else [FieldProblem("source", "does not say what the definition says")]


def _label_problems(labels: Any) -> list[FieldProblem]:
    try:
        _LABELS.validate_python(labels, strict=True)
    except ValidationError as error:
        return [
            FieldProblem(".".join(map(str, ("labels", *item["loc"]))), reason(item))
            for item in error.errors()
        ]
    return []


def check_definition(document: Any) -> JobDefinition:
    """The definition, when it can be saved; raises `Invalid` naming every field and line that is wrong."""
    definition = parse_definition(document)
    problems = [FieldProblem("parameters", reason) for reason in check_names(definition.parameters)]
    problems += [
        problem
        for index, step in enumerate(definition.steps)
        for problem in _step_problems(index, step, definition)
    ]
    if problems:
        raise Invalid("The job definition is not valid.", problems=problems)
    return definition


def named_targets(definition: JobDefinition) -> Mapping[str, str]:
    """Every target a definition names, with the first field that does."""
    fields: dict[str, str] = {}
    for index, name in enumerate(names_in(definition.targets)):
        fields.setdefault(name, f"targets.{index}")
    for index, step in enumerate(definition.steps):
        for name in names_in(step.target):
            fields.setdefault(name, f"steps.{index}.target")
    return fields


def require_known(fields: Mapping[str, str], known: Collection[str]) -> None:
    """Raises `Invalid` naming each field whose target does not exist."""
    problems = [
        FieldProblem(field, f"there is no target named {name}")
        for name, field in fields.items()
        if name not in known
    ]
    if problems:
        raise Invalid("The job names targets that do not exist.", problems=problems)


def _step_problems(index: int, step: StepSpec, definition: JobDefinition) -> Iterator[FieldProblem]:
    """Placeholders that could not be bound as data."""
    declared = definition.parameters.keys()
    if isinstance(step, WinrmExec | SshExec):
        check = _CHECKS.get(step.shell, refuse_placeholders)
        for refusal in check(step.command, declared):
            yield _problem(f"steps.{index}.command", refusal)
    yield from typed_problems(index, step, definition)
    yield from _source_problems(index, step, definition)
    if isinstance(step, HttpRequest):
        for path, refusal in http_refusals(step, declared):
            yield _problem(f"steps.{index}.{path}", refusal)
    for field in step.filled:
        for path, text in texts_in(f"steps.{index}.{field}", getattr(step, field)):
            for refusal in check_text(text, declared):
                yield _problem(path, refusal)


def refuse_placeholders(script: str, _declared: Collection[str]) -> tuple[Refusal, ...]:
    """Every placeholder: nobody has written down where a value may stand in this language."""
    return tuple(
        Refusal(
            mark.name,
            mark.line,
            mark.column,
            "Scripts in this language take no placeholders.",
            "Set env, read the variable in the script, and put the placeholder there.",
        )
        for mark in placeholders(script)
    )


def _source_problems(index: int, step: StepSpec, definition: JobDefinition) -> Iterator[FieldProblem]:
    """`src: step:<name>` of an upload has to name another step, unless a parameter is in it."""
    src = step.src if isinstance(step, CopySpec) and step.direction == "upload" else None
    if src is None or not src.startswith(STEP_SOURCE) or "{{" in src:
        return
    wanted = src.removeprefix(STEP_SOURCE)
    others = {step_name(other, at) for at, other in enumerate(definition.steps) if at != index}
    if wanted not in others:
        yield FieldProblem(f"steps.{index}.src", f"there is no other step named {wanted}")


def _problem(path: str, refusal: Refusal) -> FieldProblem:
    where = f"{{{{ {refusal.name} }}}}: " if refusal.name else ""
    reason = f"{where}{refusal.reason} {refusal.suggestion}".strip()
    return FieldProblem(path, reason, refusal.line, refusal.suggestion or None)
