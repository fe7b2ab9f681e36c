"""Asking, joining, asking again, cancelling and leaving, at the services' interface."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import requests
from django.utils import timezone

from downloads import services
from downloads.lifecycle import transition_to
from downloads.models import Download, DownloadEvent, DownloadRequest, Status
from downloads.services import Match, Outcome, Taken
from tests.conftest import ALEX, KIM, SAM, Household
from tests.downloads.test_snapshot import intercept
from tests.fakes import FakeRadarr, FakeTmdb

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
KNIGHT = Match(155, "The Dark Knight", 2008)
DOWN = requests.exceptions.ConnectionError("refused")
State = DownloadRequest.State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock", "radarr")]


def ask(requester: str = SAM, origin: str = "", **more: Any) -> Taken:
    return services.request_movie(
        KNIGHT, requester, origin=origin or f"SM-{requester}:0", now=timezone.now(), **more
    )


def told(taken: Taken) -> None:
    """Let the person hear that the request is taken, as a reply does."""
    services.mark_announced(taken.request_id, now=timezone.now())


def end(status: Status) -> Download:
    row = Download.objects.get()
    assert transition_to(row, status, now=timezone.now())
    return row


def everything() -> tuple[list[Any], ...]:
    return (
        list(Download.objects.values()),
        list(DownloadRequest.objects.order_by("id").values()),
        list(DownloadEvent.objects.order_by("id").values()),
    )


# --- asking ---------------------------------------------------------------------------------------


def test_the_first_ask_adds_and_the_second_joins(radarr: FakeRadarr) -> None:
    assert [ask(SAM).outcome, ask(ALEX).outcome] == [Outcome.ADDED, Outcome.JOINED]
    assert radarr.adds == 1
    assert Download.objects.count() == 1
    assert services.requesters(Download.objects.get()) == [SAM, ALEX]


def test_the_same_person_asking_again_joins_their_own_request(radarr: FakeRadarr) -> None:
    first, second = ask(origin="SM1:0"), ask(origin="SM2:0")
    assert (second.outcome, second.created) == (Outcome.JOINED, False)
    assert second.request_id == first.request_id
    assert radarr.adds == 1


def _refuse(radarr: FakeRadarr) -> None:
    radarr.excluded.add(155)


def _have(radarr: FakeRadarr) -> None:
    radarr.put(155, "The Dark Knight", 2008, hasFile=True)


@pytest.mark.parametrize(
    ("prepare", "outcome"),
    [
        (lambda radarr: None, Outcome.ADDED),
        (_refuse, Outcome.REFUSED),
        (_have, Outcome.AVAILABLE),
        (lambda radarr: radarr.fail_with(DOWN), Outcome.SAVED),
    ],
    ids=["added", "refused", "available", "saved"],
)
def test_a_replay_has_the_same_outcome_and_no_second_effect(
    radarr: FakeRadarr, prepare: Any, outcome: str
) -> None:
    prepare(radarr)
    first = ask(origin="SM1:0")
    rows, posts = everything(), radarr.count("POST", "")
    again = ask(origin="SM1:0")
    assert (first.outcome, again.outcome) == (outcome, outcome)
    assert (first.created, again.created) == (True, False)
    assert again.request_id == first.request_id
    assert everything() == rows
    assert radarr.count("POST", "") == posts


def test_a_replay_by_somebody_who_joined_still_joined(radarr: FakeRadarr) -> None:
    ask(SAM)
    assert [ask(ALEX).outcome for _ in range(3)] == [Outcome.JOINED] * 3
    assert [ask(SAM).outcome for _ in range(3)] == [Outcome.ADDED] * 3
    assert DownloadRequest.objects.count() == 2


def test_a_crash_before_the_add_is_made_good_by_the_replay(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*args: object, **kwargs: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("downloads.asking.try_add", killed)
        with pytest.raises(KeyboardInterrupt):
            ask()
    assert Download.objects.get().status == Status.REQUESTED
    assert ask().outcome == Outcome.ADDED
    assert (radarr.adds, DownloadRequest.objects.count()) == (1, 1)


def test_two_who_ask_at_the_same_moment_post_once(
    radarr: FakeRadarr, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alex asks while Sam's film is on its way into Radarr."""
    others: list[Taken] = []
    intercept(monkeypatch, radarr, "POST .*/movie", lambda: others.append(ask(ALEX)))
    assert ask(SAM).outcome == Outcome.ADDED
    assert [other.outcome for other in others] == [Outcome.JOINED]
    assert radarr.adds == 1


def test_who_asks_while_radarr_is_away_is_saved_and_the_next_one_too(radarr: FakeRadarr) -> None:
    radarr.fail_with(DOWN)
    assert [ask(SAM).outcome, ask(ALEX).outcome] == [Outcome.SAVED, Outcome.SAVED]
    assert Download.objects.get().status == Status.REQUESTED


