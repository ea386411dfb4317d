"""HTTP requests as steps."""

from functools import lru_cache
from typing import Annotated, Any, ClassVar, Literal

import jsonpath
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    JsonValue,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import SchemaError

from contracts.fingerprints import Fingerprint
from contracts.jobs.steps.base import CredentialName, Filled, StepSpec

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
"""They only read (RFC 9110, section 9.2.1): sent twice they do what they do once."""
RESERVED_OUTPUTS = frozenset({"status"})
MOST_DESCENTS = 2
_OWN_HEADERS = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer"}
)

_PATHS = jsonpath.JSONPathEnvironment(strict=True)
for _name in ("match", "search"):
    del _PATHS.function_extensions[_name]  # their patterns take time without bound


@lru_cache(maxsize=500)
def compiled_path(path: str) -> Any:
    """A JSONPath (RFC 9535) to look with; raises ValueError. Without `match`, `search`, and many `..`."""
    if path.count("..") > MOST_DESCENTS:
        raise ValueError(
            f"at most {MOST_DESCENTS} times `..` in one path: more take too long on large answers"
        )
    try:
        return _PATHS.compile(path)
    except jsonpath.JSONPathError as error:
        why = str(error).splitlines()[0]
        raise ValueError(f"is not a JSONPath (RFC 9535), such as $.items[0].id: {why}") from None


@lru_cache(maxsize=500)
def compiled_pattern(pattern: str) -> TypeAdapter[str]:
    """Accepts texts in which the pattern is found, in linear time; raises ValueError for what is none."""
    try:
        return TypeAdapter(Annotated[str, Field(pattern=pattern)])
    except SchemaError as error:
        why = str(error).replace("\n", " ")[:300]
        raise ValueError(f"is not a regular expression that can be used: {why}") from None


def is_found(pattern: str, text: str) -> bool:
    try:
        compiled_pattern(pattern).validate_python(text)
    except ValidationError:
        return False
    return True


def _path(text: str) -> str:
    compiled_path(text)
    return text


def _pattern(text: str) -> str:
    compiled_pattern(text)
    return text


def _header_name(text: str) -> str:
    if text.lower() in _OWN_HEADERS:
        raise ValueError("this header is set by the system itself")
    return text


JsonPath = Annotated[str, Field(min_length=1, max_length=500), AfterValidator(_path)]
HeaderName = Annotated[
    str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$"), AfterValidator(_header_name)
]
OutputName = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,63}$")]
QueryValue = str | int | float | bool
StatusClass = Literal["1xx", "2xx", "3xx", "4xx", "5xx"]
Status = Annotated[int, Field(ge=100, le=599)] | StatusClass


class TlsOptions(BaseModel):
    """Whom to trust. `verify: false` accepts anybody: only for networks nobody else is in."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    verify: bool = True
    ca_bundle: Annotated[str, Field(max_length=65536)] | None = None
    """PEM certificates to trust instead of the system's."""
    fingerprint: Fingerprint | None = None
    """SHA-256 of the server certificate (DER), hex: the only certificate accepted when set."""


class JsonAssertion(BaseModel):
    """What must be found at `path` of the answer; that it exists, when nothing more is said."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: JsonPath
    equals: JsonValue = None
    matches: Annotated[str, Field(min_length=1, max_length=1_000), AfterValidator(_pattern)] | None = None
    """Regular expression (RE2) found in the text there."""
    exists: bool | None = None
    """False: nothing may be there."""

    @model_validator(mode="after")
    def _one_thing(self) -> "JsonAssertion":
        if len(self.model_fields_set & {"equals", "matches", "exists"}) > 1:
            raise ValueError("say one of equals, matches and exists; write two assertions for two things")
        return self

    @property
    def compares(self) -> bool:
        """Whether `equals` was said; null is a value, too."""
        return "equals" in self.model_fields_set


class Assertions(BaseModel):
    """What makes an answer a success."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    status: Status | Annotated[tuple[Status, ...], Field(min_length=1, max_length=50)] = "2xx"
    json_: Annotated[tuple[JsonAssertion, ...], Field(alias="json", max_length=50)] = ()
    body_contains: Annotated[str, Field(min_length=1, max_length=1_000)] | None = None

    def fits(self, status: int) -> bool:
        """Whether an answer with this status is expected."""
        wanted = self.status if isinstance(self.status, tuple) else (self.status,)
        return any(status == one or f"{status // 100}xx" == one for one in wanted)


class HttpRequest(StepSpec):
    """Send an HTTP request and judge its answer. Goes out from the executor, once for each target if any."""

    acts_on_target: ClassVar[bool] = False

    type: Literal["http.request"]
    method: Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: Annotated[str, Field(min_length=1, max_length=4_000)]
    """Values in its path and query are percent-encoded, a value in its host must be a host name."""
    headers: dict[HeaderName, Filled] = Field(default_factory=dict, max_length=50)
    query: dict[str, QueryValue | tuple[QueryValue, ...]] = Field(default_factory=dict, max_length=100)
    """Added to the query of the URL, encoded."""
    body: JsonValue = None
    """A text is sent as it is; anything else, null included, as JSON."""
    form: dict[str, QueryValue | tuple[QueryValue, ...]] | None = Field(None, max_length=100)
    """Fields of a form, instead of a body."""
    credential: CredentialName | None = None
    """Its name, or `{{ name }}` of a parameter of type credential, whose empty value means none. An API key
    is sent as a bearer token, or in the header named; user name and password: basic."""
    credential_header: HeaderName | None = None
    tls: TlsOptions = TlsOptions()
    follow_redirects: bool = False
    expect: Assertions = Field(default=Assertions(), alias="assert")
    outputs: dict[OutputName, JsonPath] = Field(default_factory=dict, max_length=50)
    """Values of the JSON answer to keep, by their paths."""
    max_response_bytes: Annotated[int, Field(ge=1, le=16 * 1024 * 1024)] = 1024 * 1024
    connect_timeout_sec: Annotated[float, Field(gt=0, le=120)] = Field(10.0, alias="connectTimeoutSec")

    @field_validator("outputs")
    @classmethod
    def _own_names(cls, outputs: dict[str, str]) -> dict[str, str]:
        if taken := RESERVED_OUTPUTS & outputs.keys():
            raise ValueError(f"{', '.join(taken)} is always there; choose another name")
        return outputs

    @model_validator(mode="after")
    def _consistent(self) -> "HttpRequest":
        if self.has_body and self.form is not None:
            raise ValueError("body and form exclude one another")
        if (self.has_body or self.form is not None) and self.method in SAFE_METHODS:
            raise ValueError(f"{self.method} takes no body; write `query` for parameters")
        if self.credential_header is not None and self.credential is None:
            raise ValueError("credential_header needs a credential")
        if len({name.lower() for name in self.headers}) < len(self.headers):
            raise ValueError("two headers differ only in case")
        return self

    @property
    def has_body(self) -> bool:
        return "body" in self.model_fields_set

    @property
    def content_type(self) -> str | None:
        """The Content-Type header the author wrote."""
        return next((text for name, text in self.headers.items() if name.lower() == "content-type"), None)

    @property
    def only_reads(self) -> bool:
        """Whether sending it twice does what sending it once does."""
        return self.method in SAFE_METHODS

    @property
    def said_credential(self) -> str | None:
        return self.credential
