"""What is wrong with a field, in the words of people: no type names of a library, no regular expressions."""

import difflib
from collections.abc import Callable, Mapping
from typing import Any

from pydantic_core import ErrorDetails

PATTERNS: Mapping[str, str] = {
    r"^[A-Za-z][A-Za-z0-9_-]{0,63}$": "must be 1 to 64 letters, digits, _ and -, a letter first",
    r"^[A-Za-z_][A-Za-z0-9_]{0,63}$": "must be 1 to 64 letters, digits and _, no digit first",
    r"^[A-Za-z_][A-Za-z0-9_]{0,127}$": "must be 1 to 128 letters, digits and _, no digit first",
    r"^[A-Za-z_][A-Za-z0-9_.-]{0,63}$": "must be the name of an account, such as root or svc_backup",
    r"^[a-z][a-z0-9-]{0,31}$": "must be 1 to 32 small letters, digits and -, a letter first",
    r"^[A-Za-z0-9][A-Za-z0-9._/-]*$": "must be letters, digits and . _ / -, a letter or digit first",
    r"^[A-Za-z0-9][A-Za-z0-9._@-]*$": "must be letters, digits and . _ @ -, a letter or digit first",
    r"^[A-Za-z0-9._:%\[\]-]+$": "must be a host name or an IP address, without a scheme or a port",
    r"^[A-Za-z0-9._-]{1,253}$": "must be a host name",
    r"^[A-Za-z0-9_./+-]{1,255}$": "must be a program, such as python3 or /usr/bin/perl, without arguments",
    r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$": "must be the name of an HTTP header, such as X-Api-Key",
    r"^https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?/?$": (
        "must be the address of a proxy, such as http://proxy.example.com:3128, without a user or password"
    ),
    r"^/[\x21-\x7e]*$": "must begin with / and hold no blanks",
    r"^[^\x00-\x20=,]+$": "must hold no blanks, commas or equals signs",
    r"^[^\x00-\x1f]+$": "must hold no line ends, tabs or other control characters",
    r"^[^\x00-\x1f\x7f]+$": "must hold no line ends, tabs or other control characters",
    r"^[^\x00-\x1f\x7f]*$": "must hold no line ends, tabs or other control characters",
    r"^[^\x00-\x1f\x7f/\\]+$": "must be the name of a file, without a folder and without control characters",
    r"^[0-9a-f]{64}$": "must be a SHA-256 as 64 small hexadecimal digits",
    r"^[0-9a-fA-F]{64}$": "must be a SHA-256 as 64 hexadecimal digits",
    r"^cp[0-9]{3,5}$": "must be a code page, such as cp437 or cp850",
    r"^0?[0-7]{3,4}$": "must be a file mode in octal digits, such as 0644",
}
"""What every pattern of a field in `contracts` and the API asks for."""

_Words = Callable[[Mapping[str, Any], Any], str]


def reason(item: ErrorDetails) -> str:
    """One finding of pydantic as a sentence without its subject, which is the field."""
    words = _BY_TYPE.get(item["type"])
    if words is None:
        return item["msg"].removeprefix("Value error, ")
    if isinstance(words, str):
        return words
    return words(item.get("ctx", {}), item.get("input"))


def _entries(count: int) -> str:
    return "one entry" if count == 1 else f"{count:,} entries"


def _too_short(context: Mapping[str, Any], _: Any) -> str:
    least = context["min_length"]
    return "must not be empty" if least == 1 else f"needs at least {least:,} characters"


def _pattern(context: Mapping[str, Any], _: Any) -> str:
    return PATTERNS.get(context["pattern"], f"must match {context['pattern']}")


def _unknown_tag(context: Mapping[str, Any], _: Any) -> str:
    known = _unquoted(context["expected_tags"]).split(", ")
    near = difflib.get_close_matches(context["tag"], known, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    return f"{context['tag']} is not one of {', '.join(known)}{hint}"


def _no_tag(context: Mapping[str, Any], _: Any) -> str:
    return f"lacks {_unquoted(context['discriminator'])}, which says its kind"


def _choice(context: Mapping[str, Any], _: Any) -> str:
    return f"must be {_unquoted(context['expected'])}"


def _unquoted(words: str) -> str:
    return words.replace("'", "")


_WHOLE = "must be a whole number"
_NUMBER = "must be a number"
_YES_OR_NO = "must be true or false"
_TEXT = "must be text"
_LIST = "must be a list"
_OBJECT = "must be an object of names and values"
_ID = "must be an id such as 0192f0c1-2d3e-7a4b-8c5d-6e7f8a9b0c1d"
_TIME = "must be a time such as 2026-03-01T04:30:00Z"

_BY_TYPE: Mapping[str, str | _Words] = {
    "missing": "is required",
    "extra_forbidden": "is not a known field here; check the spelling and the indentation",
    "none_required": "must be left out",
    "string_type": _TEXT,
    "string_sub_type": _TEXT,
    "string_unicode": "must be text in UTF-8",
    "string_too_short": _too_short,
    "string_too_long": lambda context, _: f"may have at most {context['max_length']:,} characters",
    "string_pattern_mismatch": _pattern,
    "too_short": lambda context, _: f"needs at least {_entries(context['min_length'])}",
    "too_long": lambda context, _: f"may have at most {_entries(context['max_length'])}",
    "int_type": _WHOLE,
    "int_parsing": _WHOLE,
    "int_parsing_size": "is too large a number",
    "int_from_float": _WHOLE,
    "float_type": _NUMBER,
    "float_parsing": _NUMBER,
    "finite_number": "must be a finite number",
    "bool_type": _YES_OR_NO,
    "bool_parsing": _YES_OR_NO,
    "list_type": _LIST,
    "tuple_type": _LIST,
    "set_type": _LIST,
    "frozen_set_type": _LIST,
    "dict_type": _OBJECT,
    "model_type": _OBJECT,
    "model_attributes_type": _OBJECT,
    "greater_than": lambda context, _: f"must be more than {context['gt']:,}",
    "greater_than_equal": lambda context, _: f"must be at least {context['ge']:,}",
    "less_than": lambda context, _: f"must be less than {context['lt']:,}",
    "less_than_equal": lambda context, _: f"must be at most {context['le']:,}",
    "literal_error": _choice,
    "enum": _choice,
    "union_tag_invalid": _unknown_tag,
    "union_tag_not_found": _no_tag,
    "uuid_type": _ID,
    "uuid_parsing": _ID,
    "datetime_type": _TIME,
    "datetime_parsing": _TIME,
    "datetime_from_date_parsing": _TIME,
    "timezone_aware": "needs a time zone, such as 2026-03-01T04:30:00Z",
}
