"""Binding for Windows PowerShell 5.1 and PowerShell 7: values become typed variables before the script."""

from base64 import b64encode
from collections.abc import Collection, Mapping

from contracts.binding.model import BindingRefused, ParameterValue, Refusal
from contracts.binding.powershell_reader import read_powershell
from contracts.binding.reading import judge, refusals, replaced
from contracts.binding.values import INT64, problem_of, refuse_values, text_of


def check_powershell(script: str, declared: Collection[str]) -> tuple[Refusal, ...]:
    """Every placeholder that cannot be bound where it stands; empty when the script is fine."""
    return refusals(script, judge(script, read_powershell), declared)


def render_powershell(script: str, parameters: Mapping[str, ParameterValue]) -> str:
    """The complete script: typed variables set from base64, then the script using them.

    The variables are set on the script's first line, so that PowerShell's line numbers stay the script's own.
    A list is an array of strings. A script without placeholders comes back unchanged. Raises `BindingRefused`
    for what `check_powershell` refuses, and for a value that holds NUL or an integer beyond 64 bits.
    """
    verdicts = judge(script, read_powershell)
    if problems := refusals(script, verdicts, parameters):
        raise BindingRefused(problems)
    used = [verdict.placeholder for verdict in verdicts]
    names = sorted({mark.name for mark in used})
    refuse_values(used, {name: _problem(parameters[name]) for name in names})
    return "".join(_assignment(name, parameters[name]) for name in names) + replaced(script, verdicts)


def _problem(value: ParameterValue) -> tuple[str, str] | None:
    if isinstance(value, int) and value not in INT64:
        return "The integer is beyond 64 bits.", "Declare the parameter as a string."
    return problem_of(value)


def _assignment(name: str, value: ParameterValue) -> str:
    if isinstance(value, list | tuple):
        return f"${{ops_{name}}} = [string[]]@({', '.join(map(_decoded, value))}); "
    return f"${{ops_{name}}} = {_typed(_decoded(text_of(value)), value)}; "


def _decoded(text: str) -> str:
    encoded = b64encode(text.encode()).decode("ascii")
    return f"[Text.Encoding]::UTF8.GetString([Convert]::FromBase64String('{encoded}'))"


def _typed(text: str, value: ParameterValue) -> str:
    """Numbers are parsed by the invariant culture: a German Windows reads 1.5 as 15 otherwise."""
    if isinstance(value, bool):
        return f"[bool]({text} -ceq 'true')"
    if isinstance(value, int):
        return f"[long]::Parse({text}, [Globalization.CultureInfo]::InvariantCulture)"
    if isinstance(value, float):
        return f"[double]::Parse({text}, [Globalization.CultureInfo]::InvariantCulture)"
    return f"[string]{text}"
