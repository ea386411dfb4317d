"""What a copy may leave on its host: the half-written file beside its destination, or a packed folder."""

from contracts.jobs.steps import SshCopy
from workers.executor.steps.base import StepContext
from workers.executor.steps.copying import identity
from workers.executor.steps.ssh_copy.peer import Peer
from workers.executor.steps.ssh_exec.connections import Lease


async def remove(lease: Lease, spec: SshCopy, context: StepContext) -> bool:
    """Remove the half-written file, end a pull; True when nothing of it is left. Raises what `Peer` does."""
    peer = await Peer.open(lease, spec.sudo, spare=True)
    try:
        path = spec.dest if spec.direction == "upload" else spec.src
        return (await peer.ask(f"drop {identity(context)}", str(path))).words == ("dropped",)
    finally:
        peer.close()


def described(spec: SshCopy, context: StepContext) -> str:
    """The same for a person: which file, and where."""
    name = f".ops-{identity(context)}"
    if spec.direction == "upload":
        folder, slash, _ = str(spec.dest).rstrip("/").rpartition("/")
        return f"{folder}{slash}{name}"
    return f"$TMPDIR/{name} (or in /tmp)"
