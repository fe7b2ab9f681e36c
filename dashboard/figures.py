"""The owner's figures: pure sums over asks and texts. Whoever shows one can show its rows too."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import ceil

from django.utils import timezone

from downloads import services
from smsbot.accounting import ModelDay, SentText

Ask = services.Ask


@dataclass(frozen=True)
class Spread:
    """How long a step took: over how many asks, the middle one, and the one in ten that is slow."""

    count: int
    median: timedelta | None
    p90: timedelta | None


def week_of(at: datetime | date) -> date:
    """Return the Monday of a moment's week, in the household's time."""
    day = timezone.localdate(at) if isinstance(at, datetime) else at
    return day - timedelta(days=day.weekday())


def weeks_between(since: date, until: date) -> list[date]:
    """Return the Mondays of all weeks that touch [since, until)."""
    first, last = week_of(since), week_of(until - timedelta(days=1))
    return [first + timedelta(weeks=number) for number in range((last - first).days // 7 + 1)]


def by_week(moments: Iterable[datetime | date], weeks: Sequence[date]) -> list[int]:
    """Return how many of `moments` are in each of `weeks`."""
    counted = Counter(map(week_of, moments))
    return [counted[week] for week in weeks]


def spread(times: Iterable[timedelta]) -> Spread:
    """Return the middle and the ninth tenth of `times`, by nearest rank."""
    ordered = sorted(times)
    if not ordered:
        return Spread(0, None, None)
    return Spread(len(ordered), _rank(ordered, 0.5), _rank(ordered, 0.9))


def _rank(ordered: Sequence[timedelta], share: float) -> timedelta:
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


# --- Steps ---------------------------------------------------------------------------------------

Step = Callable[[Ask, datetime], timedelta | None]


def _between(start: datetime | None, end: datetime | None) -> timedelta | None:
    return end - start if start and end and end >= start else None


def whole(ask: Ask, texted_at: datetime) -> timedelta | None:
    """From the text to ready; None for what was there already or is not ready."""
    if ask.outcome != services.READY or ask.was_there:
        return None
    return _between(texted_at, ask.ended_at)


def finding(ask: Ask, texted_at: datetime) -> timedelta | None:
    """From the text until Radarr had found a release."""
    return _between(texted_at, ask.found_at) if whole(ask, texted_at) else None


def downloading(ask: Ask, texted_at: datetime) -> timedelta | None:
    """From the find until the file was there."""
    return _between(ask.found_at, ask.downloaded_at) if whole(ask, texted_at) else None


def importing(ask: Ask, texted_at: datetime) -> timedelta | None:
    """From the file until it could be watched."""
    return _between(ask.downloaded_at, ask.ended_at) if whole(ask, texted_at) else None


STEPS: dict[str, tuple[str, Step]] = {
    "whole": ("From text to ready", whole),
    "finding": ("Radarr finds it", finding),
    "downloading": ("It downloads", downloading),
    "importing": ("It is imported", importing),
}


# --- Outcomes ------------------------------------------------------------------------------------


OUTCOMES = {
    services.READY: "ready to watch",
    services.FAILED: "failed",
    services.CANCELLED: "cancelled",
    services.LEFT: "left by the person",
    services.DECLINED: "declined",
    services.OPEN: "on its way",
}


def success_rate(asks: Iterable[Ask]) -> int | None:
    """Return how many of a hundred settled asks got their film; None when none is settled."""
    settled = [ask for ask in asks if ask.outcome in (services.READY, services.FAILED)]
    if not settled:
        return None
    ready = sum(ask.outcome == services.READY for ask in settled)
    return round(100 * ready / len(settled))


def outcomes(asks: Iterable[Ask]) -> list[tuple[str, int]]:
    """Return how many asks came to each outcome, the most frequent first."""
    return Counter(ask.outcome for ask in asks).most_common()


def reasons(asks: Iterable[Ask]) -> list[tuple[str, int]]:
    """Return why asks failed, the most frequent first."""
    return Counter(ask.reason for ask in asks if ask.outcome == services.FAILED).most_common()


# --- Costs ---------------------------------------------------------------------------------------


def segments(texts: Iterable[SentText]) -> int:
    """Return how many segments a carrier bills for `texts`."""
    return sum(text.segments for text in texts)


def segments_by_week(texts: Iterable[SentText], weeks: Sequence[date]) -> list[int]:
    """Return the segments of each of `weeks`."""
    counted: Counter[date] = Counter()
    for text in texts:
        counted[week_of(text.at)] += text.segments
    return [counted[week] for week in weeks]


def model_by_week(days: Iterable[ModelDay], weeks: Sequence[date]) -> list[tuple[int, int]]:
    """Return the model's calls and tokens of each of `weeks`."""
    calls: Counter[date] = Counter()
    tokens: Counter[date] = Counter()
    for day in days:
        calls[week_of(day.day)] += day.calls
        tokens[week_of(day.day)] += day.tokens
    return [(calls[week], tokens[week]) for week in weeks]


# --- Words --------------------------------------------------------------------------------------


def duration(time: timedelta | None) -> str:
    """Return a time as people say it: `35 s`, `12 min`, `3.5 h`, `2.1 days`; empty for none."""
    if time is None:
        return ""
    seconds = time.total_seconds()
    for size, unit in ((86400, "days"), (3600, "h")):
        if seconds >= 1.5 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 90 else f"{seconds:.0f} s"
