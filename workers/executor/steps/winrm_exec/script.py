"""From a step and its parameters to what is sent through the gate."""

from collections.abc import Mapping

from contracts.binding import (
    BindingRefused,
    ParameterValue,
    RenderedCmd,
    fill,
    fill_all,
    render_cmd,
    render_powershell,
)
from contracts.jobs.steps import WinrmExec
from workers.executor.steps.base import StepContext, StepFault
from workers.executor.steps.winrm_exec import bootstrap

VARIABLE_UNITS = 32_766
"""UTF-16 units of one environment variable that Windows takes (SetEnvironmentVariable)."""


def body_of(spec: WinrmExec, context: StepContext) -> bytes:
    """The same bytes for the same step and parameters. Raises StepFault for what cannot be bound.

    A secret reaches the environment, which every program the script starts can read, only where the author
    put it into `env` himself.
    """
    try:
        return _body(spec, context)
    except BindingRefused as refused:
        raise StepFault("step_invalid", detail=str(refused)) from refused


def _body(spec: WinrmExec, context: StepContext) -> bytes:
    values = context.parameters
    environment = _environment(spec, values)
    delayed = False
    if spec.shell == "cmd":
        rendered = render_cmd(spec.command, values)
        _refuse_exported(rendered, context.secret_parameters)
        script, delayed = rendered.script, rendered.delayed_expansion
        environment |= rendered.environment
    else:
        script = render_powershell(spec.command, values)
    return bootstrap.body(
        spec.shell,
        script,
        environment=environment,
        cwd=None if spec.cwd is None else fill(spec.cwd, values),
        stdin=None if spec.stdin is None else fill(spec.stdin, values).encode(),
        delayed=delayed,
    )


def _environment(spec: WinrmExec, values: Mapping[str, ParameterValue]) -> dict[str, str]:
    filled: dict[str, str] = fill_all(spec.env, values)
    for name, value in filled.items():
        if len(value.encode("utf-16-le")) // 2 > VARIABLE_UNITS:
            detail = f"env.{name} is longer than the {VARIABLE_UNITS} characters Windows takes; use stdin"
            raise StepFault("step_invalid", detail=detail)
    return filled


def _refuse_exported(rendered: RenderedCmd, secrets: frozenset[str]) -> None:
    exported = sorted(name for name in secrets if f"OPS_{name}" in rendered.environment)
    if exported:
        detail = f"cmd shows the secret {', '.join(exported)} to every program it starts; use PowerShell"
        raise StepFault("step_invalid", detail=detail)
