"""From a step and its parameters to what is sent through the gate."""

from contracts.binding import BindingRefused, render_cmd, render_powershell
from contracts.jobs.steps import WinrmExec
from workers.executor.steps.base import StepContext, StepFault
from workers.executor.steps.winrm_exec.bootstrap import cmd_body, powershell_body


def body_of(spec: WinrmExec, context: StepContext) -> bytes:
    """The same bytes for the same step and parameters. Raises StepFault for what cannot be bound."""
    try:
        if spec.shell == "powershell":
            return powershell_body(render_powershell(spec.command, context.parameters))
        rendered = render_cmd(spec.command, context.parameters)
    except BindingRefused as refused:
        raise StepFault("step_invalid", detail=str(refused)) from refused
    exported = sorted(name for name in context.secret_parameters if f"OPS_{name}" in rendered.environment)
    if exported:
        raise StepFault(
            "step_invalid",
            detail=f"cmd shows the secret {', '.join(exported)} to every program it starts; use PowerShell",
        )
    return cmd_body(rendered.script, rendered.environment, delayed=rendered.delayed_expansion)
