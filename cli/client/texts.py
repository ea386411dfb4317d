"""Text from files and pipes, as every system writes it: UTF-8, and the UTF-16 that PowerShell writes."""

import codecs
import io
import sys
from pathlib import Path

from cli.client.problems import CliError

_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def decoded(raw: bytes) -> str:
    """The text without its mark of encoding, lines ended by a line feed; raises `UnicodeDecodeError`."""
    text = raw.decode("utf-16" if raw.startswith(_UTF_16) else "utf-8-sig")
    return io.StringIO(text, newline=None).read()


def file_text(file: Path) -> str:
    """What a file holds; raises `CliError` that says why it cannot be had."""
    try:
        return decoded(file.read_bytes())
    except OSError as error:
        raise CliError(f"{file} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise CliError(f"{file} is not text in UTF-8.") from error


def replace_text(file: Path, text: str) -> None:
    """Write a file in one step: what was there stays whole until all of the new is on the disk."""
    fresh = file.with_name(f".{file.name}.part")
    try:
        fresh.write_text(text, encoding="utf-8", newline="\n")
        fresh.replace(file)
    finally:
        fresh.unlink(missing_ok=True)


def piped_text() -> str:
    """What comes on standard input, whatever the code page of the terminal; raises `CliError`."""
    return _piped(sys.stdin.buffer.read())


def piped_line() -> str:
    """Its next line, without the line's end; raises `CliError`."""
    return _piped(sys.stdin.buffer.readline()).rstrip("\n")


def _piped(raw: bytes) -> str:
    try:
        return decoded(raw)
    except UnicodeDecodeError as error:
        raise CliError("What comes on standard input is not text in UTF-8.") from error
