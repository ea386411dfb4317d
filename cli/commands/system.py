"""`opsconductor queues`, `workers` and `users`."""

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import All, Limit, served
from cli.output import Column, Out

queues = typer.Typer(add_completion=False)
workers = typer.Typer(add_completion=False)
users = typer.Typer(add_completion=False)


@queues.command()
@served
async def list_queues(api: Api, out: Out) -> None:
    """Every queue: how many messages wait, how many consumers listen."""
    items = (await api.get("/api/v1/queues"))["items"]
    columns = (Column("QUEUE", "name"), Column("WAITING", "depth"), Column("CONSUMERS", "consumers"))
    out.items(items, columns, empty="No queues.")


@workers.command()
@served
async def list_workers(api: Api, out: Out) -> None:
    """Every worker process: what it does, how busy it is, when it was last heard."""
    items = (await api.get("/api/v1/worker/status"))["workers"]
    columns = (
        Column("WORKER", lambda w: f"{w['host']}:{w['pid']}"),
        Column("ROLES", lambda w: ", ".join(w["roles"])),
        Column("POOLS", lambda w: ", ".join(w["pools"])),
        Column("RUNNING", lambda w: f"{w['running']}/{w['slots']}"),
        Column("ALIVE", "alive"),
        Column("STARTED", lambda w: render.ago(w["started_at"])),
        Column("VERSION", "version", wide=True),
        Column("ID", "id", wide=True),
    )
    out.items(items, columns, empty="No workers: nothing will run. Start one: opsconductor worker", name="id")


@users.command()
@served
async def list_users(api: Api, out: Out, *, limit: Limit = 100, every: All = False) -> None:
    """Who may sign in, and as what."""
    items = await api.pages("/api/v1/users", at_most=None if every else limit)
    columns = (
        Column("USER", "username"),
        Column("NAME", "name"),
        Column("ROLE", "role"),
        Column("ACTIVE", "active"),
        Column("SINCE", lambda u: render.ago(u["created_at"]), wide=True),
        Column("ID", "id", wide=True),
    )
    out.items(items, columns, empty="No users.", name="username")
