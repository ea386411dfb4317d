"""`http.request`: one HTTP request through the checked way out."""

from workers.executor.steps.http_request.plugin import HttpRequestPlugin

__all__ = ["HttpRequestPlugin"]