def test_what_needs_an_approval_waits_for_it(radarr: FakeRadarr) -> None:
    taken = ask(rule=lambda: True)
    assert taken.outcome == Outcome.PENDING
    assert DownloadRequest.objects.get().state == State.PENDING_APPROVAL
    # Radarr was looked at, since what its library holds needs no approval; nothing was added.
    assert {method for method, _ in radarr.calls} == {"GET"}
    assert ask().outcome == Outcome.PENDING  # the replay too


def test_only_what_comes_after_joining_is_news(household: Household, radarr: FakeRadarr) -> None:
    told(ask(SAM))
    end(Status.DOWNLOADING)
    late = ask(ALEX)
    told(late)
    [started] = services.unprocessed_events()
    news = services.claim_event(started, now=NOON)
    assert news is not None
    assert [requester for _, requester in news.requests] == [SAM]


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED, Status.COMPLETED])
def test_asking_again_after_an_end_starts_anew(radarr: FakeRadarr, status: Status) -> None:
    told(ask(SAM))
    end(status)
    again = ask(ALEX, origin="SM9:0")
    row = Download.objects.get()
    assert (again.outcome, again.created) == (Outcome.ADDED, True)
    assert (row.status, row.generation) == (Status.SEARCHING, 2)
    assert services.requesters(row) == [ALEX]
    assert radarr.adds == 1  # it is in Radarr still; it is searched for again
    assert radarr.commands == [{"name": "MoviesSearch", "movieIds": [1]}]


def test_a_film_that_is_still_there_is_available_at_once(radarr: FakeRadarr) -> None:
    ask(SAM)
    end(Status.COMPLETED)
    radarr.movie(155)["hasFile"] = True
    assert ask(ALEX).outcome == Outcome.AVAILABLE
    assert Download.objects.get().status == Status.COMPLETED


# --- leaving --------------------------------------------------------------------------------------


def test_one_person_may_leave_and_the_download_goes_on(radarr: FakeRadarr) -> None:
    sam, alex = ask(SAM), ask(ALEX)
    row = Download.objects.get()
    assert services.withdraw(row.pk, ALEX)
    assert services.requesters(row) == [SAM]
    assert Download.objects.get().status == Status.SEARCHING
    assert services.is_still_wanted(sam.request_id)
    assert not services.is_still_wanted(alex.request_id)


def test_who_does_not_wait_cannot_leave() -> None:
    ask(SAM)
    row = Download.objects.get()
    assert not services.withdraw(row.pk, KIM)
    assert services.withdraw(row.pk, SAM)
    assert not services.withdraw(row.pk, SAM)
    assert services.requesters(row) == []


def test_who_left_may_come_back() -> None:
    ask(SAM, "SM1:0")
    services.withdraw(Download.objects.get().pk, SAM)
    assert ask(SAM, "SM2:0").created
    assert services.requesters(Download.objects.get()) == [SAM]


# --- cancelling -----------------------------------------------------------------------------------


@pytest.mark.parametrize("status", ["searching", "waiting", "downloading", "importing"])
def test_a_cancel_ends_what_is_on_its_way(radarr: FakeRadarr, status: str) -> None:
    ask()
    Download.objects.update(status=status)
    row = services.cancel_download(Download.objects.get(), now=NOON)
    assert (row.status, row.reason, row.removal_due) == (Status.CANCELLED, "cancelled", True)
    assert row.events.filter(dedupe="cancelled").count() == 1


def test_a_cancel_leaves_the_owners_film_in_radarr(radarr: FakeRadarr) -> None:
    radarr.put(155, "The Dark Knight", 2008)
    ask()
    row = services.cancel_download(Download.objects.get(), now=NOON)
    assert (row.status, row.removal_due) == (Status.CANCELLED, False)


def test_a_cancel_before_the_add_keeps_it_out_of_radarr(radarr: FakeRadarr) -> None:
    radarr.fail_with(DOWN)
    ask()
    row = services.cancel_download(Download.objects.get(), now=NOON)
    assert (row.status, row.removal_due) == (Status.CANCELLED, False)


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_cancelling_what_has_ended_changes_nothing(status: Status) -> None:
    ask()
    end(status)
    rows = everything()
    assert services.cancel_download(Download.objects.get(), now=NOON).status == status
    assert everything() == rows


def test_a_cancel_loses_to_completion() -> None:
    ask()
    seen_before = Download.objects.get()
    end(Status.COMPLETED)
    with pytest.raises(services.AlreadyCompleted, match="The Dark Knight"):
        services.cancel_download(seen_before, now=NOON)
    assert Download.objects.get().status == Status.COMPLETED


