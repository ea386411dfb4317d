"""Where access tokens come from."""

import os
from typing import Protocol

import httpx2

from cli.client.contexts import Context, Contexts, Session, session_of
from cli.client.problems import CliError, NotSignedIn, raise_problem

UNAUTHENTICATED = 401


class Tokens(Protocol):
    """Where access tokens come from."""

    async def token(self, client: httpx2.AsyncClient) -> str: ...

    async def renewed(self, client: httpx2.AsyncClient, refused: str) -> str:
        """Another token, because `refused` was; raises `NotSignedIn` when there is none."""
        ...


class StoredTokens:
    """Those of a context, refreshed without a word when they run out."""

    def __init__(self, context: Context, contexts: Contexts) -> None:
        self._context = context
        self._contexts = contexts

    async def token(self, client: httpx2.AsyncClient) -> str:
        session = self._contexts.get(self._context)
        if session is None:
            raise NotSignedIn(self._context.url, self._context.sign_in())
        return session.access_token if session.fresh() else await self._refresh(client, session.access_token)

    async def renewed(self, client: httpx2.AsyncClient, refused: str) -> str:
        return await self._refresh(client, refused)

    async def _refresh(self, client: httpx2.AsyncClient, refused: str) -> str:
        with self._contexts.locked():
            session = self._contexts.get(self._context)
            if session is None:
                raise NotSignedIn(self._context.url, self._context.sign_in())
            if session.access_token != refused and session.fresh():
                return session.access_token  # another command was faster
            fresh = await self._exchange(client, session)
            self._contexts.replace(self._context, fresh)
        return fresh.access_token

    async def _exchange(self, client: httpx2.AsyncClient, session: Session) -> Session:
        answer = await client.post("/api/refresh", json={"refresh_token": session.refresh_token})
        if answer.status_code == UNAUTHENTICATED:
            raise NotSignedIn(self._context.url, self._context.sign_in(), "Your session has ended")
        raise_problem(answer)
        return session_of(session.username, answer.json())


class GivenToken:
    """The one in `OPS_TOKEN`: used as it is."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def token(self, _client: httpx2.AsyncClient) -> str:
        return self._token

    async def renewed(self, client: httpx2.AsyncClient, refused: str) -> str:
        raise CliError(
            f"The token in OPS_TOKEN is not accepted at {str(client.base_url).rstrip('/')}.",
            hints=("Is it of this server, and not over? Without OPS_TOKEN your own session is used.",),
        )


def tokens_for(context: Context, contexts: Contexts) -> Tokens:
    """`OPS_TOKEN` when it is set, else the session of the context."""
    given = os.environ.get("OPS_TOKEN", "").strip()
    return GivenToken(given) if given else StoredTokens(context, contexts)
