"""A sick service, on real sockets: every fault of every dependency, while somebody asks.

In a fork with the product's own HTTP and short deadlines; only the clock of rows is the harness's.
The service is well again afterwards, and nothing may be lost, said twice or said falsely.
"""

import os
from pathlib import Path
from typing import Any

from tests.chaos import ledger
from tests.chaos.catalogue import DARK_KNIGHT
from tests.chaos.crashpoints import Enumerator, fork, note_errors_in
from tests.chaos.drain import drain
from tests.chaos.model import Verdict, judge, one, reply
from tests.chaos.scenarios import ASK, KNIGHT, SAM
from tests.chaos.servers import FAULTS, SERVICES, Servers
from tests.chaos.stage import Stage, copy_trial, flush_redis

DEADLINE = 0.4
_EXPECTED = [
    reply(SAM, KNIGHT),
    one(SAM, "holding", least=0),
    one(SAM, "started", KNIGHT, least=0),
    one(SAM, "completed", KNIGHT),
]

Case = tuple[str, str, int]


def cases(times: int) -> list[Case]:
    """Return all faults of all services, `times` of each: (service, fault, number)."""
    return [(service, fault, n) for n in range(times) for service in SERVICES for fault in FAULTS]


def play(enumerator: Enumerator, case: Case) -> Verdict:
    """Play one fault of one service and judge what came of it."""
    enumerator.prepare("ask")
    folder = enumerator.folder / f"sick-{os.getpid()}"
    copy_trial(enumerator.source("ask"), folder)
    flush_redis(enumerator.worker)
    note_errors_in(folder / "error")
    fork(lambda: _play(folder, case, enumerator.worker))
    if (folder / "error").exists():
        return Verdict(other=[(folder / "error").read_text().strip().splitlines()[-1]])
    return judge(ledger.read(folder / "ledger"), _EXPECTED, adds={DARK_KNIGHT.tmdb_id: 1})


def _play(folder: Path, case: Case, worker: int) -> None:
    service, fault, number = case
    stage = Stage(folder, redis_db=worker, real_wire=True)
    stage.open()
    with Servers(stage.world) as servers:
        _point_at(servers)
        if number % 3 == 0:  # sick from the beginning
            servers.break_(service, fault)
        sid = stage.text(7, SAM, ASK) if not stage.world.texts else next(iter(stage.world.texts))
        if sid not in stage.world.answered:
            stage.post(sid)
        stage.work()
        servers.mend(service)
        stage.world.grab(DARK_KNIGHT.tmdb_id)
        if number % 3 == 1:  # sick while it downloads
            servers.break_(service, fault)
        stage.pass_time(seconds=40)
        stage.tick()
        stage.world.finish(DARK_KNIGHT.tmdb_id)
        if number % 3 == 2:  # sick when it is ready
            servers.break_(service, fault)
        for _ in range(3):
            stage.pass_time(minutes=3)
            stage.tick()
            stage.work()
        servers.mend(service)
        drain(stage, "backfill", before_end=lambda: _finish(stage))


def _finish(stage: Stage) -> None:
    """Let the film arrive, however late it was added."""
    movie = stage.world.movie_of(DARK_KNIGHT.tmdb_id)
    if movie is not None and not movie["hasFile"]:
        stage.world.finish(DARK_KNIGHT.tmdb_id)
    for _ in range(2):
        stage.pass_time(minutes=1)
        stage.tick()


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
