"""`opsconductor dlq …`: messages that nobody could handle."""

from typing import Annotated, Any

import typer

from cli import render
from cli.client.context import UrlOption, run, signed_in
from cli.render import Output, OutputOption

app = typer.Typer(no_args_is_help=True, help="Messages that nobody could handle: look, replay, give up.")

LetterId = Annotated[str, typer.Argument(metavar="ID", help="Id of the dead letter.")]


@app.command("list")
def list_letters(
    *,
    status: Annotated[str, typer.Option("--status", help="open, replayed, discarded or all.")] = "open",
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, max=10_000)] = 50,
    output: OutputOption = Output.TABLE,
    url: UrlOption = None,
) -> None:
    """Dead letters, the newest first."""

    async def work() -> None:
        async with signed_in(url) as api:
            wanted = None if status == "all" else status
            items = await api.pages("/api/v1/dlq", at_most=limit, status=wanted)
        if output is Output.JSON:
            return render.as_json(items)
        return render.table(
            ("ID", "QUEUE", "MESSAGE", "ABOUT", "STATUS", "CREATED", "ERROR"),
            (
                (
                    item["id"],
                    item["queue"],
                    item["wire_type"],
                    item["subject_id"] and f"{item['subject_kind']} {item['subject_id']}",
                    item["status"],
                    render.ago(item["created_at"]),
                    item["last_error"] or item["reason"],
                )
                for item in items
            ),
            empty="No dead letters.",
        )

    run(work())


@app.command()
def show(letter_id: LetterId, *, output: OutputOption = Output.TABLE, url: UrlOption = None) -> None:
    """One dead letter with its message."""

    async def work() -> None:
        async with signed_in(url) as api:
            letter = await api.get(f"/api/v1/dlq/{letter_id}")
        if output is Output.JSON:
            return render.as_json(letter)
        return render.table(("FIELD", "VALUE"), letter.items(), empty="")

    run(work())


@app.command()
def replay(letter_id: LetterId, *, output: OutputOption = Output.TABLE, url: UrlOption = None) -> None:
    """Send the message again to where it came from; its run or task goes on."""

    async def work() -> None:
        async with signed_in(url) as api:
            letter = await api.post(f"/api/v1/dlq/{letter_id}/replay")
        _tell(letter, output)

    run(work())


@app.command()
def discard(
    letter_id: LetterId,
    *,
    reason: Annotated[str, typer.Option("--reason", help="Why; it is kept.")],
    output: OutputOption = Output.TABLE,
    url: UrlOption = None,
) -> None:
    """Give the message up; its run or task ends as failed."""

    async def work() -> None:
        async with signed_in(url) as api:
            letter = await api.post(f"/api/v1/dlq/{letter_id}/discard", {"reason": reason})
        _tell(letter, output)

    run(work())


def _tell(letter: dict[str, Any], output: Output) -> None:
    if output is Output.JSON:
        render.as_json(letter)
    else:
        render.say(f"Dead letter {letter['id']} is {letter['status']}.")
