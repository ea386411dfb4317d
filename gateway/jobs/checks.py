"""What must hold before a definition is saved, beyond its own shape."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

from contracts.binding import Refusal, check_cmd, check_names, check_powershell, check_sh
from contracts.errors import FieldProblem, Invalid
from contracts.jobs.definition import JobDefinition, parse_definition
from contracts.jobs.steps import SshExec, StepSpec, WinrmExec

Check = Callable[[str, Collection[str]], tuple[Refusal, ...]]

_CHECKS: Mapping[str, Check] = {
    "powershell": check_powershell,
    "cmd": check_cmd,
    "sh": check_sh,
    "bash": check_sh,
}
DOCUMENT_FIELDS = frozenset({"name", "definition", "active"})


def unwrap(body: Any) -> tuple[Any, bool | None]:
    """The definition document and the `active` flag of a body, which may be the document itself.

    `{name, definition, active}` is the wrapped form; its name wins over the document's own.
    """
    if not isinstance(body, dict):
        raise Invalid("A job is an object.", problems=[FieldProblem("body", "must be an object")])
    if not isinstance(body.get("definition"), dict):
        return body, None
    unknown = [FieldProblem(name, "is not a field of a job") for name in body.keys() - DOCUMENT_FIELDS]
    active = body.get("active")
    if active is not None and not isinstance(active, bool):
        unknown.append(FieldProblem("active", "must be true or false"))
    if unknown:
        raise Invalid("The job is not valid.", problems=unknown)
    document = dict(body["definition"])
    if "name" in body:
        document["name"] = body["name"]
    return document, active


def check_definition(document: Any) -> JobDefinition:
    """The definition, when it can be saved; raises `Invalid` naming every field and line that is wrong."""
    definition = parse_definition(document)
    problems = [FieldProblem("parameters", reason) for reason in check_names(definition.parameters)]
    problems += [
        problem
        for index, step in enumerate(definition.steps)
        for problem in _script_problems(index, step, definition)
    ]
    if problems:
        raise Invalid("The job definition is not valid.", problems=problems)
    return definition


def named_targets(definition: JobDefinition) -> Mapping[str, str]:
    """Every target a definition names, with the first field that does."""
    fields: dict[str, str] = {}
    for index, name in enumerate(definition.targets):
        fields.setdefault(name, f"targets.{index}")
    for index, step in enumerate(definition.steps):
        for name in _targets_of(step):
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


def _targets_of(step: StepSpec) -> tuple[str, ...]:
    if step.target is None:
        return ()
    return (step.target,) if isinstance(step.target, str) else step.target


def _script_problems(index: int, step: StepSpec, definition: JobDefinition) -> Iterator[FieldProblem]:
    """Placeholders that the step's shell could not bind as data."""
    if not isinstance(step, WinrmExec | SshExec):
        return
    for refusal in _CHECKS[step.shell](step.command, definition.parameters.keys()):
        reason = f"{{{{ {refusal.name} }}}}: {refusal.reason} {refusal.suggestion}".strip()
        yield FieldProblem(f"steps.{index}.command", reason, refusal.line)
