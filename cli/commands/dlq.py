"""`opsconductor dlq …`: messages that nobody could handle."""

from typing import Annotated, Any

import typer

from cli import exits, render
from cli.client.api import Api
from cli.client.command import All, Limit, served
from cli.output import Column, Out

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    help="Messages that nobody could handle: look, replay, give up.",
)

LetterId = Annotated[str, typer.Argument(metavar="ID", help="Id of the dead letter.")]
LetterIds = Annotated[list[str], typer.Argument(metavar="ID…", help="Ids of dead letters.")]
COLUMNS = (
    Column("ID", "id"),
    Column("QUEUE", "queue"),
    Column("MESSAGE", "wire_type"),
    Column(
        "ABOUT", lambda letter: letter["subject_id"] and f"{letter['subject_kind']} {letter['subject_id']}"
    ),
    Column("STATUS", "status"),
    Column("ATTEMPTS", "attempts", wide=True),
    Column("CREATED", lambda letter: render.ago(letter["created_at"])),
    Column("ERROR", lambda letter: letter["last_error"] or letter["reason"]),
)


@app.command("list")
@served
async def list_letters(
    api: Api,
    out: Out,
    *,
    status: Annotated[str, typer.Option("--status", help="open, replayed, discarded or all.")] = "open",
    limit: Limit = 50,
    every: All = False,
) -> None:
    """Dead letters, the newest first.

    Example: opsconductor dlq list -o name
    """
    wanted = None if status == "all" else status
    items = await api.pages("/api/v1/dlq", at_most=None if every else limit, status=wanted)
    out.items(items, COLUMNS, empty="No dead letters.", name="id")


@app.command()
@served
async def show(api: Api, out: Out, letter_id: LetterId) -> None:
    """One dead letter with its message."""
    out.one(await api.get(f"/api/v1/dlq/{letter_id}"), name="id")


@app.command()
@served
async def replay(api: Api, out: Out, letter_ids: LetterIds) -> int:
    """Send messages again to where they came from; their runs or tasks go on."""
    return await _settle(api, out, letter_ids, "replay", {})


@app.command()
@served
async def discard(
    api: Api,
    out: Out,
    letter_ids: LetterIds,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
) -> int:
    """Give messages up; their runs or tasks end as failed."""
    return await _settle(api, out, letter_ids, "discard", {"reason": reason})


async def _settle(api: Api, out: Out, ids: list[str], action: str, more: dict[str, Any]) -> int:
    """One by its own route, which tells all of it; several together."""
    if len(ids) == 1:
        letter = await api.post(f"/api/v1/dlq/{ids[0]}/{action}", more or None)
        out.one(letter, lambda: render.say(f"Dead letter {letter['id']} is {letter['status']}."), name="id")
        return exits.OK
    answer = await api.post("/api/v1/dlq/bulk", {"action": action, "ids": ids} | more)
    columns = (
        Column("ID", "id"),
        Column("DONE", "ok"),
        Column("STATUS", "status"),
        Column("WHY NOT", "detail"),
    )
    out.items(answer["items"], columns, empty="None.", name="id")
    if not answer["failed"]:
        return exits.OK
    return exits.PARTIAL if answer["done"] else exits.FAILED
