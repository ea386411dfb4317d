"""What every command that talks to a server shares: its options, its connection, how its errors end."""

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Annotated, Any, Concatenate, NoReturn, ParamSpec

import typer

from cli import exits, render
from cli.client.api import Api
from cli.client.contexts import Contexts
from cli.client.problems import CliError
from cli.client.tokens import tokens_for
from cli.leaving import leave, unwritten
from cli.output import Out, Output

P = ParamSpec("P")
_PANEL = "Server and form"
UrlOption = Annotated[
    str | None,
    typer.Option("--url", help="Its address, instead; or OPS_URL.", rich_help_panel=_PANEL),
]
ContextOption = Annotated[
    str | None,
    typer.Option(
        "--context", help="Which server: see `opsconductor context`; or OPS_CONTEXT.", rich_help_panel=_PANEL
    ),
]
OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="The form of the answer.", rich_help_panel=_PANEL)
]
QueryOption = Annotated[
    str | None,
    typer.Option("--query", metavar="JMESPATH", help="Part of the answer.", rich_help_panel=_PANEL),
]
NoHeadersOption = Annotated[
    bool, typer.Option("--no-headers", help="Tables without headings.", rich_help_panel=_PANEL)
]
Limit = Annotated[int, typer.Option("--limit", "-n", min=1, max=100_000, help="At most so many.")]
All = Annotated[bool, typer.Option("--all", help="All of them, however many.")]
Timeout = Annotated[float | None, typer.Option("--timeout", min=0.1, help="Seconds to wait at most.")]


def _shared(name: str, annotation: Any, *, default: Any = None) -> inspect.Parameter:
    return inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=annotation)


_SHARED = (
    _shared("output", OutputOption, default=Output.TABLE),
    _shared("query", QueryOption),
    _shared("no_headers", NoHeadersOption, default=False),
    _shared("context", ContextOption),
    _shared("url", UrlOption),
)


@asynccontextmanager
async def connected(context: str | None, url: str | None) -> AsyncIterator[Api]:
    """The API of a context, with its session or the token in `OPS_TOKEN`."""
    contexts = Contexts()
    chosen = contexts.chosen(context, url)
    async with Api(chosen.url, tokens_for(chosen, contexts), ca_file=chosen.ca_file) as api:
        yield api


def served(handler: Callable[Concatenate[Api, Out, P], Awaitable[int | None]]) -> Callable[..., None]:
    """A command of a handler that gets the API and the form of its answer, and returns the exit code.

    A handler with an option named like a shared one has its own instead.
    """

    signature = inspect.signature(handler, eval_str=True)
    _, _, *own = signature.parameters.values()
    shared = [option for option in _SHARED if option.name not in signature.parameters]

    @wraps(handler)
    def command(*args: Any, **given: Any) -> None:
        asked = {option.name: given.pop(option.name) for option in shared}

        async def work() -> int | None:
            out = Out(asked["output"], asked.get("query"), headers=not asked["no_headers"])
            async with connected(asked["context"], asked["url"]) as api:
                return await handler(api, out, *args, **given)

        run(work())

    every = [*own, *shared]
    del command.__wrapped__  # it would be read instead of this signature
    command.__signature__ = signature.replace(parameters=every, return_annotation=None)  # type: ignore[attr-defined]
    command.__annotations__ = {one.name: one.annotation for one in every}
    return command


def run(work: Coroutine[Any, Any, int | None]) -> NoReturn:
    """Carry a command out and exit with its code."""
    try:
        code = asyncio.run(work)
    except CliError as error:
        render.problem(error)
        code = error.exit_code
    except KeyboardInterrupt:
        code = exits.INTERRUPTED
    except OSError as error:
        code = unwritten(error)
    leave(code)
