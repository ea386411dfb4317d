"""`edit`: one document in the user's own editor."""

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import served
from cli.client.problems import CliError
from cli.client.texts import file_text
from cli.commands.exporting import exported_documents
from cli.commands.objects import KindWord, told
from cli.kinds.applying import carry_out
from cli.kinds.documents import refuse
from cli.kinds.planning import Wish, plan
from cli.kinds.reading import read_documents
from cli.kinds.registry import kind_of
from cli.output import Out

edit = typer.Typer(add_completion=False)


@edit.command("edit")
@served
async def edit_object(api: Api, _out: Out, kind: KindWord, name: Annotated[str, typer.Argument()]) -> None:
    """Change a document in your editor (VISUAL or EDITOR); saved only if nobody else did meanwhile."""
    meant = kind_of(kind)
    [document] = await exported_documents(api, {meant.name}, {name})
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:  # an editor may linger in it
        file = Path(folder) / f"{meant.name.lower()}.yaml"
        file.write_text(document.text, encoding="utf-8", newline="\n")
        _edited(file)
        try:
            if file_text(file) == document.text:
                return render.remark("Nothing was changed.")
            await _save(api, file, (meant.name, name))
        except CliError as error:
            hints = [*error.hints, _keep(file)]
            raise CliError(str(error), hints=hints, exit_code=error.exit_code) from error
    return None


async def _save(api: Api, file: Path, wanted: tuple[str, str]) -> None:
    reading = read_documents([str(file)])
    refuse(reading.faults)
    others = [d.origin.fault("metadata.name", "an edit keeps kind and name; use apply to make another")
              for d in reading.documents if d.ref != wanted]  # fmt: skip
    made = await plan(api, reading.documents, Wish())
    refuse(others + made.faults)
    await carry_out(api, made, Wish(), told)


def _edited(file: Path) -> None:
    windows = sys.platform == "win32"
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or ("notepad" if windows else "vi")
    try:
        # Windows takes a command apart by its own rules, in which a backslash is one.
        command = f'{editor} "{file}"' if windows else [*shlex.split(editor), str(file)]
        subprocess.run(command, check=True)  # noqa: S603  (the user's own choice)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise CliError(f"The editor {editor} cannot be started ({reason}).", hints=("Set EDITOR.",)) from None
    except subprocess.CalledProcessError as error:
        raise CliError(f"The editor ended with {error.returncode}; nothing was changed.") from error


def _keep(file: Path) -> str:
    """Put what somebody wrote where it outlives the editing; the hint that tells where."""
    if not file.exists():
        return "Nothing was changed."
    for folder in (Path.cwd(), Path(tempfile.gettempdir())):
        try:
            place = _free(folder / f"{file.stem}-edited.yaml")
            place.write_bytes(file.read_bytes())
        except OSError:
            continue
        shown = place.name if folder == Path.cwd() else place
        return f"What you wrote is kept: opsconductor apply -f {shown}"
    return "What you wrote could not be kept: no folder takes it."


def _free(place: Path) -> Path:
    """This name, or with a number: what was kept earlier stays."""
    numbered = (place.with_stem(f"{place.stem}-{number}") for number in range(2, 1_000))
    return next((free for free in (place, *numbered) if not free.exists()), place)
