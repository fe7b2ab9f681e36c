"""The harness itself: its judge sees what is planted, and its enumerator kills where it says."""

import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.answers import Call
from tests.chaos.catalogue import DARK_KNIGHT, made_up, search
from tests.chaos.crashpoints import Point
from tests.chaos.ledger import Entry, Ledger, read
from tests.chaos.model import Verdict, judge, one, reply
from tests.chaos.mutants import MUTANTS, Mutant
from tests.chaos.report import PROMISES, Finding, Report
from tests.chaos.scenarios import QUICK, SCENARIOS
from tests.chaos.stage import NOON, ROOT, Stage
from tests.chaos.standins import World
from tests.chaos.tracing import Picture, Reel

SAM = "+12025550142"
NAME = DARK_KNIGHT.name
ADDED = f"🎬 Great! I found '{NAME}' and added it to your download queue. I'll send you updates"
STARTED = f"🎬 Great! I'm getting {NAME} ready for you. I'll text you when it's ready to watch!"
FAILED = f"😔 Sorry, I couldn't get {NAME} ready for you."
END = {"kind": "end", "unsettled": []}
ADD = {"kind": "add", "tmdb": DARK_KNIGHT.tmdb_id}


def create(body: str, **more: Any) -> Entry:
    return {"kind": "create", "to": SAM, "body": body, "hidden": False, "callback": "", **more}


def verdict(*entries: Entry) -> Verdict:
    expected = [reply(SAM, NAME), one(SAM, "started", NAME)]
    return judge([ADD, *entries, END], expected, adds={DARK_KNIGHT.tmdb_id: 1})


def test_the_judge_passes_what_is_right() -> None:
    assert verdict(create(ADDED), create(STARTED)).passed


def test_the_judge_sees_a_loss() -> None:
    assert verdict(create(ADDED)).lost == [f"started of {NAME} to 0142 (0 of 1)"]


def test_the_judge_sees_a_duplicate() -> None:
    found = verdict(create(ADDED), create(STARTED), create(STARTED)).duplicate
    assert found == [f"started of {NAME} to 0142 (2 for 1)"]


def test_the_judge_sees_a_false_failure() -> None:
    assert verdict(create(ADDED), create(STARTED), create(FAILED)).false_failed


def test_the_judge_sees_a_second_film_in_radarr() -> None:
    assert verdict(ADD, create(ADDED), create(STARTED)).duplicate


def test_a_text_that_twilio_hid_may_come_twice_and_never_three_times() -> None:
    hidden = create(STARTED, hidden=True, callback="x")
    again = create(STARTED, callback="x")
    assert verdict(create(ADDED), hidden, again).passed
    assert verdict(create(ADDED), hidden, hidden, again).duplicate


def test_what_is_not_settled_is_lost() -> None:
    found = judge([{"kind": "end", "unsettled": ["inbound 1 received"]}], [], adds={})
    assert found.lost


