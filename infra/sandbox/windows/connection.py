"""One client's connection: log in, open sealed bodies, answer, and misbehave when a test asks for it."""

import asyncio
import base64
import binascii
import hmac
import ssl
from http import HTTPStatus
from typing import TYPE_CHECKING

from infra.clock import now
from infra.sandbox.windows import credssp, http, sealing, soap, wsman
from infra.sandbox.windows.credssp import CredsspLogin
from infra.sandbox.windows.faults import Plain
from infra.sandbox.windows.ntlm import Challenge, NtlmRefused, Sealing

if TYPE_CHECKING:
    from infra.sandbox.windows.host import WindowsHost

FILETIME_EPOCH = 116_444_736_000_000_000
"""100 ns between 1601 and 1970."""
MUTUAL = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
SOAP_TYPE = "application/soap+xml;charset=UTF-8"


class Connection:
    """Whoever logged in on it stays logged in until it is closed (NTLM authenticates connections)."""

    def __init__(
        self, host: "WindowsHost", reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, tls: bool
    ) -> None:
        self._host = host
        self._reader = reader
        self._writer = writer
        self._tls = tls
        self._challenge: Challenge | None = None
        self._sealing: Sealing | CredsspLogin | None = None
        self._credssp: CredsspLogin | None = None
        self._user: str | None = None
        self._basic: str | None = None

    async def serve(self) -> None:
        try:
            while (request := await http.read_request(self._reader)) is not None:
                await asyncio.sleep(self._host.knobs.delay)
                if not await self._answer(request):
                    break
        except (http.BadRequest, ValueError):
            self._writer.write(http.render(400))
        except (OSError, asyncio.IncompleteReadError):
            pass  # the client went away: what was meant for it is lost, as on a real host

    async def _answer(self, request: http.Request) -> bool:
        """Answer one request; False when the connection is to be closed instead."""
        refusal = self._unfit(request) or self._log_in(request)
        if refusal is None and request.body:
            try:
                message = self._open(request)
            except NtlmRefused:
                refusal = http.render(400)
            else:
                if message is not None:
                    return await self._answer_message(message, sealed=self._is_sealed(request))
                refusal = http.render(500)
        return await self._write(refusal or http.render(200))

    def _unfit(self, request: http.Request) -> bytes | None:
        """What is refused whoever asks: another path, or more than MaxEnvelopeSizekb (MS-WSMV 3.1.4.1.20)."""
        if request.method != "POST" or request.path.split("?")[0] != "/wsman":
            return http.render(404)
        if 0 < self._host.knobs.envelope_bytes < len(request.body):
            return http.render(413)
        return None

    async def _answer_message(self, message: bytes, *, sealed: bool) -> bool:
        try:
            envelope = soap.parse(message)
        except soap.NotSoap:
            return await self._write(http.render(400))
        action = envelope.action.rsplit("/", 1)[-1]
        knobs = self._host.knobs
        planned = self._host.plan.take(action)
        if isinstance(planned, Plain):
            if planned.status == HTTPStatus.BAD_REQUEST:
                self._user = self._sealing = None  # HTTP 400 in mid-session: a lost login
            return await self._write(planned.render())
        if isinstance(planned, soap.Fault):
            status, body = 500, soap.fault(envelope, planned)
        else:
            status, body = await wsman.answer(self._host, envelope, self._user or "")
        if status == HTTPStatus.OK and knobs.take(f"drop_after_{action.lower()}"):
            return self._drop()
        content_type = SOAP_TYPE
        if sealed:
            body, content_type = self._sealed(body)
        answer = http.render(status, body, (("Content-Type", content_type),))
        if status == HTTPStatus.OK and action == "Receive" and knobs.take("drop_in_receive"):
            self._writer.write(answer[: len(answer) // 2])
            await self._writer.drain()
            return self._drop()
        return await (self._drip(answer) if action == "Receive" and knobs.drip else self._write(answer))

    async def _drip(self, answer: bytes) -> bool:
        pieces = 8
        size = len(answer) // pieces + 1
        for at in range(0, len(answer), size):
            await self._write(answer[at : at + size])
            await asyncio.sleep(self._host.knobs.drip)
        return True

    def _drop(self) -> bool:
        self._writer.transport.abort()
        return False

    async def _write(self, answer: bytes) -> bool:
        self._writer.write(answer)
        await self._writer.drain()
        return True

    # -- logging in

    def _log_in(self, request: http.Request) -> bytes | None:
        """None when the request may go on, otherwise the refusal to send."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() in {"negotiate", "ntlm"} and "Negotiate" in self._schemes:
            return self._ntlm(scheme, token)
        if scheme.lower() == "credssp" and "CredSSP" in self._schemes:
            return self._check_credssp(token)
        if scheme.lower() == "basic" and "Basic" in self._schemes:
            return self._check_basic(token)
        if request.headers.get("authorization", "") == MUTUAL:
            return self._check_certificate()
        return None if self._user is not None else self._unauthorized()

    @property
    def _schemes(self) -> tuple[str, ...]:
        """Basic only under TLS: WinRM does not take passwords in the clear (AllowUnencrypted=false)."""
        clear = self._tls or self._host.knobs.unencrypted_allowed
        return tuple(scheme for scheme in self._host.schemes if clear or scheme != "Basic")

    def _unauthorized(self, *values: str) -> bytes:
        self._user = None
        return http.render(
            401, headers=tuple(("WWW-Authenticate", value) for value in values or self._schemes)
        )

    def _check_basic(self, token: str) -> bytes | None:
        if token == self._basic:
            return None
        try:
            user, _, password = base64.b64decode(token, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return self._unauthorized()
        right = self._is_user(user) and hmac.compare_digest(password.encode(), self._host.password.encode())
        self._host.logins.append(("basic", user, right))
        if not right:
            return self._unauthorized()
        self._user, self._basic = user, token
        return None

    def _check_certificate(self) -> bytes | None:
        """MS-WSMV 2.2.1: the TLS layer has proven it, the header only says that it is meant as the login."""
        tls = self._writer.get_extra_info("ssl_object")
        shown = tls.getpeercert(binary_form=True) if tls is not None else None
        known = self._host.client_certificate
        right = bool(shown and known and shown == ssl.PEM_cert_to_DER_cert(known))
        self._host.logins.append(("certificate", self._host.username, right))
        if not right:
            return self._unauthorized()
        self._user = self._host.username
        return None

    def _check_credssp(self, token: str) -> bytes | None:
        acceptor = self._host.credssp
        if acceptor is None:
            return self._unauthorized()
        if self._credssp is None or self._credssp.complete:
            self._credssp = CredsspLogin(acceptor)
        login = self._credssp
        try:
            answer = login.step(base64.b64decode(token))
        except (NtlmRefused, binascii.Error):
            answer = b""
        if not login.complete and answer:
            return self._unauthorized(f"CredSSP {base64.b64encode(answer).decode()}")
        self._credssp = None
        self._host.logins.append(("credssp", self._host.username, login.complete))
        if not login.complete:
            return self._unauthorized()
        self._user, self._sealing = login.user, login
        return None

    def _is_user(self, name: str) -> bool:
        return name.rsplit("\\", 1)[-1].casefold() == self._host.username.casefold()

    def _ntlm(self, scheme: str, token: str) -> bytes | None:
        self._sealing = None
        try:
            message = base64.b64decode(token, validate=True)
            if self._challenge is None:
                filetime = int(now().timestamp() * 10_000_000) + FILETIME_EPOCH
                self._challenge = Challenge(message, computer=self._host.computer_name, filetime=filetime)
                return self._unauthorized(f"{scheme} {base64.b64encode(self._challenge.message).decode()}")
            accepted, self._challenge = self._challenge, None
            who = accepted.check(message, username=self._host.username, password=self._host.password)
        except (NtlmRefused, binascii.Error, UnicodeDecodeError):
            self._challenge = None
            self._host.logins.append(("ntlm", self._host.username, False))
            return self._unauthorized()
        self._host.logins.append(("ntlm", who.user, True))
        self._user, self._sealing = who.user, Sealing(who.session_key)
        return None

    # -- sealed bodies

    def _sealed(self, body: bytes) -> tuple[bytes, str]:
        """The body and its content type, sealed where this connection's login can."""
        if isinstance(self._sealing, CredsspLogin):
            return self._sealing.wrap(body), credssp.CONTENT_TYPE
        if self._sealing is not None:
            return sealing.wrap(body, self._sealing), sealing.CONTENT_TYPE
        return body, SOAP_TYPE

    def _is_sealed(self, request: http.Request) -> bool:
        return sealing.is_sealed(request.headers.get("content-type", ""))

    def _open(self, request: http.Request) -> bytes | None:
        """The envelope in the clear; None when it came in the clear over http, which is refused."""
        if self._is_sealed(request):
            if self._sealing is None:
                raise NtlmRefused("sealed, but nobody has logged in with NTLM on this connection")
            self._host.sealed_messages += 1
            if isinstance(self._sealing, CredsspLogin):
                return self._sealing.unwrap(request.body)
            return sealing.unwrap(request.body, self._sealing)
        return request.body if self._tls or self._host.knobs.unencrypted_allowed else None
