"""`opsconductor keys …`."""

from pathlib import Path
from typing import Annotated

import typer

from cli import render
from cli.client.problems import CliError
from cli.here import guarded
from cli.up.secrets import new_jwt_key, write_key_pair
from infra.embedded.places import write_private

app = typer.Typer(no_args_is_help=True, help="Keys for sealing secrets and signing tokens.")

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
