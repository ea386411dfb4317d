"""WS-Management envelopes (MS-WSMV, DSP0226): reading requests, writing answers and faults."""

import base64
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import uuid4
from xml.sax.saxutils import escape, quoteattr

ENVELOPE = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
SHELL_CMD = f"{SHELL}/cmd"
FAULT_DETAIL = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
ANONYMOUS = f"{ADDRESSING}/role/anonymous"
DURATION = re.compile(r"^PT(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?$")

OPERATION_TIMED_OUT = 2150858793
ALREADY_EXISTS = 2150858803
SHELL_NOT_FOUND = 2150858843
SHELL_QUOTA = 2150859173
TOO_MANY_OPERATIONS = 2150859174
RECEIVE_IN_PROGRESS = 2150859047
OPERATION_ABORTED = 995
PIPE_ENDED = 109
NOT_SUPPORTED = 2150858752


class Fault(Exception):
    """Answered as a SOAP fault with HTTP status 500; `code` is the WSManFault code."""

    def __init__(self, code: int, reason: str, *, subcode: str = "w:InternalError") -> None:
        self.code = code
        self.reason = reason
        self.subcode = subcode
        super().__init__(reason)


class NotSoap(Exception):
    """The body is no WS-Management envelope."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What a request asks for. `timeout` in seconds, `max_envelope` in bytes."""

    action: str
    message_id: str
    resource: str
    shell_id: str | None
    timeout: float
    max_envelope: int
    body: ET.Element


def seconds(duration: str | None, default: float) -> float:
    """An xs:duration of hours, minutes and seconds."""
    match = DURATION.match(duration or "")
    if match is None:
        return default
    hours, minutes, rest = match.groups()
    return int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(rest or 0)


def parse(message: bytes) -> Envelope:
    """Raises NotSoap for anything that is no envelope with an action."""
    try:
        root = ET.fromstring(message)  # noqa: S314  (loopback only, and nothing to lose but the simulation)
    except ET.ParseError as error:
        raise NotSoap(str(error)) from error
    header, body = root.find(f"{{{ENVELOPE}}}Header"), root.find(f"{{{ENVELOPE}}}Body")
    action = root.findtext(f".//{{{ADDRESSING}}}Action")
    if header is None or body is None or not action:
        raise NotSoap("no header, body or action")
    selectors = {node.get("Name"): node.text for node in header.iter(f"{{{WSMAN}}}Selector")}
    return Envelope(
        action=action,
        message_id=header.findtext(f"{{{ADDRESSING}}}MessageID", ""),
        resource=header.findtext(f"{{{WSMAN}}}ResourceURI", ""),
        shell_id=selectors.get("ShellId"),
        timeout=seconds(header.findtext(f"{{{WSMAN}}}OperationTimeout"), 60.0),
        max_envelope=int(header.findtext(f"{{{WSMAN}}}MaxEnvelopeSize", "153600")),
        body=body,
    )


def _envelope(action: str, relates_to: str, body: str) -> bytes:
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{ENVELOPE}" xmlns:a="{ADDRESSING}" xmlns:w="{WSMAN}" '
        f'xmlns:x="{TRANSFER}" xmlns:rsp="{SHELL}"><s:Header><a:Action>{action}</a:Action>'
        f"<a:MessageID>uuid:{str(uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To>"
        f"<a:RelatesTo>{escape(relates_to)}</a:RelatesTo></s:Header><s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def created(request: Envelope, shell_id: str, owner: str, idle_timeout: float) -> bytes:
    return _envelope(
        f"{TRANSFER}/CreateResponse",
        request.message_id,
        f"<x:ResourceCreated><a:Address>{ANONYMOUS}</a:Address><a:ReferenceParameters>"
        f"<w:ResourceURI>{SHELL_CMD}</w:ResourceURI><w:SelectorSet>"
        f'<w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell_id}</rsp:ShellId>"
        f"<rsp:ResourceUri>{SHELL_CMD}</rsp:ResourceUri><rsp:Owner>{escape(owner)}</rsp:Owner>"
        f"<rsp:ClientIP>127.0.0.1</rsp:ClientIP><rsp:IdleTimeOut>PT{idle_timeout:.3f}S</rsp:IdleTimeOut>"
        "<rsp:InputStreams>stdin</rsp:InputStreams><rsp:OutputStreams>stdout stderr</rsp:OutputStreams>"
        "</rsp:Shell>",
    )


def deleted(request: Envelope) -> bytes:
    return _envelope(f"{TRANSFER}/DeleteResponse", request.message_id, "")


def command_started(request: Envelope, command_id: str) -> bytes:
    body = f"<rsp:CommandResponse><rsp:CommandId>{command_id}</rsp:CommandId></rsp:CommandResponse>"
    return _envelope(f"{SHELL}/CommandResponse", request.message_id, body)


def sent(request: Envelope) -> bytes:
    return _envelope(f"{SHELL}/SendResponse", request.message_id, "<rsp:SendResponse/>")


def signalled(request: Envelope) -> bytes:
    return _envelope(f"{SHELL}/SignalResponse", request.message_id, "<rsp:SignalResponse/>")


def received(
    request: Envelope, command_id: str, frames: Iterable[tuple[str, bytes]], exit_code: int | None
) -> bytes:
    """`exit_code` None while the command runs; given, both streams end and the state is Done."""
    name = quoteattr(command_id)
    parts = [
        f'<rsp:Stream Name="{stream}" CommandId={name}>{base64.b64encode(data).decode()}</rsp:Stream>'
        for stream, data in frames
    ]
    if exit_code is None:
        parts.append(f'<rsp:CommandState CommandId={name} State="{SHELL}/CommandState/Running"/>')
    else:
        parts += [
            f'<rsp:Stream Name="{stream}" CommandId={name} End="true"/>' for stream in ("stdout", "stderr")
        ]
        parts.append(
            f'<rsp:CommandState CommandId={name} State="{SHELL}/CommandState/Done">'
            f"<rsp:ExitCode>{exit_code & 0xFFFFFFFF}</rsp:ExitCode></rsp:CommandState>"
        )
    body = f"<rsp:ReceiveResponse>{''.join(parts)}</rsp:ReceiveResponse>"
    return _envelope(f"{SHELL}/ReceiveResponse", request.message_id, body)


def fault(request: Envelope, problem: Fault) -> bytes:
    return _envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        request.message_id,
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{problem.subcode}</s:Value>"
        f'</s:Subcode></s:Code><s:Reason><s:Text xml:lang="en-US">{escape(problem.reason)}</s:Text>'
        "</s:Reason>"
        f'<s:Detail><f:WSManFault xmlns:f="{FAULT_DETAIL}" Code="{problem.code}" Machine="SIMULATED-WIN">'
        f"<f:Message>{escape(problem.reason)}</f:Message></f:WSManFault></s:Detail></s:Fault>",
    )
