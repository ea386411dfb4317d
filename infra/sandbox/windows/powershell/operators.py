"""Binary and unary operators (about_Operators)."""

import re
from collections.abc import Callable

from infra.sandbox.windows.powershell import values
from infra.sandbox.windows.powershell.values import PowerShellError, as_list, number, text, truth

RANGE_LIMIT = 50_000


def _divide(left: object, right: object) -> object:
    divisor = number(right)
    if not divisor:
        raise PowerShellError("Attempted to divide by zero.")
    quotient = number(left) / divisor
    return int(quotient) if quotient.is_integer() else quotient


def _range(left: object, right: object) -> object:
    first, last = int(number(left)), int(number(right))
    if abs(last - first) >= RANGE_LIMIT:
        raise PowerShellError(f"The range exceeds the {RANGE_LIMIT} items that this simulation allows.")
    return list(range(first, last + 1)) if last >= first else list(range(first, last - 1, -1))


def _format(left: object, right: object) -> object:
    items = as_list(right)
    return re.sub(r"\{(\d+)[^}]*\}", lambda match: text(items[int(match[1])]), text(left))


def _replace(left: object, right: object) -> object:
    pattern, *replacement = as_list(right)
    return re.sub(text(pattern), text(replacement[0]) if replacement else "", text(left), flags=re.IGNORECASE)


def _order(left: object, right: object) -> int:
    """-1, 0 or 1; texts without regard to case, all else as numbers."""
    if isinstance(left, str):
        first, second = left.casefold(), text(right).casefold()
        return (first > second) - (first < second)
    one, other = number(left), number(right)
    return (one > other) - (one < other)


def _search(left: object, right: object) -> bool:
    return re.search(text(right), text(left), re.IGNORECASE) is not None


BINARY: dict[str, Callable[[object, object], object]] = {
    "+": values.add,
    "-": lambda left, right: number(left) - number(right),
    "*": values.multiply,
    "/": _divide,
    "%": lambda left, right: number(left) % number(right),
    "..": _range,
    "-f": _format,
    "-eq": values.equal,
    "-ceq": lambda left, right: text(left) == text(right),
    "-ne": lambda left, right: not values.equal(left, right),
    "-gt": lambda left, right: _order(left, right) > 0,
    "-ge": lambda left, right: _order(left, right) >= 0,
    "-lt": lambda left, right: _order(left, right) < 0,
    "-le": lambda left, right: _order(left, right) <= 0,
    "-like": lambda left, right: values.matches(text(right), left),
    "-notlike": lambda left, right: not values.matches(text(right), left),
    "-match": _search,
    "-notmatch": lambda left, right: not _search(left, right),
    "-contains": lambda left, right: any(values.equal(item, right) for item in as_list(left)),
    "-in": lambda left, right: any(values.equal(item, left) for item in as_list(right)),
    "-replace": _replace,
    "-split": lambda left, right: list(re.split(text(right), text(left))),
    "-join": lambda left, right: text(right).join(text(item) for item in as_list(left)),
    "-and": lambda left, right: truth(left) and truth(right),
    "-or": lambda left, right: truth(left) or truth(right),
    "-xor": lambda left, right: truth(left) != truth(right),
}

UNARY: dict[str, Callable[[object], object]] = {
    "!": lambda value: not truth(value),
    "-not": lambda value: not truth(value),
    "-": lambda value: -number(value),
    "+": number,
    "-join": lambda value: "".join(text(item) for item in as_list(value)),
}


def binary(name: str, left: object, right: object) -> object:
    """PowerShellError for an operator that is not simulated."""
    function = BINARY.get(name) or BINARY.get(name.replace("-i", "-", 1))
    if function is None:
        raise PowerShellError(f"The operator {name} is not simulated.")
    return function(left, right)
