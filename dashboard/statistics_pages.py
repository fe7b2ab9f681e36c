"""Statistics: the page of figures, and the rows behind each of them, also as CSV."""

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone

from dashboard import cards, figures, period, summing
from dashboard.pages import for_staff, may_see, show
from downloads import services
from smsbot import accounting
from smsbot.models import OutboundMessage

FILMS = ("downloads.download", "downloads.downloadrequest")
TEXTS = ("smsbot.outboundmessage",)
MOST_SHOWN = 500
"""Rows on a page; the CSV has them all."""


@dataclass(frozen=True)
class Cell:
    """A value of a row, and where it leads."""

    text: str
    link: str = ""


Row = Sequence[Cell]


@for_staff(sees=FILMS)
def overview(request: HttpRequest) -> HttpResponse:
    """Show the figures of a period."""
    chosen = period.chosen(request, timezone.now())
    context = summing.films(period.asks_of(chosen), chosen)
    if may_see(request, TEXTS[0]):
        context |= summing.texts(accounting.sent_texts(chosen.since, chosen.until), chosen)
        days = accounting.model_days(chosen.mondays[0], chosen.mondays[-1] + timedelta(weeks=1))
        context |= summing.model(days, chosen)
    return show(
        request, "statistics", "Statistics", chosen=chosen, choices=period.CHOICES, **context
    )


@for_staff(sees=FILMS)
def film_rows(request: HttpRequest) -> HttpResponse:
    """Show the asks that a figure counts."""
    chosen = period.chosen(request, timezone.now())
    asks = period.narrowed(period.asks_of(chosen), request.GET)
    people = cards.people(ask.requester for ask in asks.rows)
    head = ["Film", "Asked by", "Asked", "Found after", "Downloaded in", "Imported in"]
    head += ["Ready after", "Outcome", "Reason"]
    rows = [_ask_row(asks, ask, people[ask.requester]) for ask in asks.rows]
    return _answer(request, "Requests", "requests", head, rows)


def _ask_row(asks: period.Asks, ask: services.Ask, who: cards.Person) -> Row:
    steps = ("finding", "downloading", "importing", "whole")
    times = [Cell(figures.duration(asks.time(ask, step))) for step in steps]
    outcome = "was there already" if ask.was_there else figures.OUTCOMES[ask.outcome]
    return [
        Cell(ask.name, reverse("dashboard:film", args=[ask.tmdb_id])),
        Cell(who.name, who.link),
        Cell(_moment(ask.asked_at)),
        *times,
        Cell(outcome),
        Cell(services.in_words(ask.reason)),
    ]


@for_staff(sees=TEXTS)
def text_rows(request: HttpRequest) -> HttpResponse:
    """Show the texts that a figure counts."""
    chosen = period.chosen(request, timezone.now())
    sent = accounting.sent_texts(chosen.since, chosen.until)
    texts = period.narrowed_texts(sent, request.GET)
    people = cards.people(text.address for text in texts)
    words = dict(OutboundMessage.Status.choices)
    rows: list[Row] = [
        [
            Cell(_moment(t.at), reverse("admin:smsbot_outboundmessage_change", args=[t.pk])),
            Cell(people[t.address].name, people[t.address].link),
            Cell(t.template.replace("_", " ")),
            Cell(str(words[t.status])),
            Cell(str(t.segments)),
            Cell(f"{t.segments * settings.SMS_SEGMENT_COST:.4f}"),
        ]
        for t in texts
    ]
    head = ["Sent", "To", "What", "State", "Segments", f"Cost, {settings.SMS_CURRENCY}"]
    return _answer(request, "Texts sent", "texts", head, rows)


@for_staff(sees=TEXTS)
def model_rows(request: HttpRequest) -> HttpResponse:
    """Show what the model was asked, day by day."""
    chosen = period.chosen(request, timezone.now())
    end = chosen.mondays[-1] + timedelta(weeks=1)
    days = accounting.model_days(chosen.mondays[0], end)
    if week := request.GET.get("week"):
        days = [day for day in days if str(figures.week_of(day.day)) == week]
    rows = [[Cell(str(d.day)), Cell(str(d.calls)), Cell(str(d.tokens))] for d in days]
    return _answer(request, "The model's work", "model", ["Day", "Calls", "Tokens"], rows)


def _answer(
    request: HttpRequest, title: str, name: str, head: list[str], rows: Sequence[Row]
) -> HttpResponse:
    if request.GET.get("format") == "csv":
        return _csv(name, head, rows)
    query = request.GET.copy()
    query["format"] = "csv"
    return show(
        request,
        "rows",
        title,
        head=head,
        rows=rows[:MOST_SHOWN],
        total=len(rows),
        csv=f"?{query.urlencode()}",
        back=f"{reverse('dashboard:statistics')}?weeks={request.GET.get('weeks', period.USUAL)}",
    )


def _csv(name: str, head: Iterable[str], rows: Iterable[Row]) -> HttpResponse:
    response = HttpResponse(content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="moviesms-{name}.csv"'
    writer = csv.writer(response)
    writer.writerow(head)
    writer.writerows([_harmless(cell.text) for cell in row] for row in rows)
    return response


def _harmless(text: str) -> str:
    """Return a value that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def _moment(at: datetime) -> str:
    return timezone.localtime(at).strftime("%Y-%m-%d %H:%M")
