"""The file that runs on the target: our first line, the parameters, the script."""

from contracts.binding import BindingRefused, render_sh
from contracts.jobs.steps import SshExec
from workers.executor.steps.base import StepContext, StepFault

# The shell writes down which process it is, by built-ins only. Fields of /proc/<pid>/stat behind the name
# tell the start time, which makes a pid unmistakable. Nothing but `ops_stat` is touched, and line numbers
# stay the script's.
_FIRST = (
    "{ read -r ops_stat </proc/$$/stat; } 2>/dev/null; "
    'echo "$$ ${ops_stat##*) }" >"${0%/*}/pid"; unset ops_stat; '
)
_UNLINK = 'rm -f "$0"; '


def script_file(spec: SshExec, context: StepContext) -> bytes:
    """The content of the script file. Raises `StepFault` when the parameters cannot be bound.

    A script with secret parameters removes its own file as soon as the shell has opened it.
    """
    try:
        bound = render_sh(spec.command, context.parameters, context.secret_parameters)
    except BindingRefused as refused:
        raise StepFault("step_invalid", detail=str(refused)) from None
    first = _FIRST + (_UNLINK if context.secret_parameters else "")
    return (first + bound).encode()
