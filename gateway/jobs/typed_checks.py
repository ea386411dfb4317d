"""Where values of certain types may stand in a step: secrets, credentials, lists. Checked on saving."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from contracts.binding import placeholders
from contracts.errors import FieldProblem, Invalid
from contracts.jobs.definition import JobDefinition
from contracts.jobs.steps import HttpRequest, SshExec, SshScript, StepSpec, WinrmExec

_LISTS_STAND_IN = "a PowerShell or sh script, env, stdin, or as the whole of a value in JSON, query or form"


def typed_problems(index: int, step: StepSpec, definition: JobDefinition) -> Iterator[FieldProblem]:
    """Placeholders of this step whose parameter is of a type that has no place there."""
    types = {name: parameter.type for name, parameter in definition.parameters.items()}
    if isinstance(step, SshScript):
        yield from _shown_secrets(index, step, types)
    yield from _own_credential(index, step, types)
    written = step.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude={"credential"})
    for path, text in texts_in(f"steps.{index}", written):
        for mark in placeholders(text):
            reason = None
            if types.get(mark.name) == "credential":
                reason = "is a credential, which is never text: a step takes it as its `credential`"
            elif types.get(mark.name) == "multi" and not _takes_list(step, path, text):
                reason = f"is a list, which stands in {_LISTS_STAND_IN}"
            if reason:
                yield FieldProblem(path, f"{{{{ {mark.name} }}}} {reason}", mark.line)


def _takes_list(step: StepSpec, path: str, text: str) -> bool:
    field = path.split(".")[2]
    if field in {"env", "stdin"}:
        return True
    if field == "command":
        return isinstance(step, WinrmExec | SshExec) and step.shell != "cmd"
    if isinstance(step, HttpRequest) and field in {"body", "form", "query"}:
        marks = placeholders(text)
        return len(marks) == 1 and (marks[0].start, marks[0].end) == (0, len(text)) and _is_whole(step, field)
    return False


def _is_whole(step: HttpRequest, field: str) -> bool:
    """A body that is a text is sent as it is written, and not as JSON."""
    return field != "body" or not isinstance(step.body, str)


def _shown_secrets(index: int, step: SshScript, types: Mapping[str, str]) -> Iterator[FieldProblem]:
    """Secrets among arguments, which every account of the target could read in its process list."""
    for place, argument in enumerate(step.arguments):
        for mark in placeholders(argument):
            if types.get(mark.name) == "secret":
                reason = (
                    f"{{{{ {mark.name} }}}} is secret; the process list shows arguments: use env or stdin"
                )
                yield FieldProblem(f"steps.{index}.arguments.{place}", reason, mark.line)


def _own_credential(index: int, step: StepSpec, types: Mapping[str, str]) -> Iterator[FieldProblem]:
    """What a step says as its `credential`, where that is no name."""
    field, name = f"steps.{index}.credential", step.credential_parameter
    if name is not None:
        if name not in types:
            yield FieldProblem(field, f"there is no parameter named {name}")
        elif types[name] != "credential":
            yield FieldProblem(field, f"{name} is of type {types[name]}; it must be of type credential")
    elif "{{" in (step.said_credential or ""):
        yield FieldProblem(field, "must be a name, or one {{ parameter }} and nothing else")


def named_credentials(definition: JobDefinition) -> Mapping[str, str]:
    """Every credential that the definition names, with the first field that does."""
    fields: dict[str, str] = {}
    for index, step in enumerate(definition.steps):
        if step.named_credential is not None:
            fields.setdefault(step.named_credential, f"steps.{index}.credential")
    for name, parameter in definition.parameters.items():
        if parameter.type == "credential":
            if parameter.default:
                fields.setdefault(str(parameter.default), f"parameters.{name}.default")
            for place, choice in enumerate(parameter.choices or ()):
                fields.setdefault(str(choice), f"parameters.{name}.choices.{place}")
    return fields


def require_credentials(fields: Mapping[str, str], known: Collection[str]) -> None:
    """Raises `Invalid` naming each field whose credential does not exist."""
    problems = [
        FieldProblem(field, f"there is no credential named {name}")
        for name, field in fields.items()
        if name not in known
    ]
    if problems:
        raise Invalid("The job names credentials that do not exist.", problems=problems)


def texts_in(path: str, value: Any) -> Iterator[tuple[str, str]]:
    """Every text inside a field, with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from texts_in(f"{path}.{key}", item)
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from texts_in(f"{path}.{place}", item)
