"""Values of the simulated PowerShell: how they print, convert and compare."""

import re
from collections.abc import Mapping

from infra.sandbox.windows.services import Service

EXACT = 1e15
"""Below it a double shows all its digits."""
INTEGER_TYPES = {"int", "int32", "long", "int64", "uint32", "short", "int16"}
FLOAT_TYPES = {"double", "float", "single", "decimal"}


class PowerShellError(Exception):
    """A terminating error: `throw`, or what an operator or method refuses."""

    def __init__(self, message: str, *, kind: str = "RuntimeException") -> None:
        self.message = message
        self.kind = kind
        super().__init__(message)


def text(value: object) -> str:  # noqa: PLR0911  (one case for each kind of value)
    """What `"$value"` shows."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, float):
        return repr(int(value)) if value.is_integer() and abs(value) < EXACT else repr(value)
    if isinstance(value, list):
        return " ".join(text(item) for item in value)
    if isinstance(value, bytes):
        return " ".join(str(byte) for byte in value)
    if isinstance(value, Service):
        return "System.ServiceProcess.ServiceController"
    if isinstance(value, Mapping):
        return "System.Collections.Hashtable"
    return str(value)


def as_list(value: object) -> list[object]:
    """What the pipeline unrolls."""
    if value is None:
        return []
    if isinstance(value, list):
        return value
    return list(value) if isinstance(value, bytes) else [value]


def truth(value: object) -> bool:
    if isinstance(value, list):
        return truth(value[0]) if len(value) == 1 else bool(value)
    return bool(value)


def number(value: object) -> int | float:
    if isinstance(value, bool) or value is None:
        return int(bool(value))
    if isinstance(value, int | float):
        return value
    plain = text(value).strip()
    try:
        return float(plain) if re.search(r"[.eE]", plain) else int(plain or "0", 0)
    except ValueError:
        raise PowerShellError(
            f'Cannot convert value "{plain}" to type "System.Int32". Error: "Input string was not in a '
            'correct format."',
            kind="InvalidCastFromStringToInteger",
        ) from None


def cast(type_name: str, value: object) -> object:  # noqa: PLR0911  (one case for each type)
    """`[type]value`; PowerShellError for a value that does not fit or a type that is not simulated."""
    name = type_name.removeprefix("system.")
    if name in INTEGER_TYPES:
        return round(number(value))
    if name in FLOAT_TYPES:
        return float(number(value))
    if name == "byte[]":
        return bytes(round(number(item)) & 0xFF for item in as_list(value))
    if name in {"bool", "boolean", "switch"}:
        return truth(value)
    if name in {"string", "char"}:
        return chr(value) if name == "char" and isinstance(value, int) else text(value)
    if name == "void":
        return None
    if name in {"object[]", "array", "string[]", "int[]"}:
        return as_list(value)
    raise PowerShellError(f"Unable to find type [{type_name}] (not simulated).", kind="TypeNotFound")


def add(left: object, right: object) -> object:
    if isinstance(left, list):
        return left + as_list(right)
    if isinstance(left, str):
        return left + text(right)
    return number(left) + number(right)


def multiply(left: object, right: object) -> object:
    if isinstance(left, str):
        return left * int(number(right))
    if isinstance(left, list):
        return left * int(number(right))
    return number(left) * number(right)


def equal(left: object, right: object) -> bool:
    if isinstance(left, str):
        return left.casefold() == text(right).casefold()
    if left is None or right is None:
        return left is right
    if isinstance(left, bool):
        return left == truth(right)
    if isinstance(left, int | float):
        return left == number(right)
    return left == right


def matches(pattern: str, value: object) -> bool:
    """`-like`: `*` and `?` only."""
    expression = re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(expression, text(value), re.IGNORECASE | re.DOTALL) is not None


TABLE_HEAD = ["", "Status   Name               DisplayName", "------   ----               -----------"]


def display(value: object, *, first_of_table: bool) -> str:
    """What reaches the console for an object that a script leaves behind, with CRLF line ends."""
    if isinstance(value, Service):
        lines = TABLE_HEAD if first_of_table else []
        lines = [*lines, f"{value.status:<8} {value.name:<18} {value.display_name}"]
    elif isinstance(value, Mapping):
        rows = [f"{key:<31}{text(item)}" for key, item in value.items()]
        lines = ["", f"{'Name':<31}Value", f"{'----':<31}-----", *rows]
    else:
        lines = [text(item) for item in as_list(value)]
    return "".join(line + "\r\n" for line in lines)
