"""A sick service, on real sockets: every fault of every dependency, at each of three times.

It is sick while the first person asks; or while her film downloads and a second one asks; or when
her film is ready and a third one asks. So every service is asked for something while it is sick.

In a fork with the product's own HTTP and short deadlines; only the clock of rows is the harness's.
The service is well again afterwards, and nothing may be lost, said twice or said falsely.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from tests.chaos import ledger
from tests.chaos.catalogue import DARK_KNIGHT, INCEPTION, MATRIX
from tests.chaos.crashpoints import Enumerator
from tests.chaos.drain import drain
from tests.chaos.forks import fork, note_errors_in
from tests.chaos.model import Verdict, judge, one, reply
from tests.chaos.scenarios import ALEX, ASK, KIM, SAM
from tests.chaos.servers import FAULTS, SERVICES, Servers
from tests.chaos.stage import Stage, copy_trial, flush_redis

DEADLINE = 0.4
_LATE = "Can you get Inception for me?"
_ASKED = ((SAM, DARK_KNIGHT, ASK), (ALEX, MATRIX, "get The Matrix"), (KIM, INCEPTION, _LATE))
_EXPECTED = [
    expected
    for person, film, _ in _ASKED
    for expected in (
        reply(person, film.name),
        one(person, "holding", least=0),
        one(person, "started", film.name, least=0),
        one(person, "completed", film.name),
    )
]
_ADDS = {film.tmdb_id: 1 for _, film, _ in _ASKED}

Case = tuple[str, str, int]


def cases(times: int) -> list[Case]:
    """Return all faults of all services, `times` of each: (service, fault, number)."""
    return [(service, fault, n) for n in range(times) for service in SERVICES for fault in FAULTS]


def warm_up() -> None:
    """Load OpenAI's SDK, which takes longer than a deadline here, before anything forks."""
    import openai

    from smsbot.understanding import client_for

    with suppress(openai.OpenAIError):
        nobody = client_for("key", "http://127.0.0.1:9/v1", DEADLINE)
        nobody.chat.completions.create(model="none", messages=[])


def play(enumerator: Enumerator, case: Case) -> tuple[bool, Verdict]:
    """Play one fault of one service; return whether anybody met it, and what came of it."""
    enumerator.prepare("ask")
    folder = enumerator.folder / f"sick-{os.getpid()}"
    copy_trial(enumerator.source("ask"), folder)
    flush_redis(enumerator.worker)
    note_errors_in(folder / "error")
    fork(lambda: _play(folder, case, enumerator.worker))
    if (folder / "error").exists():
        return True, Verdict(other=[(folder / "error").read_text().strip().splitlines()[-1]])
    entries = ledger.read(folder / "ledger")
    met = any(entry["kind"] == "met" for entry in entries)
    return met, judge(entries, _EXPECTED, adds=_ADDS)


def _play(folder: Path, case: Case, worker: int) -> None:
    service, fault, number = case
    stage = Stage(folder, worker=worker, real_wire=True)
    stage.open()
    with Servers(stage.world) as servers:
        _point_at(servers)
        for time, deed in enumerate((_ask, _download, _get_ready)):
            if time == number % 3:
                servers.break_(service, fault)
            deed(stage)
            servers.mend(service)
        drain(stage, "backfill", before_end=lambda: _finish(stage))


def _ask(stage: Stage) -> None:
    for sid in stage.world.texts:  # the first person's, as it was prepared
        stage.post(sid)
    stage.work()


def _download(stage: Stage) -> None:
    stage.world.grab(DARK_KNIGHT.tmdb_id)
    _text(stage, 1)
    for _ in range(2):
        stage.pass_time(seconds=40)
        stage.tick()
        stage.work()


def _get_ready(stage: Stage) -> None:
    stage.world.finish(DARK_KNIGHT.tmdb_id)
    _text(stage, 2)
    for _ in range(3):
        stage.pass_time(minutes=3)
        stage.tick()
        stage.work()


def _text(stage: Stage, number: int) -> None:
    person, _, body = _ASKED[number]
    stage.text(number + 10, person, body)
    stage.work()


def _finish(stage: Stage) -> None:
    """Let the films arrive, however late they were added."""
    for _, film, _ in _ASKED:
        movie = stage.world.movie_of(film.tmdb_id)
        if movie is not None and not movie["hasFile"]:
            stage.world.finish(film.tmdb_id)
    for _ in range(2):
        stage.pass_time(minutes=1)
        stage.tick()
        stage.work()


def _point_at(servers: Servers) -> None:
    from django.conf import settings

    changed: dict[str, Any] = {
        "RADARR_URL": servers.url("radarr"),
        "TMDB_URL": servers.url("tmdb"),
        "TWILIO_API_URL": servers.url("twilio"),
        "OPENAI_BASE_URL": servers.url("openai") + "/v1",
        "OPENAI_API_KEY": "key",
    }
    changed |= {f"{name.upper()}_DEADLINE": DEADLINE for name in SERVICES}
    for name, value in changed.items():
        setattr(settings, name, value)
