"""What a WinRM host offers somebody who has not logged in: no attempt is counted."""

import http.client

from workers.executor.steps.winrm.endpoint import Endpoint, Limits
from workers.executor.steps.winrm.proxies import address_of
from workers.executor.steps.winrm.tls import client_context
from workers.executor.steps.winrm.transport import SCHEME


def ask_without_login(endpoint: Endpoint, limits: Limits) -> tuple[int, list[str]]:
    """Status and login schemes of the answer; blocks. Raises OSError and HTTPException."""
    settings = endpoint.settings
    proxied = settings.proxy is not None
    host, port = address_of(settings.proxy) if settings.proxy else (endpoint.host, endpoint.port)
    connection: http.client.HTTPConnection
    if settings.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, port, timeout=limits.handshake, context=client_context(settings)
        )
        if proxied:
            connection.set_tunnel(endpoint.host, endpoint.port)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=limits.handshake)
    path = endpoint.url if proxied and settings.scheme == "http" else settings.path
    try:
        connection.request("POST", path, headers={"Content-Type": "application/soap+xml;charset=UTF-8"})
        answer = connection.getresponse()
        header = ", ".join(answer.headers.get_all("WWW-Authenticate") or ())
        return answer.status, list(dict.fromkeys(SCHEME.findall(header)))
    finally:
        connection.close()
