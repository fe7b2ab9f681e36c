"""A made-up year of a household: people, their texts, films, failures; written as the apps would.

What stands in the database afterwards is what a year of use leaves behind, so the pages need no
special case. `make` notes every row that it writes, and `remove` deletes exactly those.
"""

import csv
import random
import uuid
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import transaction
from django.db.models import Model
from django.utils import timezone

from dashboard.demo_words import ASKS, EAGERNESS, PEOPLE, REASONS, STRANGERS, TALK
from dashboard.models import DemoYear
from downloads import live
from downloads.models import Download, DownloadEvent, DownloadRequest, Status
from moviesms.models import Incident, Quota
from smsbot.models import Contact, InboundMessage, OutboundAttempt, OutboundMessage
from smsbot.reasons import in_plain_words
from smsbot.replies import render, segments

_FILMS = Path(__file__).with_name("demo_films.tsv")


def make(*, now: datetime, seed: int, tell: Callable[[str], None]) -> dict[str, int]:
    """Write the year that ends `now` in one transaction; return how many rows of each kind."""
    with transaction.atomic():
        year = Year(now, random.Random(seed))  # noqa: S311  (a story, not a secret)
        for month, name in enumerate(year.live_through(), start=1):
            tell(f"{month:2} of 12 months: {name}")
        year.bring_to_the_present()
        DemoYear.objects.create(rows=year.made)
    live.store(year.views, now=now)
    return {label: len(pks) for label, pks in year.made.items()}


