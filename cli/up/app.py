"""`opsconductor up`: everything on this machine, under one supervisor, until told to stop."""

import asyncio
import time
from contextlib import suppress

from cli import exits
from cli.client.problems import CliError
from cli.places import DataFolder
from cli.up.screen import Screen
from cli.up.start import Starter, System, UpOptions
from contracts.errors import OpsError
from infra.embedded.lock import FolderLock
from infra.embedded.logs import LogFolder
from infra.embedded.supervisor import Stopping, Supervisor


async def run_up(options: UpOptions, screen: Screen, *, started: float) -> int:
    """Serve until SIGINT or SIGTERM; the exit code. `started` is when the process began (monotonic)."""
    folder = DataFolder.of_environment()
    folder.create()
    lock, logs = FolderLock(folder.lock), LogFolder(folder.logs)
    lock.acquire()
    try:
        async with Supervisor(note=screen.note) as supervisor:
            starter = Starter(supervisor, folder, options, screen, logs)
            with suppress(Stopping):  # told to stop while starting: `run` below says why
                system = await starter.start()
                screen.line(f"Ready in {time.monotonic() - started:.1f} s.", "green")
                await _until_stopped(supervisor, system, options, screen)
            reason = await supervisor.run()
    finally:
        folder.forget()
        logs.close()
        lock.release()
    if reason.exit_code:
        screen.problem(f"Stopped: {reason.text}. The logs are in {folder.logs}.")
    else:
        screen.line("Stopped.")
    return reason.exit_code


async def _until_stopped(supervisor: Supervisor, system: System, options: UpOptions, screen: Screen) -> None:
    """Introduce the system, then serve; the introduction ends at once when the end is called for."""
    serving = asyncio.create_task(supervisor.run(), name="serving")
    introducing = asyncio.create_task(_introduce(system, options, screen), name="introducing")
    try:
        await asyncio.wait({serving, introducing}, return_when=asyncio.FIRST_COMPLETED)
        if introducing.done():
            introducing.result()
        else:
            introducing.cancel()
        await serving
    finally:
        introducing.cancel()
        await asyncio.gather(introducing, return_exceptions=True)


async def _introduce(system: System, options: UpOptions, screen: Screen) -> None:
    """Run the samples, then say where everything is. A sample that fails is told and changes nothing."""
    from cli.up import introduce  # noqa: PLC0415  (an HTTP client is needed only from here on)

    try:
        samples = await introduce.run_samples(system, options, screen)
    except (CliError, OpsError) as error:
        screen.problem(f"The samples could not be run: {error}")
        samples = False
    await introduce.show_summary(system, screen, samples=samples)


def main(options: UpOptions, *, started: float) -> int:
    """The command. Exit code 2 for what the user has to change, 1 when something failed."""
    screen = Screen.of_terminal()
    try:
        return asyncio.run(run_up(options, screen, started=started))
    except (OpsError, CliError) as error:
        screen.problem(str(error))
        for hint in getattr(error, "hints", ()):
            screen.note(hint)
        return _exit_code(error)


def _exit_code(error: OpsError | CliError) -> int:
    if isinstance(error, CliError):
        return error.exit_code
    return exits.USAGE if error.code in _TO_CHANGE else exits.FAILED


_TO_CHANGE = {"port_taken", "data_folder_in_use", "data_folder_unusable", "unsafe_settings"}
