"""Why a request did not get its answer."""


class EgressFault(Exception):
    """`code` is a cause of contracts/causes; `sent` says whether the other side may have got the request."""

    def __init__(self, code: str, detail: str, *, host: str, port: int, sent: bool = False) -> None:
        super().__init__(f"{code} ({host}:{port}): {detail}")
        self.code, self.detail, self.host, self.port, self.sent = code, detail, host, port, sent
