"""Tokens in the keyring of the operating system, where the optional package `keyring` finds a real one."""

from typing import Any

from cli.client.problems import CliError

SERVICE = "opsconductor"


def _backend() -> Any:
    try:
        import keyring  # noqa: PLC0415  (optional, and slow to import)
    except ImportError:
        return None
    backend = keyring.get_keyring()
    return backend if backend.priority >= 1 else None


def available() -> bool:
    """Whether there is one that keeps secrets: not on a server without a desktop, as a rule."""
    return _backend() is not None


def _required() -> Any:
    backend = _backend()
    if backend is None:
        raise CliError(
            "There is no keyring here that could hold the session.",
            hints=("Install the package `keyring` and unlock it, or: opsconductor login --store file",),
        )
    return backend


def read(name: str) -> str | None:
    found: str | None = _guarded("read", name)
    return found


def write(name: str, secret: str) -> None:
    _guarded("write", name, secret)


def forget(name: str) -> None:
    if read(name) is not None:
        _guarded("forget", name)


_METHODS = {"read": "get_password", "write": "set_password", "forget": "delete_password"}


def _guarded(verb: str, name: str, *more: str) -> Any:
    backend = _required()
    try:
        return getattr(backend, _METHODS[verb])(SERVICE, name, *more)
    except Exception as error:  # every backend has errors of its own
        raise CliError(
            f"The keyring did not {verb} the session of {name} ({error}).",
            hints=("Unlock it, or keep the session in a file: opsconductor login --store file",),
        ) from error
