"""What the statistics page shows: tiles, charts and tables, each figure with a link to its rows."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import formats

from dashboard import cards, figures
from dashboard.period import Asks, Period, link
from downloads import services
from smsbot import costs, threads
from smsbot.accounting import ModelDay, SentText

MOST_PEOPLE = 20


@dataclass(frozen=True)
class Figure:
    """A number, what it counts, and its rows."""

    title: str
    value: str
    link: str
    note: str = ""


def films(asks: Asks, period: Period) -> dict[str, Any]:
    """Return what is shown of asks."""
    address = reverse("dashboard:film-rows")
    return {
        "tiles": _film_tiles(asks, period, address),
        **_weeks(asks, period, address),
        "steps": _steps(asks, period, address),
        "steps_chart": _steps_chart(asks),
        "outcomes": _outcomes(asks, period, address),
        "reasons": [
            Figure(
                services.in_words(reason) or "No reason given",
                str(count),
                link(address, period, outcome="failed", reason=reason),
            )
            for reason, count in figures.reasons(asks.rows)
        ],
        "people": _people(asks, period, address),
    }


def _weeks(asks: Asks, period: Period, address: str) -> dict[str, Any]:
    """Return the chart and the table of the weeks: asked, ready, failed."""

    def ended(outcome: str) -> list[int]:
        ends = (ask.ended_at for ask in asks.rows if ask.outcome == outcome and ask.ended_at)
        return figures.by_week(ends, period.mondays)

    labels = _labels(period)
    asked = figures.by_week((ask.asked_at for ask in asks.rows), period.mondays)
    ready, failed = ended(services.READY), ended(services.FAILED)
    columns = zip(period.mondays, labels, asked, ready, failed, strict=True)
    return {
        "weeks_chart": {
            "labels": labels,
            "series": [
                {"label": "Requests", "data": asked, "tone": "base"},
                {"label": "Ready", "data": ready, "tone": "good"},
                {"label": "Failed", "data": failed, "tone": "bad"},
            ],
        },
        "weeks_table": [
            [
                Figure("week", label, ""),
                Figure("asked", str(count), link(address, period, week=monday)),
                Figure("ready", str(done), link(address, period, done=monday, outcome="ready")),
                Figure("failed", str(lost), link(address, period, done=monday, outcome="failed")),
            ]
            for monday, label, count, done, lost in columns
        ],
    }


def _film_tiles(asks: Asks, period: Period, address: str) -> list[Figure]:
    rate = figures.success_rate(asks.rows)
    whole = figures.spread(asks.times("whole"))
    ready = sum(ask.outcome == services.READY for ask in asks.rows)
    return [
        Figure("Requests", str(len(asks.rows)), link(address, period)),
        Figure("Ready", str(ready), link(address, period, outcome="ready")),
        Figure(
            "Success",
            "—" if rate is None else f"{rate} %",
            link(address, period, outcome="settled"),
            "of those that ended by themselves",
        ),
        Figure(
            "From text to ready",
            figures.duration(whole.median) or "—",
            link(address, period, step="whole"),
            "in the middle",
        ),
    ]


def _steps(asks: Asks, period: Period, address: str) -> list[list[Figure]]:
    rows = []
    for name, (title, _) in figures.STEPS.items():
        taken = figures.spread(asks.times(name))
        to = link(address, period, step=name)
        rows.append(
            [
                Figure("step", title, ""),
                Figure("median", figures.duration(taken.median) or "—", to),
                Figure("p90", figures.duration(taken.p90) or "—", to),
                Figure("count", str(taken.count), to),
            ]
        )
    return rows


def _steps_chart(asks: Asks) -> dict[str, Any]:
    spreads = [figures.spread(asks.times(name)) for name in figures.STEPS]
    return {
        "labels": [title for title, _ in figures.STEPS.values()],
        "unit": "min",
        "sideways": True,
        "series": [
            {
                "label": "Half of them within",
                "data": [_minutes(s.median) for s in spreads],
                "tone": "base",
            },
            {
                "label": "Nine of ten within",
                "data": [_minutes(s.p90) for s in spreads],
                "tone": "soft",
            },
        ],
    }


def _minutes(time: timedelta | None) -> float:
    return round(time.total_seconds() / 60, 1) if time else 0


def _outcomes(asks: Asks, period: Period, address: str) -> list[Figure]:
    return [
        Figure(figures.OUTCOMES[name].capitalize(), str(count), link(address, period, outcome=name))
        for name, count in figures.outcomes(asks.rows)
    ]


def _people(asks: Asks, period: Period, address: str) -> list[list[Figure]]:
    by_person: dict[str, list[services.Ask]] = defaultdict(list)
    for ask in asks.rows:
        by_person[ask.requester].append(ask)
    called, ids = cards.people(by_person), threads.ids_of(by_person)
    busiest = sorted(by_person.items(), key=lambda pair: -len(pair[1]))[:MOST_PEOPLE]
    rows = []
    for person, theirs in busiest:
        filters = {"person": ids.get(person, 0)}
        ready = sum(ask.outcome == services.READY for ask in theirs)
        rate = figures.success_rate(theirs)
        rows.append(
            [
                Figure("who", called[person].name, called[person].link),
                Figure("asked", str(len(theirs)), link(address, period, **filters)),
                Figure("ready", str(ready), link(address, period, outcome="ready", **filters)),
                Figure(
                    "rate",
                    "—" if rate is None else f"{rate} %",
                    link(address, period, outcome="settled", **filters),
                ),
            ]
        )
    return rows


def texts(sent: list[SentText], period: Period) -> dict[str, Any]:
    """Return what is shown of the texts that went out."""
    address = reverse("dashboard:text-rows")
    total = figures.segments(sent)
    weekly = figures.segments_by_week(sent, period.mondays)
    return {
        "text_tiles": [
            Figure("Texts sent", str(len(sent)), link(address, period)),
            Figure("Segments", str(total), link(address, period), "what a carrier bills"),
            *_cost_tile(total, link(address, period)),
        ],
        "segments_chart": {
            "labels": _labels(period),
            "series": [{"label": "Segments", "data": weekly, "tone": "base"}],
        },
        "segments_table": [
            [
                Figure("week", label, ""),
                Figure("segments", str(count), link(address, period, week=monday)),
                Figure("cost", _money(count), link(address, period, week=monday)),
            ]
            for monday, label, count in zip(period.mondays, _labels(period), weekly, strict=True)
        ],
        "costs": _costs(sent, period, address),
    }


def _cost_tile(segments: int, to: str) -> list[Figure]:
    if not settings.SMS_SEGMENT_COST:
        return []
    note = f"at {settings.SMS_SEGMENT_COST} {settings.SMS_CURRENCY} a segment"
    return [Figure("Cost of texts", _money(segments), to, note)]


def _costs(sent: list[SentText], period: Period, address: str) -> list[list[Figure]]:
    by_person: dict[str, list[SentText]] = defaultdict(list)
    for text in sent:
        by_person[text.address].append(text)
    called, ids = cards.people(by_person), threads.ids_of(by_person)
    dearest = sorted(by_person.items(), key=lambda pair: -figures.segments(pair[1]))
    rows = []
    for person, theirs in dearest[:MOST_PEOPLE]:
        to = link(address, period, person=ids.get(person, 0))
        segments = figures.segments(theirs)
        rows.append(
            [
                Figure("who", called[person].name, called[person].link),
                Figure("texts", str(len(theirs)), to),
                Figure("segments", str(segments), to),
                Figure("cost", _money(segments), to),
            ]
        )
    return rows


def model(days: list[ModelDay], period: Period) -> dict[str, Any]:
    """Return what is shown of the model's work."""
    address = reverse("dashboard:model-rows")
    weekly = figures.model_by_week(days, period.mondays)
    return {
        "model_tiles": [
            Figure("Model calls", f"{sum(d.calls for d in days):,}", link(address, period)),
            Figure("Tokens", f"{sum(d.tokens for d in days):,}", link(address, period)),
        ],
        "model_chart": {
            "labels": _labels(period),
            "series": [{"label": "Calls", "data": [calls for calls, _ in weekly], "tone": "base"}],
        },
        "model_table": [
            [
                Figure("week", label, ""),
                Figure("calls", str(calls), link(address, period, week=monday)),
                Figure("tokens", f"{tokens:,}", link(address, period, week=monday)),
            ]
            for monday, label, (calls, tokens) in zip(
                period.mondays, _labels(period), weekly, strict=True
            )
        ],
    }


def _money(segments: int) -> str:
    cost = costs.estimate(segments)
    return "—" if cost is None else f"{cost} {settings.SMS_CURRENCY}"


def _labels(period: Period) -> list[str]:
    return [formats.date_format(monday, "j M") for monday in period.mondays]
