"""The gateway's HTTP API, as every command and `up` itself use it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Self
from uuid import uuid4

import httpx2

from cli.client.problems import UNAVAILABLE, Unreachable, document_of, raise_problem
from cli.client.tokens import UNAUTHENTICATED, Tokens
from cli.client.trust import trust

CONNECT_SECONDS = 5.0
ANSWER_SECONDS = 30.0
SILENCE_SECONDS = 45.0
"""A stream sends a comment every 15 s; three missing ones mean that it is dead."""
TRIES = 4
PAGE = 200


class Api:
    """Requests with a token. What only reads, or carries an Idempotency-Key, is repeated when cut off."""

    def __init__(self, url: str, tokens: Tokens | None, *, ca_file: str | None = None) -> None:
        self.url = url
        self._tokens = tokens
        self._client = httpx2.AsyncClient(
            base_url=url,
            timeout=httpx2.Timeout(ANSWER_SECONDS, connect=CONNECT_SECONDS),
            headers={"Ops-Client": "cli"},
            verify=trust(ca_file),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    async def get(self, path: str, **params: Any) -> Any:
        given = {name: value for name, value in params.items() if value is not None}
        return document_of(await self._request("GET", path, params=given, repeat=True))

    async def post(self, path: str, body: Any = None, *, once: bool = False) -> Any:
        """With `once` it carries an Idempotency-Key: carried out once, however often it has to be sent."""
        headers = {"Idempotency-Key": uuid4().hex} if once else {}
        answer = await self._request("POST", path, json=body, headers=headers, repeat=once)
        return document_of(answer) if answer.content else None

    async def put(self, path: str, body: Any, *, if_match: str | None = None) -> Any:
        return document_of(await self._request("PUT", path, json=body, headers=_if_match(if_match)))

    async def delete(self, path: str, *, if_match: str | None = None, **params: Any) -> None:
        await self._request("DELETE", path, params=params, headers=_if_match(if_match))

    async def tagged(self, path: str) -> tuple[dict[str, Any], str | None]:
        """One object and its ETag."""
        answer = await self._request("GET", path, repeat=True)
        return document_of(answer), answer.headers.get("etag")

    async def raw(self, method: str, path: str, **rest: Any) -> httpx2.Response:
        """Any request; raises `ApiProblem` for an answer that is an error."""
        return await self._request(method, path, repeat=method == "GET", **rest)

    async def pages(self, path: str, *, at_most: int | None = None, **params: Any) -> list[dict[str, Any]]:
        """The items of a list, page after page."""
        items: list[dict[str, Any]] = []
        cursor = None
        while True:
            limit = min(PAGE, at_most - len(items)) if at_most is not None else PAGE
            page = await self.get(path, limit=limit, cursor=cursor, **params)
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None or (at_most is not None and len(items) >= at_most):
                return items

    @asynccontextmanager
    async def streaming(
        self, path: str, *, params: Mapping[str, str] | None = None, headers: Mapping[str, str] | None = None
    ) -> AsyncIterator[httpx2.Response]:
        """A response to be read while it arrives; raises httpx2 errors as they are."""
        token = await self._token()
        async with self._client.stream(
            "GET",
            path,
            params=params,
            headers={**(headers or {}), **_bearer(token)},
            timeout=httpx2.Timeout(SILENCE_SECONDS, connect=CONNECT_SECONDS),
        ) as answer:
            if answer.status_code == UNAUTHENTICATED and self._tokens is not None and token is not None:
                await self._tokens.renewed(self._client, token)  # for the next try
            if answer.is_error:
                await answer.aread()
                raise_problem(answer)
            yield answer

    async def _token(self) -> str | None:
        return None if self._tokens is None else await self._tokens.token(self._client)

    async def _request(
        self,
        method: str,
        path: str,
        *,
        repeat: bool = False,
        headers: dict[str, str] | None = None,
        **rest: Any,
    ) -> httpx2.Response:
        for tries_left in reversed(range(TRIES if repeat else 1)):
            try:
                answer = await self._authorized(method, path, headers or {}, rest)
            except httpx2.ConnectError as error:
                raise Unreachable(self.url, str(error) or "no connection") from error
            except httpx2.TransportError as error:
                if not tries_left:
                    raise Unreachable(self.url, str(error) or type(error).__name__) from error
            else:
                if answer.status_code not in UNAVAILABLE or not tries_left:
                    raise_problem(answer)
                    return answer
            await asyncio.sleep(TRIES - tries_left - 0.5)
        raise AssertionError("the last try returns or raises")

    async def _authorized(
        self, method: str, path: str, headers: dict[str, str], rest: dict[str, Any]
    ) -> httpx2.Response:
        token = await self._token()
        answer = await self._client.request(method, path, headers=headers | _bearer(token), **rest)
        if answer.status_code == UNAUTHENTICATED and self._tokens is not None and token is not None:
            token = await self._tokens.renewed(self._client, token)
            answer = await self._client.request(method, path, headers=headers | _bearer(token), **rest)
        return answer


def _if_match(tag: str | None) -> dict[str, str]:
    return {} if tag is None else {"If-Match": tag}


def _bearer(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}
