"""`export` and `schema`: what the server holds as documents, and how documents look."""

from pathlib import Path
from typing import Annotated

import typer

from cli import exits, render
from cli.client.api import Api
from cli.client.command import served
from cli.client.nearness import did_you_mean
from cli.client.problems import CliError
from cli.client.texts import replace_text
from cli.kinds.filenames import file_stem
from cli.kinds.registry import BY_NAME, KINDS, kind_of
from cli.kinds.schema import document_schema
from cli.kinds.stored import Exported, exported_as_file, in_full, read_stored
from cli.output import Out, Output

export = typer.Typer(add_completion=False)
schema = typer.Typer(add_completion=False)


@export.command("export")
@served
async def export_documents(
    api: Api,
    out: Out,
    kinds: Annotated[
        list[str] | None, typer.Argument(metavar="[KIND]…", help="jobs, targets, credentials.")
    ] = None,
    *,
    name: Annotated[list[str] | None, typer.Option("--name", help="Only these; repeatable.")] = None,
    folder: Annotated[Path | None, typer.Option("--dir", help="A file for each, instead of stdout.")] = None,
) -> None:
    """Write the documents of what the server holds. Secrets are never in them.

    Examples:

      opsconductor export --dir ops/

      opsconductor export jobs --name "Restart service" > job.yaml
    """
    wanted = [kind_of(word) for word in kinds] if kinds else list(KINDS)
    documents = await exported_documents(api, {kind.name for kind in wanted}, set(name or []))
    if folder is not None:
        return _write(documents, folder)
    if out.form in {Output.TABLE, Output.WIDE, Output.YAML} and out.query is None:
        render.raw("---\n".join(one.text for one in documents))
    else:
        out.data([one.document for one in documents])
    return None


async def exported_documents(api: Api, kinds: set[str], names: set[str]) -> list[Exported]:
    """Documents in the order in which they need one another; all names when none is given."""
    chosen = [kind for kind in KINDS if kind.name in kinds]
    stored = await read_stored(api, chosen)
    if missing := names - {name for _, name in stored.views}:
        known = [name for _, name in stored.views]
        hints = [hint for name in sorted(missing) for hint in did_you_mean(name, known)]
        raise CliError(f"There is nothing named {', '.join(sorted(missing))}.", hints=hints)
    full = await in_full(api, stored, BY_NAME, lambda ref: not names or ref[1] in names)
    return [
        exported_as_file(kind, full[ref][0]) for kind in chosen for ref in sorted(full) if ref[0] == kind.name
    ]


def _write(documents: list[Exported], folder: Path) -> None:
    taken: set[str] = set()
    for done, one in enumerate(documents):
        kind, name = BY_NAME[one.document["kind"]], one.document["metadata"]["name"]
        stem = file_stem(name)
        if f"{kind.plural}/{stem}".casefold() in taken:  # differs only in what files cannot be called
            stem = f"{stem}-{done}"
        taken.add(f"{kind.plural}/{stem}".casefold())
        place = folder / kind.plural / f"{stem}.yaml"
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            replace_text(place, one.text)
        except OSError as error:
            hints = (f"{done} of {len(documents)} documents are written; other files are as they were.",)
            raise CliError(
                f"{place} cannot be written ({error.strerror}).", hints=hints, exit_code=exits.FAILED
            ) from error
    render.remark(f"Wrote {len(documents)} documents to {folder}.")


@schema.command("schema")
def show_schema(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="job, target or credential.")],
) -> None:
    """Print the JSON Schema of a kind of document, for editors and checks.

    Example: opsconductor schema job > job-document.schema.json
    """
    try:
        render.as_json(document_schema(kind_of(kind)))
    except CliError as error:
        render.problem(error)
        raise typer.Exit(error.exit_code) from None
