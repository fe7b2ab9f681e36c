"""Keeps other web sites' pages from using the sandbox through the visitor's browser."""

import ipaddress
from collections.abc import Callable
from urllib.parse import urlsplit

from django.http import HttpRequest, HttpResponse, HttpResponseForbidden

from sandbox.state import current

POLICY = (
    "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "img-src 'self' data:; object-src 'none'"
)


def is_local_name(host: str, own: str) -> bool:
    """Whether a Host header names this server and cannot be a name rebound to its address.

    That holds for "localhost", for plain addresses, and for the name it was told to bind.
    """
    name = urlsplit(f"//{host}").hostname or ""
    if name in {"localhost", own.casefold()} or name.endswith(".localhost"):
        return True
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_cross_origin(request: HttpRequest) -> bool:
    """Whether a browser says that the request comes from another site's page."""
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.headers.get("Host"):
        return True
    return request.headers.get("Sec-Fetch-Site", "none") not in {"same-origin", "none"}


class Guard:
    """Middleware: refuses foreign hosts always, and cross-origin requests that change anything."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        host = request.headers.get("Host", "")
        changes = request.method not in {"GET", "HEAD", "OPTIONS"}
        if not is_local_name(host, current().config.host):
            return HttpResponseForbidden("This host name is not the sandbox's.")
        if changes and is_cross_origin(request):
            return HttpResponseForbidden("The sandbox takes no requests from other sites.")
        response = self.get_response(request)
        response["Content-Security-Policy"] = POLICY
        response["X-Content-Type-Options"] = "nosniff"
        response["Referrer-Policy"] = "no-referrer"
        return response
