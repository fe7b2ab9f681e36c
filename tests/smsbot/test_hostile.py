"""A model turned against us, and a phone in bad hands: what holds all the same.

The cases are in hostile.py and hostile_texts.py. After each the same is looked at: one answer at
most, in our own words; films by TMDB's ids alone, found by what was named; nobody else's touched.
"""

import json
import re
import time
import unicodedata
from dataclasses import dataclass
from typing import Any

import pytest
import responses
from django.utils import timezone
from pytest_django.fixtures import Settings

from downloads import services
from downloads.models import Download, DownloadRequest
from downloads.services import Match
from smsbot.models import Contact, InboundMessage
from smsbot.replies import render, segments
from tests.conftest import ALEX, SAM, Household, inbound_form, post_signed
from tests.fakes import Answer, FakeRadarr, FakeTmdb
from tests.smsbot.hostile import MARK, OUTPUTS, reading
from tests.smsbot.hostile_texts import FORMS, INJECTIONS, TEXTS
from tests.smsbot.test_understanding import FakeModel

FILM = "•"
INCEPTION = Match(27205, "Inception", 2010)
ASKED = "could you perhaps find the thing we spoke about on sunday"
SECONDS = 2.0
"""Of the processor, for one text: no pattern is choked by any."""

SECRETS = ("radarr-key-for-tests", "tmdb-key-for-tests", "twilio-token-for-tests")


class WatchedTmdb(FakeTmdb):
    """TMDB, which keeps what was searched for and which films it answered with."""

    def __init__(self) -> None:
        super().__init__()
        self.searched: list[str] = []
        self.answered: set[int] = set()

    def _route(self, request: Any, path: str, query: dict[str, Any]) -> Answer:
        answer = super()._route(request, path, query)
        self.searched.append(query.get("query", ""))
        body = json.loads(answer[2])
        self.answered |= {film["id"] for film in body.get("results", [body]) if "id" in film}
        return answer


@pytest.fixture
def tmdb(mock: responses.RequestsMock) -> WatchedTmdb:
    fake = WatchedTmdb()
    for tmdb_id, title, date in (
        (155, "The Dark Knight", "2008-07-16"),
        (603, "The Matrix", "1999-03-31"),
        (438631, "Dune", "2021-09-15"),
        (841, "Dune", "1984-12-14"),
        (27205, "Inception", "2010-07-15"),
    ):
        fake.add(tmdb_id, title, date)
    fake.install(mock)
    return fake


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> FakeModel:
    return FakeModel().install(monkeypatch, settings)


@pytest.fixture
def others(household: Household, tmdb: WatchedTmdb) -> list[Any]:
    """Alex waits for Inception; what is written of Alex, to be compared afterwards."""
    now = timezone.now()
    asked = services.request_movie(INCEPTION, ALEX, origin="before", now=now)
    services.mark_announced(asked.request_id, now=now, told_end=False)
    Contact.objects.create(address=ALEX, name="Alex")
    tmdb.answered.add(INCEPTION.tmdb_id)
    return _others()


def _others() -> list[Any]:
    contacts = Contact.objects.exclude(address=SAM).values_list(
        "address", "standing", "opted_out_at"
    )
    requests = DownloadRequest.objects.exclude(requester=SAM).values_list("requester", "state")
    films = Download.objects.filter(tmdb_id=INCEPTION.tmdb_id).values_list("status", "version")
    return [*contacts.order_by("id"), *requests.order_by("id"), *films]


# --- What must hold -------------------------------------------------------------------------------


@dataclass
class After:
    """What is looked at after a hostile text, or after a model's hostile answer to one."""

    household: Household
    radarr: FakeRadarr
    tmdb: WatchedTmdb
    others: list[Any]

    def check(self, written: str, *, read: str = "") -> None:
        """Assert what holds; `written` by the person, `read` whatever a model made of it."""
        self._check_inbound()
        self._check_answer(written)
        self._check_radarr()
        self._check_searches(f"{written} {read}")
        assert _others() == self.others, "somebody else's was touched"
        assert self.household.texts_to(ALEX) == [], "somebody else got a text"

    def _check_inbound(self) -> None:
        for message in InboundMessage.objects.all():
            assert (message.state, message.failure) == (InboundMessage.State.HANDLED, "")
            assert message.attempts == 1, "it took a second try"

    def _check_answer(self, written: str) -> None:
        answers = self.household.texts_to(SAM)
        assert len(answers) == len(self.household.twilio.sent) <= 1
        for answer in answers:
            assert segments(answer) <= 3
            assert not [secret for secret in SECRETS if secret in answer]
            lines = _without_films(_without_own_words(answer, written)).splitlines()
            assert [line for line in lines if line not in _our_lines()] == []

    def _check_radarr(self) -> None:
        got = {movie["tmdbId"] for movie in self.radarr.movies.values()}
        assert got <= self.tmdb.answered, "a film that TMDB did not answer with"
        assert self.radarr.adds == len(got)
        assert self.radarr.count("DELETE", "") == self.radarr.count("PUT", "") == 0
        assert self.radarr.commands == []

    def _check_searches(self, named: str) -> None:
        """Nothing is looked for that nobody named, and not without end."""
        folded = _folded(named)
        for searched in self.tmdb.searched:
            for word in re.findall(r"\w+", _folded(searched)):
                is_number = word.isdigit() and len(word) < 3
                assert word in folded or is_number, f"{searched!r} was named by nobody"
        assert len(self.tmdb.searched) <= 20