def test_the_ledger_keeps_what_was_written_and_drops_half_a_line(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger")
    ledger.append("text", sid="SM1")
    os.write(ledger._file, b'{"kind": "crea')
    assert read(ledger.path) == [{"kind": "text", "sid": "SM1"}]


def test_a_world_is_what_its_ledger_tells(tmp_path: Path) -> None:
    def world() -> World:
        return World(Ledger(tmp_path / "ledger"), lambda: datetime(2026, 3, 1, tzinfo=UTC))

    first = world()
    body = b'{"tmdbId": 155, "title": "The Dark Knight", "year": 2008}'
    add = Call("POST", "/api/v3/movie", {}, body)
    assert first.answer("radarr", add).status == 201
    first.grab(155)
    second = world()
    assert second.movies == first.movies
    assert second.queue == first.queue
    assert second.answer("radarr", add).status == 400


def test_made_up_films_are_found_by_their_own_names() -> None:
    assert search(made_up(1234).title) == [made_up(1234)]


def test_too_few_trials_are_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report(dict.fromkeys(PROMISES, 10))
    report.add(Finding("ask:1", tuple(PROMISES), {}, trials=9))
    assert not report.print()
    report.add(Finding("ask:2", tuple(PROMISES), {}, trials=1))
    assert report.print()
    assert "P4 lost=0 duplicate=0 trials=10 PASS" in capsys.readouterr().out


def test_what_was_dealt_too_seldom_is_a_failure(capsys: pytest.CaptureFixture[str]) -> None:
    report = Report({"leader pauses": 2})
    report.add(Finding("paused", tuple(PROMISES), {}))
    report.note("leader pauses", 1)
    assert not report.print()
    assert "leader pauses=1 (too few: 2 needed) FAIL" in capsys.readouterr().out
    report.note("leader pauses", 1)
    assert report.print()


@pytest.mark.parametrize(("load", "passed"), [(0.1, False), (3.0, True)])
def test_a_slow_webhook_fails_on_a_quiet_machine_and_is_weighed_on_a_busy_one(
    monkeypatch: pytest.MonkeyPatch, load: float, passed: bool
) -> None:
    monkeypatch.setattr(os, "getloadavg", lambda: (load, load, load))
    report = Report({})
    report.add(Finding("troubled", tuple(PROMISES), {}))
    report.webhooks("a service sick", 0.4, 0.3, control=0.2, judged=True)
    assert report.print() is passed


def test_a_text_that_newer_news_made_needless_is_no_loss() -> None:
    entries = [ADD, create(STARTED), {**END, "excused": [[SAM, "added"]]}]
    expected = [reply(SAM, NAME), one(SAM, "started", NAME)]
    assert judge(entries, expected, adds={DARK_KNIGHT.tmdb_id: 1}).passed


APOLOGY = "😔 Sorry, something went wrong on my side. Please ask me again."
GIVEN_UP = {**END, "excused": [[SAM, "apology"]]}


def test_an_apology_takes_the_place_of_a_reply_that_was_given_up() -> None:
    assert verdict(create(ADDED), create(APOLOGY), create(STARTED)).other
    expected = [reply(SAM, NAME), one(SAM, "started", NAME)]
    assert judge([create(APOLOGY), GIVEN_UP], expected, adds={DARK_KNIGHT.tmdb_id: 1}).passed


def test_who_was_given_up_has_one_apology() -> None:
    expected = [reply(SAM, NAME)]
    assert judge([GIVEN_UP], expected, adds={}).lost
    assert judge([create(APOLOGY), create(APOLOGY), GIVEN_UP], expected, adds={}).duplicate


def test_many_texts_that_are_given_up_are_a_loss() -> None:
    people = [f"+1202555{number:04d}" for number in range(150)]
    expected = [reply(person, "") for person in people]
    end = {**END, "excused": [[person, "apology"] for person in people[:2]]}
    said = [create(APOLOGY if n < 2 else ADDED, to=who) for n, who in enumerate(people)]
    assert judge([*said, end], expected, adds={}).lost == ["2 of 150 texts given up"]


@pytest.mark.parametrize("name", ["ask:40", "ask:40:below", "ask:40:again:7", "ask:40:clock:-3600"])
def test_a_point_is_read_as_it_is_written(name: str) -> None:
    assert str(Point.parse(name)) == name


def test_a_picture_is_named_by_a_line_of_ours_if_it_has_one() -> None:
    assert str(Point.of(Picture("ask", 300, 40, before=12, lines_of_ours=3))) == "ask:13"
    assert str(Point.of(Picture("ask", 300, 40, before=12, lines_of_ours=0))) == "ask:300:below"


def test_a_reel_survives_the_way_to_another_process() -> None:
    reel = Reel([Picture("ask", 1, 40, 0, 3)], 39, 2, {("smsbot/inbound.py", 80): 1})
    assert Reel.of_data(json.loads(json.dumps(reel.as_data()))) == reel


def test_while_our_clock_is_off_the_worlds_is_not(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.world = World(Ledger(tmp_path / "ledger"), lambda: stage.now - stage.skew)
    stage.put_clock_off(-3600)
    assert stage.now == NOON - timedelta(hours=1)
    assert stage.world.clock() == NOON
    stage.put_clock_right()
    assert stage.now == NOON


def test_every_promise_has_scenarios() -> None:
    told = {promise for one in SCENARIOS.values() for promise in one.promises.split()}
    assert told == set(PROMISES)
    assert set(QUICK) <= set(SCENARIOS)


@pytest.mark.processes
@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_every_planted_bug_fits_the_product(mutant: Mutant) -> None:
    assert all(compile(source, "", "exec") for _, source in mutant.changed())


def test_the_enumerator_kills_at_the_line_it_says() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "tests.chaos", "--replay", "saved-then-added:40"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "saved-then-added:40: killed at" in done.stdout