def test_a_cancel_that_is_overtaken_looks_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """The film arrives between the cancel's read and its write."""
    ask()
    read = Download.refresh_from_db
    overtaken: list[bool] = []

    def read_then_overtaken(self: Download, *args: Any, **kwargs: Any) -> None:
        read(self, *args, **kwargs)
        if not overtaken:
            overtaken.append(end(Status.COMPLETED).is_active)

    monkeypatch.setattr(Download, "refresh_from_db", read_then_overtaken)
    with pytest.raises(services.AlreadyCompleted):
        services.cancel_download(Download.objects.get(), now=NOON)
    assert list(DownloadEvent.objects.values_list("kind", flat=True)) == ["searching", "completed"]


# --- trying again ---------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [Status.FAILED, Status.CANCELLED])
def test_a_retry_carries_over_who_waited(radarr: FakeRadarr, status: Status) -> None:
    for person in (SAM, ALEX, KIM):
        told(ask(person))
    services.withdraw(Download.objects.get().pk, KIM)
    end(status)
    row = services.retry_download(Download.objects.get(), now=NOON)
    assert (row.status, row.generation) == (Status.SEARCHING, 2)
    assert sorted(services.requesters(row)) == sorted([SAM, ALEX])
    assert services.unannounced("") == []  # they need not be told a second time


def test_who_was_carried_over_hears_the_new_end_and_not_the_old(household: Household) -> None:
    household.text(SAM, "get the dark knight")
    end(Status.FAILED)
    household.work()
    services.retry_download(Download.objects.get(), now=timezone.now())
    end(Status.COMPLETED)
    household.work()
    assert [text[:2] for text in household.texts_to(SAM)] == ["🎬 ", "😔 ", "🎉 "]


def test_a_retry_of_what_is_on_its_way_searches_anew(radarr: FakeRadarr) -> None:
    ask()
    services.retry_download(Download.objects.get(), now=NOON)
    assert radarr.commands == [{"name": "MoviesSearch", "movieIds": [1]}]
    assert Download.objects.get().generation == 1


def test_a_retry_of_a_saved_request_leaves_it_to_the_monitor(radarr: FakeRadarr) -> None:
    radarr.fail_with(DOWN)
    ask()
    radarr.calls.clear()
    services.retry_download(Download.objects.get(), now=NOON)
    assert radarr.calls == []


def test_what_is_there_is_not_tried_again() -> None:
    ask()
    end(Status.COMPLETED)
    with pytest.raises(services.AlreadyCompleted):
        services.retry_download(Download.objects.get(), now=NOON)


def test_a_retry_while_radarr_is_away_is_kept(radarr: FakeRadarr) -> None:
    told(ask())
    end(Status.FAILED)
    radarr.fail_with(DOWN)
    row = services.retry_download(Download.objects.get(), now=NOON)
    assert (row.status, row.generation) == (Status.REQUESTED, 2)


# --- looking --------------------------------------------------------------------------------------


def test_a_person_sees_what_they_wait_for_and_not_what_others_do() -> None:
    told(ask(SAM))
    assert [row.tmdb_id for row in services.requests_of(SAM)] == [155]
    assert services.requests_of(ALEX) == []


def test_what_was_left_or_not_yet_told_is_not_listed() -> None:
    taken = ask(SAM)
    assert services.requests_of(SAM) == []
    told(taken)
    services.withdraw(Download.objects.get().pk, SAM)
    assert services.requests_of(SAM) == []


def test_what_ended_is_listed_until_it_is_asked_for_anew() -> None:
    told(ask(SAM))
    end(Status.FAILED)
    assert len(services.requests_of(SAM)) == 1
    told(ask(ALEX))
    assert services.requests_of(SAM) == []
    assert len(services.requests_of(ALEX)) == 1


def test_the_list_is_newest_first_and_has_an_end() -> None:
    for number in range(4):
        match = Match(1000 + number, f"Film {number}", 2000)
        now = NOON + timedelta(minutes=number)
        told(services.request_movie(match, SAM, origin=f"SM{number}:0", now=now))
    listed = [row.tmdb_id for row in services.requests_of(SAM, limit=3)]
    assert listed == [1003, 1002, 1001]


def test_a_film_is_known_by_its_tmdb_id(tmdb: FakeTmdb) -> None:
    assert services.film(155) == Match(155, "The Dark Knight", 2008, "", "2008-07-16")
    with pytest.raises(services.UnknownFilm):
        services.film(999)


def test_tmdb_is_asked_once_for_the_same_title(tmdb: FakeTmdb) -> None:
    first = services.resolve("The Dark Knight")
    assert services.resolve("the dark knight") == first
    assert first.sure
    assert len(tmdb.calls) == 1


def test_tmdb_away_is_an_error_and_not_an_unknown_film(tmdb: FakeTmdb) -> None:
    tmdb.fail_with((503, {}, ""))
    with pytest.raises(services.ServiceError):
        services.film(155)
    with pytest.raises(services.ServiceError):
        services.resolve("The Dark Knight")


def test_a_year_that_finds_nothing_is_left_out(tmdb: FakeTmdb) -> None:
    found = services.resolve("Inception", 1999)
    assert [match.tmdb_id for match in found.matches] == [27205]
    assert not found.sure
