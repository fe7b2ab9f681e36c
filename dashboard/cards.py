"""A film as the pages show it: poster, state, how far it is, and who asked."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.urls import reverse

from downloads import services
from smsbot import threads

POSTERS = "https://image.tmdb.org/t/p/w185"


@dataclass(frozen=True)
class Poster:
    """A film's picture. Below it lies a drawn one, seen when the picture cannot be had."""

    title: str
    year: int | None
    picture: str
    hue: int


@dataclass(frozen=True)
class Person:
    """Somebody who asked, and the page of the conversation with them, where there is one."""

    name: str
    link: str


@dataclass(frozen=True)
class Card:
    """A film on a page. `percent` and `left` are empty where nothing is being downloaded."""

    pk: int
    tmdb_id: int
    name: str
    poster: Poster
    status: str
    status_words: str
    tone: str
    percent: int | None
    left: str
    people: list[Person]
    why: str
    mend: str
    is_active: bool
    changed_at: datetime


def poster(film: Any) -> Poster:
    """Return the poster of a download or of a TMDB match."""
    picture = f"{POSTERS}{film.poster_path}" if film.poster_path.startswith("/") else ""
    return Poster(film.title, film.year, picture, film.tmdb_id * 47 % 360)


def cards(films: Iterable[services.Going], now: datetime) -> list[Card]:
    """Return the cards of `films`, with their people's names looked up at once."""
    films = list(films)
    called = people([address for film in films for address in film.requesters])
    return [_card(film, [called[a] for a in film.requesters], now) for film in films]


def people(addresses: Iterable[str]) -> dict[str, Person]:
    """Return the person at each address; two queries."""
    addresses = set(addresses)
    names, ids = threads.names_of(addresses), threads.ids_of(addresses)
    return {address: Person(names[address], _thread(ids.get(address))) for address in addresses}


def _thread(contact_id: int | None) -> str:
    return reverse("dashboard:conversation", args=[contact_id]) if contact_id else ""


def _card(film: services.Going, asked: list[Person], now: datetime) -> Card:
    download, progress = film.download, film.progress
    return Card(
        pk=download.pk,
        tmdb_id=download.tmdb_id,
        name=download.name,
        poster=poster(download),
        status=download.status,
        status_words=download.get_status_display(),
        tone=services.tone(download.status),
        percent=None if progress.percent is None else round(progress.percent),
        left=time_left(progress.eta, now),
        people=asked,
        why=services.why(download),
        mend=services.mend(download),
        is_active=download.is_active,
        changed_at=download.status_changed_at,
    )


def time_left(eta: str | None, now: datetime) -> str:
    """Return how long a download will still take, roughly; empty when nobody knows."""
    if not eta:
        return ""
    minutes = (datetime.fromisoformat(eta) - now).total_seconds() / 60
    if minutes < 1:
        return "any moment now"
    if minutes < 90:
        return f"about {minutes:.0f} min left"
    if minutes < 36 * 60:
        return f"about {minutes / 60:.0f} hours left"
    return f"about {minutes / 60 / 24:.0f} days left"
