"""The setup page: one card per service, each checked off the page load and again when asked."""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from django.core.cache import cache
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST

from dashboard.pages import for_staff, may_act, piece, show
from downloads import services
from moviesms import diagnosis
from moviesms.connected import CannotConnect, Change, Connected
from smsbot import connecting

DEADLINE = 20.0
"""Seconds of one card; no check is begun after it."""

KEPT_FOR = 300
"""Seconds that a card's findings are shown again without asking: some checks cost money."""

SEES = ("downloads.monitorstate",)


@dataclass(frozen=True)
class Service:
    """One card: its group of checks, and what the service is for."""

    group: str
    title: str
    icon: str
    purpose: str


SERVICES = (
    Service("twilio", "Twilio", "sms", "Brings your family's texts, and takes ours."),
    Service("radarr", "Radarr", "movie", "Finds films, downloads and files them."),
    Service("tmdb", "TMDB", "travel_explore", "Knows which film is meant."),
    Service("openai", "Language model", "psychology", "Reads what people write."),
    Service("redis", "Redis", "bolt", "Makes things quick; nothing is lost without it."),
    Service("monitor", "Monitor", "monitor_heart", "Follows downloads, and says how far they are."),
    Service("request", "Database", "database", "Keeps every text and request."),
    Service("settings", "Settings", "tune", "What .env says, as a whole."),
)


CONNECTS: dict[str, Callable[[], Connected]] = {
    "radarr": services.connect_radarr,
    "twilio": connecting.connect_twilio,
}
_WORDS = {
    Change.MADE: "{} now posts to {}.",
    Change.CHANGED: "{} now posts to {}, as it must.",
    Change.UNCHANGED: "{} posts to {} already.",
}


@for_staff(sees=SEES)
def index(request: HttpRequest) -> HttpResponse:
    """Show the cards; each then asks for its findings."""
    return show(request, "setup", "Setup", services=SERVICES)


@for_staff(sees=SEES)
@require_http_methods(["GET", "POST"])
def card(request: HttpRequest, group: str) -> HttpResponse:
    """Return what the checks of one card found; POST looks anew."""
    service = next((service for service in SERVICES if service.group == group), None)
    if service is None:
        raise Http404(group)
    return _card(request, service, anew=request.method == "POST")


@for_staff(acts=SEES)
@require_POST
def connect(request: HttpRequest, group: str) -> HttpResponse:
    """Have a service post to us what we wait for, and return its card, checked anew."""
    service = next((service for service in SERVICES if service.group == group), None)
    if service is None or group not in CONNECTS:
        raise Http404(group)
    try:
        done = CONNECTS[group]()
    except CannotConnect as error:
        said, well = f"{error} {error.fix}", False
    except services.ServiceError as error:
        said, well = f"{service.title} {error}.", False
    else:
        said, well = _WORDS[done.change].format(done.service, done.address), True
    return _card(request, service, anew=True, said=said, well=well)


def _card(
    request: HttpRequest, service: Service, *, anew: bool, said: str = "", well: bool = True
) -> HttpResponse:
    key = f"dashboard:setup:{service.group}"
    found = None if anew else cache.get(key)
    if found is None:
        found = {"at": timezone.now().timestamp(), "results": _examine(service.group)}
        cache.set(key, found, KEPT_FOR)
    return piece(
        request,
        "setup_card",
        service=service,
        state=_worst(found["results"]),
        results=found["results"],
        seconds=round(time.time() - found["at"]),
        may_connect=service.group in CONNECTS and may_act(request, SEES[0]),
        said=said,
        well=well,
    )


def _examine(group: str) -> list[dict[str, Any]]:
    """Run the checks of a group until the deadline; what it cuts off is said to be cut off."""
    started, results = time.monotonic(), []
    for result in diagnosis.examine([group], quietly=False):
        results.append(asdict(result))
        if time.monotonic() - started > DEADLINE:
            late = f"the checks stopped after {DEADLINE:g} s; test_download_system runs them all"
            results.append({"state": "warning", "name": "time", "detail": late, "fix": ""})
            break
    return results


def _worst(results: Iterable[dict[str, Any]]) -> str:
    states = {result["state"] for result in results}
    return next((state for state in ("failed", "warning") if state in states), "ok")
