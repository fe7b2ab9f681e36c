"""One film's course, from the text that asked for it to the text that it is ready."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dashboard import cards
from downloads import services
from smsbot.threads import Text

_ICONS = {
    "started": "download",
    "importing": "inventory_2",
    "completed": "check_circle",
    "failed": "error",
    "cancelled": "cancel",
    "stuck": "warning",
    "nothing_found": "search_off",
    "waiting": "event",
    "searching": "search",
    "requested": "replay",
}
_THROUGH = {"api": "through the API", "retry": "again, by a retry"}


@dataclass(frozen=True)
class Moment:
    """One thing that happened. `who` is whose text or ask it was."""

    at: datetime
    icon: str
    title: str
    detail: str = ""
    who: cards.Person | None = None
    bad: bool = False
    quote: bool = False


def of(requests: Iterable[Any], texts: Iterable[Text], events: Iterable[Any]) -> list[Moment]:
    """Return what happened, oldest first: asks, texts in and out, and what Radarr did."""
    asked = list(requests)
    people = cards.people(request.requester for request in asked)
    by_id = {request.pk: people[request.requester] for request in asked}
    by_sid = {request.origin.partition(":")[0]: people[request.requester] for request in asked}
    heard = {text.origin for text in texts if not text.ours}
    moments = [
        *(_asked(r, people[r.requester]) for r in asked if r.origin.partition(":")[0] not in heard),
        *(
            _text(text, by_id.get(text.request_id or 0) or by_sid.get(text.origin))
            for text in texts
        ),
        *map(_event, events),
    ]
    return sorted(moments, key=lambda moment: moment.at)


def _asked(request: Any, who: cards.Person) -> Moment:
    icon = "person_raised_hand"
    if request.origin.startswith(f"{services.API_ORIGIN}page:"):
        title = f"Asked for on behalf of {who.name}, on the owner's page"
        return Moment(request.created_at, icon, title)
    through = _THROUGH.get(request.origin.partition(":")[0], "by text")
    return Moment(request.created_at, icon, f"asked for it {through}", who=who)


def _text(text: Text, who: cards.Person | None) -> Moment:
    if not text.ours:
        return Moment(text.at, "call_received", "texted", text.text, who, quote=True)
    title = f"was texted ({text.words})"
    bad = bool(text.failure)
    return Moment(text.at, "call_made", title, text.text, who, bad, quote=True)


def _event(event: Any) -> Moment:
    icon = _ICONS.get(event.kind, "radio_button_checked")
    reason = services.in_words(event.reason)
    bad = event.kind in ("failed", "stuck", "nothing_found")
    return Moment(event.created_at, icon, services.kind_in_words(event), reason, bad=bad)
