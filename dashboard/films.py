"""Films: search and ask on somebody's behalf, and one film's page from the first text to ready."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.module_loading import import_string
from django.views.decorators.http import require_POST

from dashboard import cards, timeline
from dashboard.needing import Press, press
from dashboard.pages import Live, again, for_staff, live, may_act, may_see, show
from downloads import services
from smsbot import threads
from smsbot.models import Contact

FILMS = ("downloads.download",)
PAGE_SIZE = 24

_REFUSALS = {
    "not_allowed": "may not ask for films. Let them in first.",
    "opted_out": "has texted STOP and would not hear of it.",
}
_OUTCOMES = {
    services.Outcome.ADDED: "is on its way for {who}, who is told.",
    services.Outcome.SAVED: "is saved for {who}: Radarr could not be reached and is tried again.",
    services.Outcome.JOINED: "was on its way already; {who} is told too.",
    services.Outcome.AVAILABLE: "is there already; {who} is told.",
    services.Outcome.REFUSED: "was refused by Radarr; {who} is told why.",
    services.Outcome.PENDING: "waits for an approval.",
}


@for_staff(sees=FILMS)
def search(request: HttpRequest) -> HttpResponse:
    """Show the films asked for; `q` looks for others on TMDB, to be asked for."""
    wanted = request.GET.get("q", "").strip()[:200]
    context: dict[str, Any] = {"wanted": wanted, "may_ask": may_act(request, FILMS[0])}
    if wanted:
        context |= _found(wanted)
        context |= {"people": _askers(), "chosen": request.GET.get("for", "")}
        context["key"] = uuid.uuid4().hex
    else:
        latest = Paginator(services.find_downloads(), PAGE_SIZE)
        page = latest.get_page(request.GET.get("page"))
        ids = [film.pk for film in page.object_list]
        rows = services.going(services.find_downloads().filter(pk__in=ids))
        context |= {"page": page, "films": cards.cards(rows, timezone.now())}
    return show(request, "films", "Films", **context)


@for_staff(sees=FILMS)
def one(request: HttpRequest, tmdb_id: int) -> HttpResponse:
    """Show one film: how it stands, what can be done, and its course."""
    film = _film(request, tmdb_id)
    return show(request, "film", services.download(tmdb_id).name, film=film)


@for_staff(sees=FILMS)
def now(request: HttpRequest, tmdb_id: int) -> HttpResponse:
    """Return how a film stands now, for its page to show again."""
    return again(request, _film(request, tmdb_id))


@for_staff(acts=FILMS)
@require_POST
def ask(request: HttpRequest, tmdb_id: int) -> HttpResponse:
    """Ask for a film on somebody's behalf; the page's `key` makes a second click no second ask."""
    contact = Contact.objects.filter(pk=_number(request.POST.get("contact", ""))).first()
    back = f"{reverse('dashboard:films')}?q=tmdb:{tmdb_id}"
    if contact is None:
        messages.error(request, "Choose who it is for.")
        return HttpResponseRedirect(back)
    refusal = import_string(settings.DOWNLOADS_REQUESTER_POLICY)(contact.address)
    if refusal is not None:
        messages.error(request, f"{contact} {_REFUSALS.get(refusal, 'may not ask for films.')}")
        return HttpResponseRedirect(back)
    origin = f"{services.API_ORIGIN}page:{request.POST.get('key', '')[:40]}:{tmdb_id}"
    try:
        taken = _request(tmdb_id, contact, origin)
    except (services.ServiceError, services.UnknownFilm) as error:
        messages.error(request, f"Nothing was asked for: {error}.")
        return HttpResponseRedirect(back)
    words = _OUTCOMES[taken.outcome].format(who=contact)
    # The second click of one page finds its own ask: that is no news.
    if not taken.created and not _is_ours(taken, origin):
        words = f"was asked for already by {contact}."
    messages.success(request, f"{taken.download.name} {words}")
    return HttpResponseRedirect(reverse("dashboard:film", args=[tmdb_id]))


def _request(tmdb_id: int, contact: Contact, origin: str) -> services.Taken:
    match = services.film(tmdb_id)
    taken = services.request_movie(match, contact.address, origin=origin, now=timezone.now())
    import_string(settings.DOWNLOADS_ON_EVENTS)()
    return taken


def _is_ours(taken: services.Taken, origin: str) -> bool:
    asks = services.requests_for(taken.download)
    return any(ask.pk == taken.request_id and ask.origin == origin for ask in asks)


def _found(wanted: str) -> dict[str, Any]:
    """Return the films that `wanted` may mean, and which of them somebody has asked for."""
    try:
        matches = services.resolve(wanted).matches
    except services.ServiceError as error:
        return {"error": str(error), "results": []}
    ids = [match.tmdb_id for match in matches]
    known = {film.tmdb_id: film for film in services.find_downloads().filter(tmdb_id__in=ids)}
    return {
        "results": [
            {"match": m, "poster": cards.poster(m), "download": known.get(m.tmdb_id)}
            for m in matches
        ]
    }


def _askers() -> list[Contact]:
    """Return the people a film can be asked for."""
    policy = import_string(settings.DOWNLOADS_REQUESTER_POLICY)
    return [person for person in Contact.objects.all()[:500] if policy(person.address) is None]


def _film(request: HttpRequest, tmdb_id: int) -> Live:
    rows = services.going(services.find_downloads().filter(tmdb_id=tmdb_id))
    if not rows:
        raise Http404(f"nobody has asked for {tmdb_id}")
    download = rows[0].download
    return live(
        request,
        "film_now",
        reverse("dashboard:film-now", args=[tmdb_id]),
        every=4,
        card=cards.cards(rows, timezone.now())[0],
        download=download,
        presses=_presses(request, download),
        moments=_moments(request, download),
        here=reverse("dashboard:film", args=[tmdb_id]),
    )


def _moments(request: HttpRequest, download: Any) -> list[timeline.Moment]:
    requests = services.requests_for(download)
    texts = []
    if may_see(request, "smsbot.outboundmessage") and may_see(request, "smsbot.inboundmessage"):
        texts = threads.texts_about([r.pk for r in requests], [r.origin for r in requests])
    return timeline.of(requests, texts, services.events_of(download))


def _presses(request: HttpRequest, download: Any) -> list[Press]:
    """Return the buttons that would do something to the film as it stands."""
    if download.status == "completed":
        return []
    return press(request, download.pk, "retry", *(["cancel"] if download.is_active else []))


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and len(text) < 10 else 0
