"""What the owner's pages share: the admin site's frame, its sign-in, permissions, and pieces."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from hashlib import sha256
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString

View = Callable[..., HttpResponse]

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="[^"]*"')


def may_see(request: HttpRequest, model: str) -> bool:
    """Whether this user may look at the rows of `app.model`."""
    app, name = model.split(".")
    return any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))


def may_act(request: HttpRequest, model: str) -> bool:
    """Whether this user may do something to the rows of `app.model`."""
    app, name = model.split(".")
    return request.user.has_perm(f"{app}.change_{name}")


def for_staff(*, sees: tuple[str, ...] = (), acts: tuple[str, ...] = ()) -> Callable[[View], View]:
    """Return a decorator: a view for signed-in staff who may see, or act on, these models."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            may = all(may_see(request, model) for model in sees)
            if not (may and all(may_act(request, model) for model in acts)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        inside = admin.site.admin_view(guarded)

        @wraps(view)
        def entry(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            if is_piece(request) and not admin.site.has_permission(request):
                # The session has ended: the sign-in must not appear inside a page.
                return HttpResponse(headers={"HX-Refresh": "true"})
            answer: HttpResponse = inside(request, *args, **kwargs)
            return answer

        return entry

    return decorate


def is_piece(request: HttpRequest) -> bool:
    """Whether htmx asks for a piece of a page that is open."""
    return request.headers.get("HX-Request") == "true"


def show(request: HttpRequest, template: str, title: str, **context: Any) -> HttpResponse:
    """Return a whole page inside the admin site's frame."""
    frame = admin.site.each_context(request)
    return TemplateResponse(
        request, f"dashboard/{template}.html", {**frame, "title": title, **context}
    )


def piece(request: HttpRequest, template: str, **context: Any) -> HttpResponse:
    """Return a piece of a page, which htmx puts in its place."""
    return TemplateResponse(request, f"dashboard/{template}.html", context)


@dataclass(frozen=True)
class Live:
    """A piece that asks for itself again every few seconds, and a mark of what it shows."""

    html: SafeString
    seen: str


def live(request: HttpRequest, template: str, address: str, every: int, **context: Any) -> Live:
    """Return a live piece; the element around it has the class `mm-live`."""
    body = render_to_string(f"dashboard/{template}.html", context, request)
    # A token is another one each time, and no news.
    seen = sha256(_TOKEN.sub("", body).encode()).hexdigest()[:16]
    asks = format_html(
        '<div hx-get="{}?seen={}" hx-trigger="every {}s" hx-target="closest .mm-live"></div>',
        address,
        seen,
        every,
    )
    return Live(asks + body, seen)


def again(request: HttpRequest, fresh: Live) -> HttpResponse:
    """Answer a live piece: itself, or nothing when the page shows the same already."""
    if request.GET.get("seen") == fresh.seen:
        return HttpResponse(status=204)
    return HttpResponse(fresh.html)