@pytest.fixture
def after(household: Household, radarr: FakeRadarr, tmdb: WatchedTmdb, others: list[Any]) -> After:
    return After(household, radarr, tmdb, others)


def _folded(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold()
    kept = (c for c in plain if unicodedata.category(c) not in ("Mn", "Cf", "Cc"))
    return "".join(kept).replace("'", "").replace("’", "")


def _without_own_words(answer: str, written: str) -> str:
    """Leave out a title that was not found, if the person wrote it: it may be quoted to them."""
    written = written.replace("\x00", "")
    found = re.search(r'a movie called "(.*)"\. Could you', answer, re.DOTALL)
    if found:
        assert found[1].rstrip("…").casefold() in written.casefold(), "a model's words were quoted"
        answer = answer.replace(f'a movie called "{found[1]}"', "that movie")
    for line in (r"🤔 Not found: (.*)\.", r"✋ I can take five at once\. .* after: (.*)\."):
        several = re.search(rf"(?m)^{line}$", answer)
        for title in several[1].split(", ") if several else []:
            assert title.rstrip("…").casefold() in written.casefold(), "a model's words were quoted"
        if several:
            answer = answer[: several.start(1)] + FILM + answer[several.end(1) :]
    return answer


def _without_films(answer: str) -> str:
    """Put a mark in place of each film of TMDB's, and of a row of them."""
    names = ["The Dark Knight (2008)", "The Matrix (1999)", "Inception (2010)"]
    for name in [*names, "Dune (2021)", "Dune (1984)"]:
        answer = answer.replace(name, FILM)
    return re.sub(rf"{FILM}(, {FILM})*", FILM, re.sub(r"(?m)^\d\. ", "1. ", answer))


def _our_lines() -> set[str]:
    """Return every line that the templates make, with a mark for a film."""
    films = {"film": FILM, "films": [FILM], "lines": [{"film": FILM, "words": "looking for it"}]}
    several = {
        outcome: [FILM]
        for outcome in ("added", "saved", "downloading", "available", "not_found", "tv_not_yet")
    }
    texts = [render("several", **several, offers=[FILM], left_out=[FILM])]
    for template in (
        "added", "ask", "available", "chat", "choose_again", "did_you_mean", "downloading", "help",
        "never_mind", "not_found", "nothing_to_cancel", "status", "status_empty", "tv_not_yet",
        "which_to_cancel", "withdrawn", "status_unknown", "issue_which",
    ):  # fmt: skip
        texts.append(render(template, **films))
    return {line for text in texts for line in text.splitlines()}


# --- A model --------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", OUTPUTS.values(), ids=OUTPUTS)
def test_whatever_a_model_answers(after: After, model: FakeModel, answer: Any) -> None:
    model.answers = [answer]
    after.household.text(SAM, ASKED)
    after.check(ASKED, read=_read_from(answer, model.asked[0]))
    assert MARK not in "".join(after.household.texts_to(SAM))
    assert after.tmdb.count("GET", "/3/(movie|find)/") == 0, "an id of the model's was used"


def _read_from(answer: Any, asked: dict[str, Any]) -> str:
    """Return every word of an answer, whatever form it has."""
    if callable(answer):
        return f"{asked} {answer(asked).text}"
    return answer if isinstance(answer, str) else " ".join(_strings(answer))


def _strings(value: Any) -> list[str]:
    """Return every string inside a reading."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [string for one in inner for string in _strings(one)]
    return [str(value)]


# --- A phone --------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_whatever_a_phone_texts(after: After, text: str) -> None:
    started = time.process_time()
    after.household.text(SAM, text)
    assert time.process_time() - started < SECONDS
    after.check(text)


@pytest.mark.parametrize("text", INJECTIONS.values(), ids=INJECTIONS)
def test_a_model_that_obeys_the_phone(after: After, model: FakeModel, text: str) -> None:
    """The model does as it is told: it cancels Alex's film, and says so."""
    model.answers = [{**reading(intent="cancel"), "titles": [{"title": "Inception"}], "say": MARK}]
    after.household.text(SAM, text)
    after.check(text, read="Inception")
    assert after.household.texts_to(SAM) == [render("nothing_to_cancel")]


@pytest.mark.parametrize("changes", FORMS.values(), ids=FORMS)
def test_a_signed_form_that_is_not_twilios(after: After, changes: dict[str, str]) -> None:
    form = inbound_form(SAM, "get The Matrix", **changes)
    response = post_signed(after.household.client, "/api/sms/webhook", form)
    after.household.work()
    assert response.status_code in (200, 400, 403)
    assert after.household.twilio.sent == []
    assert InboundMessage.objects.count() == 0
    after.check("")


def test_there_are_enough_of_them() -> None:
    assert len(OUTPUTS) >= 200
    assert len(TEXTS) >= 100
