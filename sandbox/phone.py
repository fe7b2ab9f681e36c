"""The phone page, and the JSON that it and the tests steer the sandbox with."""

from datetime import datetime
from pathlib import Path

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.urls import path

from sandbox.config import E164
from sandbox.exchange import LONGEST_BODY, Message, is_message_sid
from sandbox.http import Json, Stop, by_method, json_body, world
from sandbox.library import Entry
from sandbox.simulation import Outcome
from sandbox.state import Sandbox, Service

# Numbers of the range that is kept for fiction: valid in form, nobody's in fact.
PEOPLE = {"Sam": "+12025550142", "Alex": "+12025550175", "Kim": "+12025550119"}
ASSETS = {"phone.css": "text/css", "phone.js": "text/javascript", "icon.svg": "image/svg+xml"}
STATIC = Path(__file__).with_name("static")


def spaced(number: str) -> str:
    """A number as people write it: North American ones in groups, others as they are."""
    if len(number) == 12 and number.startswith("+1"):
        return f"+1 {number[2:5]} {number[5:8]} {number[8:]}"
    return number


def problem(sentence: str) -> HttpResponse:
    """The answer to a request of the page or of a test that makes no sense."""
    return JsonResponse({"detail": sentence}, status=400)


def _body(request: HttpRequest) -> Json:
    return json_body(request, lambda: problem("The body must be a JSON object."))


@world
def page(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET /: the phone."""
    people = [
        {"name": name, "number": number, "spaced": spaced(number)}
        for name, number in PEOPLE.items()
    ]
    return render(
        request,
        "phone.html",
        {
            "people": people,
            "number": spaced(box.config.phone_number),
            "app_url": box.config.app_url,
            "services": ("Radarr", "TMDB", "OpenAI", "Twilio"),
        },
    )


def asset(request: HttpRequest, name: str) -> HttpResponse:
    """GET /static/{name}: the page's style, script and icon."""
    if name not in ASSETS:
        return HttpResponse(status=404)
    return HttpResponse((STATIC / name).read_bytes(), content_type=f"{ASSETS[name]}; charset=utf-8")


@world
def state(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET /sandbox/state: the messages of each phone, the films, the switches."""
    now = box.clock()
    conversations: dict[str, list[Json]] = {number: [] for number in PEOPLE.values()}
    for message in box.exchange.messages:
        conversations.setdefault(message.person, []).append(_message(message, now))
    films = reversed(box.library.entries.values())
    outbox = box.outbox
    return JsonResponse(
        {
            "now": now.isoformat(),
            "phone_number": box.config.phone_number,
            "app_url": box.config.app_url,
            "step": box.config.step,
            "people": PEOPLE,
            "conversations": conversations,
            "opted_out": sorted(box.exchange.opted_out),
            "films": [_film(entry, now) for entry in films],
            "next": box.library.next_outcome,
            "faults": {service: service in box.down for service in Service},
            "posts": {"delivered": outbox.delivered, "failed": outbox.failed},
        }
    )


def _message(message: Message, now: datetime) -> Json:
    """A message in Twilio's directions: "inbound" is what the phone sent."""
    return {
        "sid": message.sid,
        "direction": "inbound" if message.inbound else "outbound-api",
        "body": message.body,
        "at": message.created.isoformat(),
        "status": message.status(now),
        "handed_over": message.handed_over,
    }


def _film(entry: Entry, now: datetime) -> Json:
    progress = entry.grab.progress(now) if entry.grab else None
    end = progress.complete_at if progress else None
    return {
        "id": entry.id,
        "tmdb_id": entry.film.tmdb_id,
        "title": entry.film.title,
        "year": entry.film.year or None,
        "phase": progress.phase if progress else _idle(entry, now),
        "percent": round(progress.fraction * 100) if progress else 0,
        "eta_seconds": max(round((end - now).total_seconds()), 0) if end else None,
        "size": entry.grab.size if entry.grab else None,
        "available_from": entry.waits_for and entry.waits_for.date().isoformat(),
    }


def _idle(entry: Entry, now: datetime) -> str:
    """What is said of a film without a download."""
    if not entry.monitored:
        return "not monitored"
    return "wanted" if entry.is_available(now) else "not released"


@world
def text(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """POST /sandbox/text {from, body, sid?}: a phone sends a text; 202 and its SID."""
    body = _body(request)
    sender, words, sid = body.get("from"), body.get("body"), body.get("sid") or ""
    if not isinstance(sender, str) or not E164.fullmatch(sender):
        return problem("`from` must be a phone number such as +12025550142.")
    if not isinstance(words, str) or not 0 < len(words) <= LONGEST_BODY:
        return problem(f"`body` must be a text of at most {LONGEST_BODY} characters.")
    if sid and not (isinstance(sid, str) and is_message_sid(sid)):
        return problem("`sid` must be SM and 32 hexadecimal digits.")
    return JsonResponse({"sid": box.text(sender, words, sid).sid}, status=202)


@world
def next_outcome(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """POST /sandbox/next {outcome: ok|fail|stall|block}: how the next download will end."""
    outcome = _body(request).get("outcome")
    if outcome not in list(Outcome):
        return problem(f"`outcome` must be one of {', '.join(Outcome)}.")
    box.library.next_outcome = Outcome(outcome)
    return JsonResponse({"next": outcome})


@world
def faults(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """POST /sandbox/faults {service: true|false, …}: make services unavailable, or not."""
    for name, is_down in _body(request).items():
        if name not in list(Service) or not isinstance(is_down, bool):
            raise Stop(problem(f"Give {', '.join(Service)} as true or false."))
        (box.down.add if is_down else box.down.discard)(Service(name))
    return JsonResponse({"faults": {service: service in box.down for service in Service}})


@world
def reset(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """POST /sandbox/reset: begin anew."""
    box.reset()
    return JsonResponse({})


urlpatterns = [
    path("", by_method(GET=page, HEAD=page)),
    path("static/<str:name>", by_method(GET=asset)),
    path("sandbox/state", by_method(GET=state)),
    path("sandbox/text", by_method(POST=text)),
    path("sandbox/next", by_method(POST=next_outcome)),
    path("sandbox/faults", by_method(POST=faults)),
    path("sandbox/reset", by_method(POST=reset)),
]
