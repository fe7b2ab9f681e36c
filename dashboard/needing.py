"""What needs the owner, each with the buttons that solve it; only what this user may see."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.http import HttpRequest
from django.urls import reverse

from dashboard import cards
from dashboard.doing import BUTTONS
from dashboard.pages import may_act, may_see
from downloads import services
from moviesms.models import Incident
from smsbot import acts, threads
from smsbot.models import Issue

MOST_OF_A_KIND = 5
LOST_FOR = timedelta(days=14)
"""How long a text that was not answered, or did not arrive, is worth a thought."""

# These are shown by the rows they are about.
_TOLD_BY_ROWS = ("issue:", "stuck:", "inbound:", "outbound:")
_SETUP_CARDS = {
    "radarr": "radarr",
    "tmdb": "tmdb",
    "twilio": "twilio",
    "openai": "openai",
    "monitor": "monitor",
}


@dataclass(frozen=True)
class Press:
    """A button of a need: an act on a row, or a link to a page."""

    title: str
    link: str
    asks_first: bool = False
    is_act: bool = True
    primary: bool = False


@dataclass(frozen=True)
class Need:
    """One thing to act on: what it is, what is known of it, and what can be done."""

    key: str
    icon: str
    title: str
    detail: str
    link: str
    at: datetime
    presses: list[Press] = field(default_factory=list)
    mend: str = ""


@dataclass(frozen=True)
class Kind:
    """Needs of one kind, and where to find those that are not shown."""

    title: str
    needs: list[Need]
    total: int
    link: str


def needs(request: HttpRequest, now: datetime) -> list[Kind]:
    """Return what needs the owner, by kind; kinds without any are left out."""
    return [kind for kind in _kinds(request, now) if kind.needs]


def _kinds(request: HttpRequest, now: datetime) -> Iterator[Kind]:
    if may_see(request, "moviesms.incident"):
        yield _incidents(request)
    if may_see(request, "smsbot.contact"):
        yield _strangers(request)
    if may_see(request, "downloads.downloadrequest"):
        yield _requests(request)
    if may_see(request, "smsbot.issue"):
        yield _issues(request)
    if may_see(request, "downloads.download"):
        yield _films(request, now)
    if may_see(request, "smsbot.inboundmessage"):
        yield _given_up(request, now)
    if may_see(request, "smsbot.outboundmessage"):
        yield _failed(request, now)


def press(request: HttpRequest, pk: int, *names: str) -> list[Press]:
    """Return the buttons `names` for the row `pk`, as far as this user may press them."""
    return [
        Press(
            BUTTONS[name].title,
            reverse("dashboard:do", args=[name, pk]),
            asks_first=bool(BUTTONS[name].question),
            primary=number == 0,
        )
        for number, name in enumerate(names)
        if may_act(request, BUTTONS[name].model)
    ]


def _kind(title: str, needs: Iterable[Need], link: str, total: int | None = None) -> Kind:
    shown = list(needs)
    count = len(shown) if total is None else total
    return Kind(title, shown[:MOST_OF_A_KIND], count, link)


def _incidents(request: HttpRequest) -> Kind:
    rows = Incident.objects.filter(closed_at=None)
    for start in _TOLD_BY_ROWS:
        rows = rows.exclude(key__startswith=start)
    return _kind(
        "Something is wrong",
        [
            Need(
                key=f"incident-{incident.pk}",
                icon="warning",
                title=incident.summary,
                detail="",
                link=reverse("admin:moviesms_incident_change", args=[incident.pk]),
                at=incident.opened_at,
                presses=_to_setup(request, incident.key),
            )
            for incident in rows[:50]
        ],
        reverse("admin:moviesms_incident_changelist") + "?closed_at__isempty=1",
    )


def _to_setup(request: HttpRequest, key: str) -> list[Press]:
    card = _SETUP_CARDS.get(key.partition(":")[0])
    if card is None or not may_see(request, "downloads.monitorstate"):
        return []
    return [Press("Check the setup", f"{reverse('dashboard:setup')}#{card}", is_act=False)]


def _strangers(request: HttpRequest) -> Kind:
    people = threads.strangers()
    texts = threads.last_heard(people[:MOST_OF_A_KIND])
    return _kind(
        "Waiting to be let in",
        [
            Need(
                key=f"contact-{person.pk}",
                icon="person_add",
                title=person.name or person.address,
                detail=f"“{acts.short(texts[person.pk].text)}”" if person.pk in texts else "",
                link=reverse("dashboard:conversation", args=[person.pk]),
                at=texts[person.pk].at if person.pk in texts else person.created_at,
                presses=press(request, person.pk, "allow", "block"),
            )
            for person in people[:MOST_OF_A_KIND]
        ],
        reverse("admin:smsbot_contact_changelist") + "?standing__exact=new",
        total=len(people),
    )


def _requests(request: HttpRequest) -> Kind:
    waiting = services.pending_requests()
    called = cards.people(row.requester for row in waiting[:MOST_OF_A_KIND])
    return _kind(
        "Requests to approve",
        [
            Need(
                key=f"request-{row.pk}",
                icon="approval_delegation",
                title=row.download.name,
                detail=f"asked for by {called[row.requester].name}",
                link=reverse("dashboard:film", args=[row.download.tmdb_id]),
                at=row.created_at,
                presses=press(request, row.pk, "approve", "decline"),
            )
            for row in waiting[:MOST_OF_A_KIND]
        ],
        reverse("admin:downloads_downloadrequest_changelist") + "?state__exact=pending_approval",
        total=len(waiting),
    )


def _issues(request: HttpRequest) -> Kind:
    rows = Issue.objects.filter(state=Issue.State.OPEN).select_related("download", "contact")
    shown = list(rows[: MOST_OF_A_KIND + 1])
    return _kind(
        "Problems people report",
        [
            Need(
                key=f"issue-{issue.pk}",
                icon="build",
                title=f"{issue.download}: {issue.get_kind_display()}",
                detail=f"says {issue.contact}",
                link=reverse("dashboard:conversation", args=[issue.contact_id]),
                at=issue.created_at,
                presses=press(request, issue.pk, "another", "solved"),
            )
            for issue in shown
        ],
        reverse("admin:smsbot_issue_changelist") + "?state__exact=open",
        total=rows.count() if len(shown) > MOST_OF_A_KIND else len(shown),
    )


def _films(request: HttpRequest, now: datetime) -> Kind:
    troubled = services.need_attention(now)
    shown = cards.cards(services.going(troubled[:MOST_OF_A_KIND]), now)
    return _kind(
        "Films in trouble",
        [
            Need(
                key=f"film-{card.pk}",
                icon="error" if card.is_active else "movie_off",
                title=card.name,
                detail=card.why or card.status_words.capitalize(),
                link=reverse("dashboard:film", args=[card.tmdb_id]),
                at=card.changed_at,
                presses=press(request, card.pk, "retry", *(["cancel"] if card.is_active else [])),
                mend=card.mend,
            )
            for card in shown
        ],
        reverse("admin:downloads_download_changelist") + "?show=attention",
        total=troubled.count() if len(shown) == MOST_OF_A_KIND else len(shown),
    )


def _given_up(request: HttpRequest, now: datetime) -> Kind:
    rows = threads.given_up().filter(received_at__gte=now - LOST_FOR)
    shown = list(rows[: MOST_OF_A_KIND + 1])
    return _kind(
        "Texts nobody answered",
        [
            Need(
                key=f"inbound-{message.pk}",
                icon="mark_chat_unread",
                title=f"{message.contact}: “{acts.short(message.body)}”",
                detail=message.failure,
                link=reverse("dashboard:conversation", args=[message.contact_id]),
                at=message.received_at,
                presses=press(request, message.pk, "answer-again"),
            )
            for message in shown
        ],
        reverse("admin:smsbot_inboundmessage_changelist") + "?state__exact=dead",
        total=rows.count() if len(shown) > MOST_OF_A_KIND else len(shown),
    )


def _failed(request: HttpRequest, now: datetime) -> Kind:
    rows = threads.failed().filter(created_at__gte=now - LOST_FOR)
    shown = list(rows[: MOST_OF_A_KIND + 1])
    return _kind(
        "Texts that did not arrive",
        [
            Need(
                key=f"outbound-{message.pk}",
                icon="sms_failed",
                title=f"To {message.contact}: “{acts.short(message.shown)}”",
                detail=message.failure or message.get_status_display().capitalize(),
                link=reverse("dashboard:conversation", args=[message.contact_id]),
                at=message.created_at,
                presses=press(request, message.pk, "send-again"),
            )
            for message in shown
        ],
        reverse("admin:smsbot_outboundmessage_changelist") + "?trouble=failed",
        total=rows.count() if len(shown) > MOST_OF_A_KIND else len(shown),
    )
