"""A short way to the views that machines call, past the middleware of the pages."""

from collections.abc import Callable
from typing import TypeVar, cast

from django.core.handlers.exception import convert_exception_to_response
from django.http import HttpRequest, HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.urls import Resolver404, ResolverMatch, resolve
from django.views.decorators.csrf import csrf_exempt

View = TypeVar("View", bound=Callable[..., HttpResponseBase])


def for_machines(view: View) -> View:
    """Mark a view that needs no session, no user and no cookie, and whose answer is no page."""
    view.is_for_machines = True  # type: ignore[attr-defined]
    return csrf_exempt(view)


class MachinesFirst:
    """Answers by such a view at once: what the pages need would be a third of the work.

    The Host is checked and the length told as for every request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._pages = get_response
        self._common = CommonMiddleware(convert_exception_to_response(_answer))

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        try:
            match = resolve(request.path_info)
        except Resolver404:
            return self._pages(request)
        if not getattr(match.func, "is_for_machines", False):
            return self._pages(request)
        request.resolver_match = match
        return cast(HttpResponseBase, self._common(request))


def _answer(request: HttpRequest) -> HttpResponseBase:
    match = cast(ResolverMatch, request.resolver_match)
    return cast(HttpResponseBase, match.func(request, *match.args, **match.kwargs))
