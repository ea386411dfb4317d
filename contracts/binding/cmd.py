"""Binding for cmd.exe: values travel as environment variables and are read by delayed expansion."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from contracts.binding.cmd_reader import read_cmd
from contracts.binding.model import BindingRefused, ParameterValue, Refusal
from contracts.binding.reading import judge, refusals, replaced
from contracts.binding.values import EXPORTED_BYTES, problem_of, refuse_values, text_of

LONGEST = 8_000
"""UTF-16 units of one value: cmd expands a line to at most 8,191, the rest of the line included."""

_UNTRANSPORTABLE = re.compile("[\x01-\x08\x0a-\x1f\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class RenderedCmd:
    """A script for cmd, the environment it needs, and whether it must run under `cmd /v:on`."""

    script: str
    environment: Mapping[str, str]
    delayed_expansion: bool


def check_cmd(script: str, declared: Collection[str]) -> tuple[Refusal, ...]:
    """Every placeholder that cannot be bound where it stands; empty when the script is fine."""
    return refusals(script, judge(script, read_cmd), declared)


def render_cmd(script: str, parameters: Mapping[str, ParameterValue]) -> RenderedCmd:
    """The script with `!OPS_name!` and the environment that holds the values.

    Delayed expansion is asked for only when the script has placeholders. An empty value is an absent variable
    on Windows, which delayed expansion replaces by nothing. Raises `BindingRefused` for what `check_cmd`
    refuses, and for values with line ends or other control characters, or beyond 8,000 UTF-16 units.
    """
    verdicts = judge(script, read_cmd)
    if problems := refusals(script, verdicts, parameters):
        raise BindingRefused(problems)
    used = [verdict.placeholder for verdict in verdicts]
    names = sorted({mark.name for mark in used})
    refuse_values(used, {name: _problem(parameters[name]) for name in names})
    environment = {f"OPS_{name}": text_of(parameters[name]) for name in names}
    return RenderedCmd(replaced(script, verdicts), environment, delayed_expansion=bool(names))


def _problem(value: ParameterValue) -> tuple[str, str] | None:
    """An environment may hold line ends, but WS-Management carries it as XML, and cmd reads line by line."""
    if isinstance(value, list | tuple):
        return "The value is a list, and cmd has none.", "Use a PowerShell step."
    text = text_of(value)
    if problem := problem_of(value, longest=EXPORTED_BYTES):
        return problem
    if _UNTRANSPORTABLE.search(text):
        return (
            "The value holds a line end or control character, which cmd cannot take.",
            "Use a PowerShell step.",
        )
    if len(text.encode("utf-16-le")) // 2 > LONGEST:
        return f"The value is longer than the {LONGEST} characters cmd can take.", "Use a PowerShell step."
    return None
