"""What a copy may leave on its host: the half-written file beside its destination, or a packed folder."""

from collections.abc import Mapping

from contracts.causes import CAUSES
from contracts.jobs.steps import WinrmCopy
from workers.executor.steps.base import StepContext
from workers.executor.steps.copying import identity
from workers.executor.steps.winrm.connections import Connection, Troubled
from workers.executor.steps.winrm.faults import Diagnosis, Situation
from workers.executor.steps.winrm.names import ShellNames
from workers.executor.steps.winrm.reaching import Reach
from workers.executor.steps.winrm_copy.peer import Ended, Peer, SendSize

NOTHING_THERE = {"path_missing", "path_invalid"}
"""Where there is no folder, there is no half-written file in it."""

Leftovers = Mapping[str, object]
"""Options of the copying script that removes them."""


def leftovers_of(spec: WinrmCopy, context: StepContext) -> Leftovers:
    path = spec.dest if spec.direction == "upload" else None
    return {"op": "drop", "id": identity(context), "path": path}


def described(spec: WinrmCopy, context: StepContext) -> str:
    """The same for a person: which file, and where."""
    if spec.direction == "upload":
        return f"{spec.dest}.ops-{identity(context)}.part"
    return rf"%TEMP%\ops-{identity(context)}.zip"


async def remove(reach: Reach, connection: Connection, names: ShellNames, leftovers: Leftovers) -> None:
    """Remove them with a process of its own. Raises Troubled and StepFault."""
    peer = await Peer.start(reach, connection, names, SendSize())
    try:
        await peer.begin(leftovers, lambda: None)
        line = await peer.line()
    except Ended as ended:
        raise connection.endpoint.fault("script_not_run", ended.detail) from ended
    finally:
        await peer.end()
    if line.get("state") != "failed":
        return
    code, detail = str(line.get("code")), str(line.get("detail"))
    if code == "busy":
        raise Troubled(Diagnosis(Situation.BUSY, "connection_lost", "the file is still open"))
    if code not in NOTHING_THERE:
        raise connection.endpoint.fault(code if code in CAUSES else "copy_failed", detail)
