"""What the stand-ins' views share: the lock, the fault switches, reading and refusing."""

import json
from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed

from sandbox.state import Sandbox, Service, current

Json = dict[str, Any]
P = ParamSpec("P")
WorldView = Callable[Concatenate[HttpRequest, Sandbox, P], HttpResponse]
View = Callable[Concatenate[HttpRequest, P], HttpResponse]


class Stop(Exception):
    """Raised inside a view to answer `response` at once."""

    def __init__(self, response: HttpResponse) -> None:
        super().__init__(response.status_code)
        self.response = response


def world(view: WorldView[P]) -> View[P]:
    """Give the view the sandbox's world, brought up to date, alone with it for its duration."""

    @wraps(view)
    def alone(request: HttpRequest, /, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        box = current()
        with box.lock:
            box.advance()
            try:
                return view(request, box, *args, **kwargs)
            except Stop as stop:
                return stop.response

    return alone


def stand_in(
    name: Service,
    unavailable: Callable[[], HttpResponse],
    refuse: Callable[[HttpRequest, Sandbox], HttpResponse | None],
) -> Callable[[WorldView[P]], View[P]]:
    """Make views speak for the service `name`.

    They answer `unavailable()` while it is switched off, and what `refuse` answers to callers
    that it does not let in.
    """

    def decorate(view: WorldView[P]) -> View[P]:
        @wraps(view)
        def guarded(
            request: HttpRequest, box: Sandbox, /, *args: P.args, **kwargs: P.kwargs
        ) -> HttpResponse:
            if name in box.down:
                return unavailable()
            return refuse(request, box) or view(request, box, *args, **kwargs)

        return world(guarded)

    return decorate


def by_method(**views: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """One view out of a view for each HTTP method."""

    def dispatch(request: HttpRequest, **kwargs: object) -> HttpResponse:
        view = views.get(request.method or "")
        return view(request, **kwargs) if view else HttpResponseNotAllowed(sorted(views))

    return dispatch


def json_body(request: HttpRequest, otherwise: Callable[[], HttpResponse]) -> Json:
    """The JSON object in the request; stops with `otherwise()` when there is none."""
    try:
        body = json.loads(request.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        raise Stop(otherwise())
    return body


def number(text: str | None, default: int) -> int:
    """The whole number that `text` writes, else `default`."""
    try:
        return int(text or "")
    except ValueError:
        return default
