"""`opsconductor api` and `opsconductor open`: the whole API by hand, and the web client."""

import json
import os
import sys
import webbrowser
from pathlib import Path
from typing import Annotated, Any

import typer

from cli import render
from cli.client.api import Api
from cli.client.command import served
from cli.client.finding import find_named
from cli.client.names import run_ids
from cli.client.problems import CliError
from cli.output import Out, Output

app = typer.Typer(add_completion=False)
browse = typer.Typer(add_completion=False)
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
_PAGES = {"run": "runs", "job": "jobs", "target": "targets", "credential": "credentials"}


@app.command("api")
@served
async def call(
    api: Api,
    out: Out,
    method: Annotated[
        str, typer.Argument(metavar="[METHOD]", help="GET when left out, POST, PUT, PATCH or DELETE.")
    ],
    path: Annotated[str | None, typer.Argument(metavar="PATH", help="As /api/v1/runs?status=failed")] = None,
    *,
    field: Annotated[
        list[str] | None,
        typer.Option("--field", "-f", metavar="NAME=VALUE", help="Of the body, or of the query with GET."),
    ] = None,
    input: Annotated[Path | None, typer.Option("--input", help="The body from a file; - is stdin.")] = None,
    header: Annotated[list[str] | None, typer.Option("--header", "-H", metavar="NAME:VALUE")] = None,
) -> None:
    """Any request, signed in. A value that is JSON is sent as such: -f active=false.

    Examples:

      opsconductor api /api/v1/meta

      opsconductor api POST /api/v1/dlq/bulk -f action=replay -f 'ids=["0198…"]'
    """
    if path is None:
        method, path = "GET", method
    verb = method.upper()
    if verb not in _METHODS:
        raise CliError(f"{method} is no method.", hints=(f"There are {', '.join(_METHODS)}.",))
    if not path.startswith("/"):
        raise CliError("The path begins with /.", hints=(f"For example /{path}",))
    headers = dict(_pair(text, ":") for text in header or [])
    fields = {name: _value(text) for name, text in (_pair(one, "=") for one in field or [])}
    rest: dict[str, Any] = {"params": fields} if verb == "GET" and fields else {}
    if input is not None:
        rest["content"] = sys.stdin.buffer.read() if str(input) == "-" else _read(input)
        headers.setdefault("Content-Type", "application/json")
    elif verb != "GET" and fields:
        rest["json"] = fields
    answer = await api.raw(verb, path, headers=headers, **rest)
    if "json" in answer.headers.get("content-type", ""):
        form = Output.JSON if out.form in {Output.TABLE, Output.WIDE} and out.query is None else out.form
        Out(form, out.query).data(answer.json())
    else:
        sys.stdout.write(answer.text)


def _pair(text: str, sign: str) -> tuple[str, str]:
    name, there, value = text.partition(sign)
    if not there or not name:
        raise CliError(f"{text!r}: write it as NAME{sign}VALUE.")
    return name.strip(), value.strip() if sign == ":" else value


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CliError(f"{path} cannot be read ({error.strerror}).") from error


@browse.command("open")
@served
async def open_page(
    api: Api,
    _out: Out,
    kind: Annotated[str | None, typer.Argument(metavar="[run|job|target|credential]")] = None,
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", autocompletion=run_ids)] = None,
) -> None:
    """Open the web client in a browser; where there is none its address is printed.

    Example: opsconductor open job "Restart service"
    """
    url = api.url + await _page(api, kind, name)
    seen = sys.stdout.isatty() and (os.environ.get("DISPLAY") or sys.platform != "linux")
    if not (seen and webbrowser.open(url)):
        render.say(url)


async def _page(api: Api, kind: str | None, name: str | None) -> str:
    if kind is None:
        return "/"
    plural = _PAGES.get(kind.removesuffix("s"))
    if plural is None:
        raise CliError(f"There is no page for {kind}.", hints=(f"There are {', '.join(_PAGES)}.",))
    if name is None:
        return f"/{plural}"
    found = name if plural == "runs" else (await find_named(api, plural, name))["id"]
    return f"/{plural}/{found}"
