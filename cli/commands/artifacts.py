"""`opsconductor artifacts …`: files that jobs copy, and files that runs fetched."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import All, Limit, served
from cli.client.files import download, store
from cli.client.problems import CliError
from cli.output import Column, Out

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Files that jobs copy to machines, and that runs fetched.",
)

COLUMNS = (
    Column("ID", "id"),
    Column("NAME", "name"),
    Column("SIZE", "size"),
    Column("ORIGIN", "origin"),
    Column("CREATED", lambda file: render.ago(file["created_at"])),
    Column("SHA-256", "sha256", wide=True),
    Column("RUN", "run_id", wide=True),
)
ArtifactId = Annotated[str, typer.Argument(metavar="ID")]


@app.command("list")
@served
async def list_artifacts(
    api: Api,
    out: Out,
    *,
    run_id: Annotated[str | None, typer.Option("--run", help="Those that a run fetched.")] = None,
    limit: Limit = 50,
    every: All = False,
) -> None:
    """Stored files, the newest first."""
    items = await api.pages("/api/v1/artifacts", at_most=None if every else limit, run_id=run_id)
    out.items(items, COLUMNS, empty="No files. Store one: opsconductor artifacts put FILE", name="id")


@app.command()
@served
async def put(
    api: Api,
    out: Out,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What to store.")],
    *,
    name: Annotated[str | None, typer.Option("--name", help="Another name than the file's.")] = None,
) -> None:
    """Store a file; prints the id that a copy step names as `src`.

    Example: opsconductor artifacts put ./agent.msi
    """
    stored = await store(api, file, name)
    out.one(stored, lambda: render.say(stored["id"]), name="id")


@app.command()
@served
async def get(
    api: Api,
    _out: Out,
    artifact_id: ArtifactId,
    *,
    to: Annotated[
        Path | None, typer.Option("--to", help="A file or folder; `-` for standard output.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")] = False,
) -> None:
    """Fetch a file, verified by its SHA-256, under its own name unless --to says otherwise.

    Example: opsconductor artifacts get 0198… --to logs/
    """
    told = await api.get(f"/api/v1/artifacts/{artifact_id}/meta")
    if to == Path("-"):
        await download(api, f"/api/v1/artifacts/{artifact_id}", sys.stdout.buffer, sha256=told["sha256"])
        return
    place = _place(to, Path(told["name"]).name or artifact_id)
    if place.exists() and not force:
        raise CliError(
            f"{place} is there already.", hints=("Choose another with --to, or overwrite: --force.",)
        )
    fresh = place.with_name(place.name + ".part")
    try:
        with fresh.open("wb") as opened:
            await download(api, f"/api/v1/artifacts/{artifact_id}", opened, sha256=told["sha256"])
        fresh.replace(place)
    except OSError as error:
        raise CliError(f"{place} cannot be written ({error.strerror}).") from error
    finally:
        fresh.unlink(missing_ok=True)
    render.say(str(place))


def _place(to: Path | None, name: str) -> Path:
    if to is None:
        return Path(name)
    return to / name if to.is_dir() else to


@app.command()
@served
async def delete(api: Api, _out: Out, artifact_id: ArtifactId) -> None:
    """Remove a file."""
    await api.delete(f"/api/v1/artifacts/{artifact_id}")
    render.remark(f"Removed {artifact_id}.")
