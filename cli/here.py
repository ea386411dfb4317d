"""Commands that work on a database and a broker directly: which ones, and how their errors end."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any, NoReturn

from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from cli import exits, render
from cli.client.problems import CliError
from cli.leaving import is_about_writing, leave, unwritten
from cli.places import DataFolder
from contracts.errors import OpsError, UnsafeSettings
from infra.database import connect
from infra.settings import Settings, load_settings

_ADDRESSES = {"OPS_DATABASE_URL": "database_url", "OPS_AMQP_URL": "amqp_url"}


def settings_here() -> Settings:
    """The settings of the environment; addresses that it does not name are those of an `up` that runs here.

    Raises `CliError` when neither knows them.
    """
    running = DataFolder.of_environment().running()
    if running is not None:
        for name, attribute in _ADDRESSES.items():
            if not os.environ.get(name):
                os.environ[name] = getattr(running, attribute)
    try:
        return load_settings()
    except UnsafeSettings as error:
        hint = "Set them, or start `opsconductor up` on this machine: its services are used then."
        raise CliError(str(error), hints=(hint,)) from None


@asynccontextmanager
async def database(settings: Settings) -> AsyncIterator[AsyncEngine]:
    engine = connect(settings.database_url, name="cli", pool_size=1)
    try:
        yield engine
    finally:
        await engine.dispose()


def run(work: Coroutine[Any, Any, int | None]) -> NoReturn:
    """Carry a command out and exit with its code."""
    guarded(lambda: asyncio.run(work))


def guarded(work: Callable[[], int | None]) -> NoReturn:
    """The same for a command that never waits."""
    try:
        code = work()
    except CliError as error:
        render.problem(error)
        code = error.exit_code
    except (OpsError, OSError, TimeoutError, DBAPIError) as error:
        code = _failed(error)
    except KeyboardInterrupt:
        code = exits.INTERRUPTED
    leave(code)


def _failed(error: Exception) -> int:
    if isinstance(error, OSError) and is_about_writing(error):
        return unwritten(error)
    render.problem(CliError(first_line(error), exit_code=exits.FAILED))
    return exits.FAILED


def first_line(error: BaseException) -> str:
    """What an error says, without the statement and the stack of libraries."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    return (str(cause).strip() or type(cause).__name__).splitlines()[0]
