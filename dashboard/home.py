"""The home page: what is on its way, and what needs the owner."""

from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from dashboard import cards, needing
from dashboard.pages import Live, again, for_staff, live, may_see
from dashboard.templatetags.times import ago
from downloads import services
from smsbot import threads

MOST_FILMS = 24
MOST_READY = 6


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Fill the admin's index page: the setting DASHBOARD_CALLBACK leads here."""
    now = timezone.now()
    context["title"] = "Home"
    context["needs"] = _needs(request, now)
    if may_see(request, "downloads.download"):
        context["films"] = _films(request, now)
        context["active"] = services.on_their_way().count()
        ready = services.find_downloads(status="completed")[:MOST_READY]
        context["ready"] = cards.cards(services.going(ready), now)
    if may_see(request, "downloads.monitorstate"):
        context["monitor"] = _monitor(now)
    if may_see(request, "smsbot.outboundmessage"):
        midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
        context["came"], context["went"] = threads.count_since(midnight)
    context["sees_nothing"] = not {"films", "went", "monitor"} & context.keys()
    return context


@for_staff(sees=("downloads.download",))
def films(request: HttpRequest) -> HttpResponse:
    """Return what is on its way, for the page to show again."""
    return again(request, _films(request, timezone.now()))


@for_staff()
def needs(request: HttpRequest) -> HttpResponse:
    """Return what needs the owner, for the page to show again."""
    return again(request, _needs(request, timezone.now()))


def _films(request: HttpRequest, now: datetime) -> Live:
    active = services.on_their_way()
    shown = cards.cards(services.going(active[:MOST_FILMS]), now)
    total = active.count() if len(shown) == MOST_FILMS else len(shown)
    return live(
        request,
        "home_films",
        reverse("dashboard:home-films"),
        every=4,
        films=sorted(shown, key=lambda card: card.percent is None),
        more_films=total - len(shown),
        all_films=reverse("admin:downloads_download_changelist") + "?show=active",
    )


def _needs(request: HttpRequest, now: datetime) -> Live:
    return live(
        request,
        "home_needs",
        reverse("dashboard:home-needs"),
        every=15,
        needs=needing.needs(request, now),
        home=reverse("admin:index"),
    )


def _monitor(now: datetime) -> dict[str, Any]:
    """Return whether downloads are followed: a word, a sentence, and whether that is well."""
    state = services.monitor_status(now)
    seen = state["last_heartbeat"]
    if not state["alive"]:
        note = f"last seen {ago(datetime.fromisoformat(seen))}" if seen else "never seen"
        return {"word": "silent", "note": note, "well": False}
    if state["wanted"] == "stopped":
        return {"word": "stopped", "note": "somebody stopped it", "well": False}
    if state["error"]:
        return {"word": "in trouble", "note": state["error"], "well": False}
    return {"word": "well", "note": "downloads are followed", "well": True}
