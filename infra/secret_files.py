"""Secrets in files of their own, so that no environment and no `inspect` of a container shows them."""

from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit


def read_secret(path: Path) -> str:
    """What the file holds, without the newline at its end.

    Raises ValueError, which says why and shows nothing of the file, when it cannot be read or is empty.
    """
    try:
        secret = path.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as error:
        raise ValueError(f"{path} cannot be read ({error.strerror})") from None
    except UnicodeDecodeError:
        raise ValueError(f"{path} holds no text") from None
    if not secret:
        raise ValueError(f"{path} is empty")
    return secret


def with_password(url: str, password: str) -> str:
    """`url` with this password for the user it names.

    Raises ValueError when it names no user, or a password already: one of the two would be ignored.
    """
    parts = urlsplit(url)
    if not parts.username:
        raise ValueError("the address names no user that this password could be for")
    if parts.password is not None:
        raise ValueError("the address holds a password already; leave one of the two out")
    user, _, place = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{place}"))
