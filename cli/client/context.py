"""What every client verb shares: its options, its connection, and the end of its errors."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Annotated, Any, NoReturn

import typer

from cli import exits, render
from cli.client.api import Api, StoredTokens
from cli.client.problems import CliError
from cli.client.sessions import SessionFile

UrlOption = Annotated[
    str | None,
    typer.Option(
        "--url", help="Address of the gateway; OPS_URL, or where you signed in last, when left out."
    ),
]


@asynccontextmanager
async def signed_in(url: str | None) -> AsyncIterator[Api]:
    """The API at `url` with the stored session."""
    sessions = SessionFile()
    address = sessions.address(url)
    async with Api(address, StoredTokens(address, sessions)) as api:
        yield api


def run(work: Coroutine[Any, Any, int | None], *, interrupted: Callable[[], None] | None = None) -> NoReturn:
    """Carry a command out and exit with its code. `interrupted` speaks after Ctrl-C."""
    try:
        code = asyncio.run(work)
    except CliError as error:
        render.problem(error)
        code = error.exit_code
    except KeyboardInterrupt:
        if interrupted is not None:
            interrupted()
        code = exits.INTERRUPTED
    except BrokenPipeError:
        sys.stderr.close()  # the reader of our output has gone; python would complain at exit
        code = exits.OK
    sys.exit(code or exits.OK)
