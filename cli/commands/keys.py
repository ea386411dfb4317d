"""`opsconductor keys …`."""

from pathlib import Path
from typing import Annotated

import typer

from cli import render
from cli.client.problems import CliError
from cli.here import guarded
from cli.provisioning import provision as make_provision
from cli.up.secrets import new_jwt_key, write_key_pair
from infra.clock import now
from infra.private_files import write_private

app = typer.Typer(
    no_args_is_help=True, add_completion=False, help="Keys for sealing secrets and signing tokens."
)

Hosts = Annotated[
    list[str] | None,
    typer.Option("--host", help="A name that browsers use, for the first certificate; may be repeated."),
]
Folder = Annotated[Path, typer.Option("--dir", help="Where to put them.")]


@app.callback()
def _keys() -> None:
    """Keys for sealing secrets and signing tokens."""


@app.command()
def generate(*, dir: Folder = Path("keys")) -> None:
    """Make a sealing key pair and a token key, readable by you alone; prints the settings that name them.

    The gateway gets the public key only: it can seal secrets, and open none.
    """
    folder = dir.expanduser().absolute()
    guarded(lambda: _generate(folder))


def _generate(folder: Path) -> None:
    private, public, jwt = folder / "seal-private.pem", folder / "seal-public.pem", folder / "jwt-keys"
    if there := [file.name for file in (private, public, jwt) if file.exists()]:
        raise CliError(
            f"{folder} already holds {', '.join(there)}.",
            hints=("Secrets sealed to a lost key are lost; choose another --dir.",),
        )
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        write_key_pair(private, public)
        write_private(jwt, new_jwt_key() + "\n")
    except OSError as error:
        raise CliError(f"The keys cannot be written to {folder} ({error.strerror}).") from error
    render.say("# gateway")
    render.say(f"OPS_SEAL_PUBLIC_KEY={public}")
    render.say(f"OPS_JWT_KEYS={jwt}")
    render.say("# executor")
    render.say(f"OPS_SEAL_PRIVATE_KEY={private}")


@app.command()
def provision(*, dir: Folder = Path("/secrets"), host: Hosts = None) -> None:
    """Make every secret of a system of containers that is not there yet, one folder per reader.

    Prints the names of what was made and no secret; a second time nothing changes.
    """
    folder = dir.expanduser().absolute()
    guarded(lambda: _provision(folder, host or []))


def _provision(folder: Path, hosts: list[str]) -> None:
    names = [name.strip() for entry in hosts for name in entry.split(",") if name.strip()]
    try:
        made = make_provision(folder, hosts=names, now=now())
    except OSError as error:
        raise CliError(f"The secrets cannot be written to {error.filename} ({error.strerror}).") from error
    for name in made:
        render.say(f"made  {name}")
    if not made:
        render.say("Every secret is there already; nothing was changed.")