@dataclass
class Year:
    """The writer of the story. `made` has the ids of what it wrote, `views` what is under way."""

    now: datetime
    chance: random.Random
    made: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    views: list[Any] = field(default_factory=list)

    def __post_init__(self) -> None:
        known = set(Download.objects.values_list("tmdb_id", flat=True))
        with _FILMS.open(encoding="utf-8", newline="") as lines:
            rows = list(csv.DictReader(lines, delimiter="\t"))
        self.films = [row for row in rows if int(row["tmdb_id"]) not in known]
        self.chance.shuffle(self.films)
        began = self.now - timedelta(days=366)
        self.people = [self._contact(address, name, began) for address, name in PEOPLE.items()]

    # --- The story -------------------------------------------------------------------------------

    def live_through(self) -> Iterator[str]:
        """Write the past, month by month; yields the name of each."""
        for month in range(12, 0, -1):
            begins = self.now - timedelta(days=30.4 * month)
            # More is watched in winter, and the year grows on them.
            films = self.chance.randint(7, 10) + (4 if begins.month in (11, 12, 1, 2) else 0)
            for _ in range(min(films, max(0, len(self.films) - 14))):
                self._film_of(begins)
            for _ in range(self.chance.randint(3, 8)):
                self._small_talk(self._moment_after(begins))
            self._model_use(begins)
            yield f"{begins:%B %Y}"
        self._old_troubles()

    def bring_to_the_present(self) -> None:
        """Write what is going on today: films under way, and what needs the owner."""
        for minutes, percent, left in ((190, 87.4, 9), (64, 52.0, 38), (21, 8.3, 150)):
            film, request, person = self._ask(self._ago(minutes=minutes), radarr=True)
            self._move(film, request, [person], Status.DOWNLOADING, self._ago(minutes=minutes - 6))
            eta = (self.now + timedelta(minutes=left)).isoformat()
            size = 6_400_000_000
            progress = live.Progress(percent, size, int(size * (100 - percent) / 100), eta)
            self.views.append((film, progress, []))
        self._stuck("import", Status.IMPORTING, hours=5)
        self._stuck("nothing_found", Status.SEARCHING, hours=31)
        # The newest film there is will have to do for one that is not out yet.
        self.films.sort(key=lambda row: row["released"])
        film, request, person = self._ask(self._ago(days=6), radarr=True)
        opens = (self.now + timedelta(days=40)).date().isoformat()
        self._move(film, request, [person], Status.WAITING, self._ago(days=6), opens)
        film, request, person = self._ask(self._ago(hours=20), radarr=True)
        self._move(film, request, [person], Status.DOWNLOADING, self._ago(hours=19))
        self._move(film, request, [person], Status.FAILED, self._ago(hours=17), REASONS[0])
        self._needs_of_today()

    def _film_of(self, begins: datetime) -> None:
        """One film of the past, from the text to its end."""
        at = self._moment_after(begins)
        film, request, person = self._ask(at, radarr=True)
        people = [person]
        if self.chance.random() < 0.22:
            other = self.chance.choice([p for p in self.people if p != person])
            self._join(film, other, at + timedelta(minutes=self.chance.randint(3, 20)))
            people.append(other)
        fate = self.chance.random()
        found = at + self._minutes(4, spread=1.0)
        if fate > 0.97:
            self._move(film, request, people, Status.CANCELLED, found, "cancelled")
            return
        self._move(film, request, people, Status.DOWNLOADING, found)
        downloaded = found + self._minutes(45, spread=0.9)
        if fate > 0.89:
            reason = self.chance.choice(REASONS)
            self._move(film, request, people, Status.FAILED, downloaded, reason)
            return
        self._move(film, request, people, Status.IMPORTING, downloaded)
        ready = downloaded + self._minutes(1.5, spread=0.6)
        self._move(film, request, people, Status.COMPLETED, ready)

    def _stuck(self, problem: str, status: Status, *, hours: int) -> None:
        at = self._ago(hours=hours)
        film, request, person = self._ask(at - timedelta(minutes=50), radarr=True)
        if status == Status.IMPORTING:
            self._move(film, request, [person], Status.DOWNLOADING, at - timedelta(minutes=44))
        self._move(film, request, [person], status, at)
        kind = "stuck" if problem == "import" else problem
        event = self._event(film, kind, status, status, at, problem)
        self._tell(event, request, [person], kind, film)
        Download.objects.filter(pk=film.pk).update(problem=problem)

    def _needs_of_today(self) -> None:
        for hours, (address, words) in zip((2, 26), STRANGERS.items(), strict=True):
            stranger = self._contact(address, "", self._ago(hours=hours))
            heard = self._heard(stranger, words, self._ago(hours=hours))
            self._said(stranger, render("stranger", owner_is_told=True), "stranger", heard)
        dead = self._heard(
            self.people[3], "the one with the lighthouse and the two men", self._ago(hours=9)
        )
        InboundMessage.objects.filter(pk=dead.pk).update(
            state="dead", failure="TMDB did not answer for a day", attempts=5
        )
        lost = self._said(
            self.people[5],
            render("completed", film="Casablanca (1942)"),
            "completed",
            at=self._ago(days=1),
        )
        OutboundMessage.objects.filter(pk=lost.pk).update(
            status="undelivered", error_code=30003, failure="The phone was off or out of reach"
        )
        self._incident(
            "demo:model",
            "The model's server refuses our key: texts are read by rules.",
            self._ago(hours=3),
            None,
        )

    def _old_troubles(self) -> None:
        for days, hours, summary in (
            (301, 3, "Radarr does not answer. Requests are kept and tried again."),
            (188, 1, "The daily cap on texts is reached. News waits until tomorrow."),
            (77, 11, "Twilio refuses our texts (code 20003). They wait; nothing is lost."),
        ):
            opened = self._ago(days=days)
            self._incident(f"demo:{days}", summary, opened, opened + timedelta(hours=hours))

    def _small_talk(self, at: datetime) -> None:
        person = self._somebody()
        words, template = self.chance.choice(TALK)
        heard = self._heard(person, words, at)
        template = "status_empty" if template == "status" else template
        self._said(person, render(template), template, heard)

    def _model_use(self, begins: datetime) -> None:
        for number in range(30):
            day = timezone.localdate(begins + timedelta(days=number))
            calls = self.chance.randint(0, 5)
            for key, used in (("openai:calls", calls), ("openai:tokens", calls * 640)):
                if calls and day <= timezone.localdate(self.now):
                    row, made = Quota.objects.get_or_create(
                        key=key, day=day, defaults={"used": used}
                    )
                    if made:
                        self._note(row)

    # --- Rows ------------------------------------------------------------------------------------

    def _note(self, row: Model) -> None:
        self.made[row._meta.label_lower].append(row.pk)

    def _contact(self, address: str, name: str, since: datetime) -> Contact:
        standing = "allowed" if address in PEOPLE else "new"
        contact, made = Contact.objects.get_or_create(
            address=address, defaults={"name": name, "standing": standing}
        )
        if made:
            self._note(contact)
            Contact.objects.filter(pk=contact.pk).update(created_at=since)
        return contact

    def _ask(self, at: datetime, *, radarr: bool) -> tuple[Download, DownloadRequest, Contact]:
        row = self.films.pop()
        film = Download.objects.create(
            tmdb_id=int(row["tmdb_id"]),
            title=row["title"],
            year=int(row["released"][:4]),
            release_date=row["released"],
            added_by_us=radarr,
            generation_started_at=at,
            status_changed_at=at,
            created_at=at,
        )
        self._note(film)
        person = self._somebody()
        request = self._join(film, person, at)
        return film, request, person

    def _join(self, film: Download, person: Contact, at: datetime) -> DownloadRequest:
        words = self.chance.choice(ASKS).format(film.title, film.year)
        heard = self._heard(person, words, at)
        told = at + timedelta(seconds=self.chance.uniform(2, 7))
        request = DownloadRequest.objects.create(
            download=film,
            generation=1,
            requester=person.address,
            origin=f"{heard.twilio_sid}:0",
            announced_at=told,
        )
        DownloadRequest.objects.filter(pk=request.pk).update(created_at=told - timedelta(seconds=1))
        self._note(request)
        self._said(person, render("added", film=film.name), "added", heard, request=request)
        return request

    def _move(
        self,
        film: Download,
        request: DownloadRequest,
        people: list[Contact],
        status: Status,
        at: datetime,
        reason: str = "",
    ) -> None:
        """Move a film on, with the event and the texts of it."""
        kinds = {Status.DOWNLOADING: "started"}
        kind = kinds.get(status, status.value)
        event = self._event(film, kind, Status(film.status), status, at, reason)
        film.status, film.status_changed_at, film.reason = status, at, reason
        film.version += 1
        ended = {Status.COMPLETED: "fulfilled", Status.FAILED: "ended", Status.CANCELLED: "ended"}
        if status == Status.COMPLETED:
            film.completed_at = at
        film.save()
        if status in ended:
            DownloadRequest.objects.filter(download=film).update(state=ended[status])
        if status not in (Status.IMPORTING, Status.SEARCHING):
            self._tell(event, request, people, kind, film)

    def _event(
        self, film: Download, kind: str, old: Status, new: Status, at: datetime, reason: str
    ) -> DownloadEvent:
        told = kind not in ("importing", "searching")
        event = DownloadEvent.objects.create(
            download=film,
            generation=1,
            kind=kind,
            old_status=old,
            new_status=new,
            reason=reason,
            dedupe=kind if told else None,
            created_at=at,
            processed_at=at + timedelta(seconds=1),
        )
        self._note(event)
        return event

    def _tell(
        self,
        event: DownloadEvent,
        request: DownloadRequest,
        people: list[Contact],
        template: str,
        film: Download,
    ) -> None:
        reason = in_plain_words(event.reason) if template == "failed" else ""
        text = render(template, film=film.name, reason=reason, owner_knows=True)
        for person in people:
            self._said(
                person,
                text,
                template,
                at=event.created_at + timedelta(seconds=2),
                event=event,
                request=request,
            )

    def _heard(self, person: Contact, words: str, at: datetime) -> InboundMessage:
        message = InboundMessage.objects.create(
            twilio_sid=f"SM{uuid.UUID(int=self.chance.getrandbits(128)).hex}",
            contact=person,
            body=words,
            received_at=at,
            state="handled",
            attempts=1,
            handled_at=at + timedelta(seconds=2),
        )
        self._note(message)
        return message

    def _said(
        self,
        person: Contact,
        text: str,
        template: str,
        heard: InboundMessage | None = None,
        *,
        at: datetime | None = None,
        **because: Any,
    ) -> OutboundMessage:
        written = at or (heard.received_at + timedelta(seconds=3) if heard else self.now)
        message = OutboundMessage.objects.create(
            contact=person,
            text=text,
            segments=segments(text),
            purpose="answer" if heard else "notification",
            template=template,
            in_reply_to=heard,
            status="delivered",
            created_at=written,
            sent_at=written + timedelta(seconds=1),
            finished_at=written + timedelta(seconds=4),
            twilio_sid=f"SM{uuid.UUID(int=self.chance.getrandbits(128)).hex}",
            **because,
        )
        self._note(message)
        attempt = OutboundAttempt.objects.create(
            message=message, number=1, started_at=written, outcome="sent"
        )
        self._note(attempt)
        return message

    def _incident(self, key: str, summary: str, opened: datetime, closed: datetime | None) -> None:
        # Told already, so that nobody is alerted to a story.
        incident = Incident.objects.create(
            key=key,
            summary=summary,
            opened_at=opened,
            closed_at=closed,
            opening_told_at=opened,
            opening_alerted_at=opened,
            closing_told_at=closed,
            closing_alerted_at=closed,
        )
        self._note(incident)

    # --- Chance ----------------------------------------------------------------------------------

    def _somebody(self) -> Contact:
        return self.chance.choices(self.people, EAGERNESS)[0]

    def _ago(self, **time: float) -> datetime:
        return self.now - timedelta(**time)

    def _moment_after(self, begins: datetime) -> datetime:
        """A moment within thirty days, of an evening mostly."""
        day = timezone.localtime(begins) + timedelta(days=self.chance.randrange(1, 29))
        hours = min(23.5, max(8, self.chance.gauss(19, 3)))
        return day.replace(hour=0, minute=0, second=0) + timedelta(hours=hours)

    def _minutes(self, middle: float, *, spread: float) -> timedelta:
        return timedelta(minutes=middle * self.chance.lognormvariate(0, spread))
