"""The time that statistics cover, and the filters that lead from a figure to its rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.http import HttpRequest, QueryDict
from django.utils import timezone

from dashboard import figures
from downloads import services
from smsbot import accounting, threads

CHOICES = {4: "4 weeks", 12: "12 weeks", 52: "a year"}
USUAL = 12


@dataclass(frozen=True)
class Period:
    """Whole weeks of the household's calendar, the last of them the present one."""

    weeks: int
    since: datetime
    until: datetime
    mondays: Sequence[date]


def chosen(request: HttpRequest, now: datetime) -> Period:
    """Return the time that `?weeks=` asks for, or the usual one."""
    text = request.GET.get("weeks", "")
    weeks = int(text) if text in {str(choice) for choice in CHOICES} else USUAL
    today = timezone.localdate(now)
    first = figures.week_of(today) - timedelta(weeks=weeks - 1)
    since = timezone.make_aware(datetime.combine(first, time.min))
    return Period(weeks, since, now, figures.weeks_between(first, today + timedelta(days=1)))


@dataclass(frozen=True)
class Asks:
    """Asks of a period, and when each was texted (or made, where no text is behind it)."""

    rows: list[services.Ask]
    texted: dict[int, datetime]

    def times(self, step: str) -> list[timedelta]:
        """Return how long a step took, for those that it is known of."""
        found = (self.time(ask, step) for ask in self.rows)
        return [time for time in found if time is not None]

    def time(self, ask: services.Ask, step: str) -> timedelta | None:
        """Return how long a step took for one ask."""
        return figures.STEPS[step][1](ask, self.texted[ask.request_id])

    def those(self, keep: list[services.Ask]) -> "Asks":
        """Return the same with fewer rows."""
        return Asks(keep, self.texted)


def asks_of(period: Period) -> Asks:
    """Read the asks of a period: three queries."""
    rows = services.asks(period.since, period.until)
    # A text that waited for a service was received before its ask was written.
    received = threads.received_between(period.since - timedelta(days=2), period.until)
    texted = {a.request_id: received.get(a.origin.partition(":")[0], a.asked_at) for a in rows}
    return Asks(rows, texted)


def narrowed(asks: Asks, query: QueryDict) -> Asks:
    """Return the asks that a figure counted, by the parameters of its link."""
    rows = asks.rows
    if week := query.get("week"):
        rows = [a for a in rows if str(figures.week_of(a.asked_at)) == week]
    if done := query.get("done"):
        rows = [a for a in rows if a.ended_at and str(figures.week_of(a.ended_at)) == done]
    if outcome := query.get("outcome"):
        wanted = {services.READY, services.FAILED} if outcome == "settled" else {outcome}
        rows = [a for a in rows if a.outcome in wanted]
    if "reason" in query:
        rows = [a for a in rows if a.reason == query["reason"]]
    if person := query.get("person"):
        ids = threads.ids_of(a.requester for a in rows)
        rows = [a for a in rows if str(ids.get(a.requester)) == person]
    step = query.get("step")
    if step in figures.STEPS:
        rows = [a for a in rows if asks.time(a, step) is not None]
    return asks.those(rows)


def narrowed_texts(texts: list[accounting.SentText], query: QueryDict) -> list[accounting.SentText]:
    """Return the texts that a figure counted, by the parameters of its link."""
    if week := query.get("week"):
        texts = [t for t in texts if str(figures.week_of(t.at)) == week]
    if person := query.get("person"):
        ids = threads.ids_of(t.address for t in texts)
        texts = [t for t in texts if str(ids.get(t.address)) == person]
    return texts


def link(address: str, period: Period, **filters: object) -> str:
    """Return the address of the rows that a figure counts."""
    return f"{address}?{urlencode({'weeks': period.weeks, **filters})}"
