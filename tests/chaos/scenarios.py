"""What is being done when the process dies: a preparation, the deed, and what must come of it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tests.chaos.catalogue import DARK_KNIGHT, DUNE, INCEPTION, MATRIX
from tests.chaos.model import ANSWERS, Expect, one, reply
from tests.chaos.stage import Fault, Play, Stage

SAM, ALEX, KIM = "+12025550142", "+12025550175", "+12025550119"
ASK = "Can you get The Dark Knight for me?"
KNIGHT = DARK_KNIGHT.name


@dataclass(frozen=True)
class Scenario:
    """One deed. `prepare` runs once and is never killed; `act` runs under the tracer."""

    name: str
    promises: str  # the promises of the design that it puts to the proof
    prepare: Play
    act: Play
    expected: Sequence[Expect]
    adds: dict[int, int] = field(default_factory=lambda: {DARK_KNIGHT.tmdb_id: 1})
    faults: Callable[[], dict[str, Fault]] = dict
    redis_is_up: bool = True
    again: Play | None = None  # what a person repeats who had no answer
    # A text that was cut off, asked about and cut off again is given up, and the owner told.
    may_give_up: bool = False
    gone: frozenset[int] = frozenset()  # films that must have left Radarr's library


def _installed(stage: Stage) -> None:
    """The monitor has looked at Twilio's list before, so that what comes now is ours."""
    from smsbot import backfill

    backfill.run_if_due(stage.now)
    stage.pass_time(minutes=30)


def _asked(stage: Stage, *people: str) -> None:
    _installed(stage)
    for number, person in enumerate(people or (SAM,), start=900):
        stage.text(number, person, ASK)
        stage.work()
    stage.pass_time(seconds=30)


def _downloading(stage: Stage) -> None:
    _asked(stage, SAM, ALEX, KIM)
    stage.world.grab(DARK_KNIGHT.tmdb_id)
    stage.tick()
    stage.pass_time(minutes=5)
    stage.world.finish(DARK_KNIGHT.tmdb_id)


def _texting(*texts: tuple[str, str], after: Play = _installed) -> Play:
    """Return a preparation at whose end Twilio holds `texts` and has posted none of them."""

    def prepare(stage: Stage) -> None:
        after(stage)
        for number, (sender, body) in enumerate(texts, start=1):
            stage.world.record("text", sid=f"SM{number:032x}", sender=sender, body=body)

    return prepare


def _arrive(stage: Stage) -> None:
    """Twilio posts the texts that it holds, and a worker answers them."""
    for sid in [sid for sid in stage.world.texts if sid not in stage.world.answered]:
        stage.post(sid)
    stage.work()


def _arrive_twice(stage: Stage) -> None:
    """Twilio posts every text twice, and between the two a worker has begun."""
    for sid in [sid for sid in stage.world.texts if sid not in stage.world.answered]:
        stage.post(sid)
        stage.work()
        stage.post(sid)
    stage.work()


def _ask_which(stage: Stage) -> None:
    _installed(stage)
    stage.text(900, SAM, "get Dune")
    stage.work()


def _ask_which_and_wait(stage: Stage) -> None:
    _ask_which(stage)
    stage.pass_time(minutes=13)  # the question is open for two more


def _prepare_start(stage: Stage) -> None:
    _asked(stage)
    stage.world.grab(DARK_KNIGHT.tmdb_id)


def _prepare_saved(stage: Stage) -> None:
    stage.faults["radarr"] = Fault("refuse")
    _asked(stage, SAM, ALEX)
    stage.faults.clear()


def _backfill(stage: Stage) -> None:
    from smsbot import backfill

    backfill.run_if_due(stage.now)
    stage.work()


def _prepare_unknown(stage: Stage) -> None:
    _installed(stage)
    stage.faults["twilio"] = Fault("reset_after", "POST")
    stage.text(900, SAM, ASK)
    stage.work()
    stage.faults.clear()
    stage.pass_time(seconds=95)


def _prepare_not_taken(stage: Stage) -> None:
    _installed(stage)
    stage.faults["twilio"] = Fault("reset_before", "POST")
    stage.text(900, SAM, ASK)
    stage.work()
    stage.faults.clear()
    stage.pass_time(seconds=95)


def _resolve(stage: Stage) -> None:
    from smsbot import unknown

    for _ in range(3):
        unknown.settle_expired(stage.now)
        unknown.resolve_due(stage.now)
        stage.work()
        stage.pass_time(seconds=95)


def _ask_and_resolve(stage: Stage) -> None:
    """The sweep looks a few seconds after a text was cut off: too early to ask."""
    _arrive(stage)
    stage.pass_time(seconds=10)
    _resolve(stage)


def _cancel(stage: Stage) -> None:
    from downloads import services

    services.cancel_download(services.download(DARK_KNIGHT.tmdb_id), now=stage.now)


def _cancel_and_remove(stage: Stage) -> None:
    _cancel(stage)
    stage.work()
    stage.pass_time(seconds=30)
    stage.tick()


def _tick_beside_cancel(stage: Stage) -> None:
    """While a tick reads Radarr, the owner cancels the film in another process."""
    stage.meanwhile["radarr", "history/since"] = lambda: _cancel(stage)
    stage.tick()
    stage.pass_time(seconds=30)
    stage.tick()
    stage.work()


def _be_overtaken(stage: Stage) -> None:
    """A worker sleeps through its lease while TMDB answers; another answers the text meanwhile."""

    def sleep() -> None:
        stage.pass_time(minutes=4)
        stage.work()
        stage.faults["tmdb"] = Fault("500")

    stage.meanwhile["tmdb", "search"] = sleep
    _arrive(stage)
    stage.faults.clear()
    stage.pass_time(minutes=6)
    stage.work()


def _tick_while_sick(stage: Stage) -> None:
    """No film of Radarr can be read by its number for a while; all the rest can."""
    stage.faults["radarr"] = Fault("500", path=r"/movie/\d+$")
    for _ in range(4):
        stage.pass_time(minutes=3)
        stage.tick()
    stage.faults.clear()
    stage.pass_time(minutes=1)
    stage.tick()


def _prepare_failing(stage: Stage) -> None:
    _prepare_start(stage)
    stage.tick()
    stage.world.fail(DARK_KNIGHT.tmdb_id)
    stage.pass_time(seconds=30)
    stage.tick()
    stage.pass_time(minutes=16)


def _told_start(*people: str) -> list[Expect]:
    return [one(person, "started", KNIGHT) for person in people]


def _told_ready(*people: str) -> list[Expect]:
    return [one(person, "completed", KNIGHT) for person in people]


def _replies(*people: str) -> list[Expect]:
    return [reply(person, KNIGHT) for person in people]


_ONE_ASKS = _texting((SAM, ASK))
_TWO_ASK = _texting((SAM, ASK), (ALEX, "get the dark knight"))

_ALL = (
    Scenario("ask", "P1 P3 P5", _ONE_ASKS, _arrive, _replies(SAM)),
    Scenario("ask-twice-posted", "P3", _ONE_ASKS, _arrive_twice, _replies(SAM)),
    Scenario("ask-without-redis", "P6", _ONE_ASKS, _arrive, _replies(SAM), redis_is_up=False),
    Scenario("two-one-film", "P1 P5", _TWO_ASK, _arrive, _replies(SAM, ALEX)),
    Scenario(
        "two-films",
        "P1",
        _texting((SAM, "get Inception and The Matrix")),
        _arrive,
        [Expect(SAM, ANSWERS | {"several"}, answers=True)],
        {INCEPTION.tmdb_id: 1, MATRIX.tmdb_id: 1},
    ),
    Scenario(
        "choose",
        "P1",
        _texting((SAM, "1"), after=_ask_which),
        _arrive,
        [one(SAM, "ask"), reply(SAM, DUNE.name)],
        {DUNE.tmdb_id: 1},
    ),
    Scenario(
        "choose-late",
        "P1",
        _texting((SAM, "1"), after=_ask_which_and_wait),
        _arrive,
        [one(SAM, "ask"), reply(SAM, DUNE.name)],
        {DUNE.tmdb_id: 1},
    ),
    Scenario("started", "P4", _prepare_start, Stage.tick, [*_replies(SAM), *_told_start(SAM)]),
    Scenario(
        "completed",
        "P4 P5",
        _downloading,
        Stage.tick,
        [
            *_replies(SAM, ALEX, KIM),
            *_told_start(SAM, ALEX, KIM),
            *_told_ready(SAM, ALEX, KIM),
        ],
    ),
    Scenario(
        "completed-without-redis",
        "P6",
        _downloading,
        Stage.tick,
        [
            *_replies(SAM, ALEX, KIM),
            *_told_start(SAM, ALEX, KIM),
            *_told_ready(SAM, ALEX, KIM),
        ],
        redis_is_up=False,
    ),
    Scenario(
        "failed",
        "P4",
        _prepare_failing,
        Stage.tick,
        [*_replies(SAM), *_told_start(SAM), one(SAM, "failed", KNIGHT)],
    ),
    Scenario("saved-then-added", "P7", _prepare_saved, Stage.tick, _replies(SAM, ALEX)),
    Scenario("backfill", "P2", _TWO_ASK, _backfill, _replies(SAM, ALEX)),
    Scenario(
        "send-times-out-after-commit",
        "P7",
        _ONE_ASKS,
        _arrive,
        _replies(SAM),
        faults=lambda: {"twilio": Fault("timeout", "POST", times=1)},
    ),
    Scenario(
        "send-hidden",
        "P7",
        _ONE_ASKS,
        _arrive,
        _replies(SAM),
        faults=lambda: {"twilio": Fault("reset_after", "POST", times=1, hidden=True)},
    ),
    Scenario(
        "send-always-hidden",
        "P7",
        _ONE_ASKS,
        _ask_and_resolve,
        _replies(SAM),
        faults=lambda: {"twilio": Fault("reset_after", "POST", hidden=True)},
        may_give_up=True,
    ),
    Scenario(
        "unknown-at-once",
        "P7",
        _ONE_ASKS,
        _ask_and_resolve,
        _replies(SAM),
        faults=lambda: {"twilio": Fault("reset_after", "POST", times=1)},
    ),
    Scenario("find-at-twilio", "P7", _prepare_unknown, _resolve, _replies(SAM)),
    Scenario("send-once-more", "P7", _prepare_not_taken, _resolve, _replies(SAM), may_give_up=True),
    Scenario(
        "add-times-out-after-commit",
        "P7 P5",
        _ONE_ASKS,
        _arrive,
        _replies(SAM),
        faults=lambda: {"radarr": Fault("timeout", "POST", times=1)},
    ),
    Scenario(
        "add-reset-before-commit",
        "P7",
        _ONE_ASKS,
        _arrive,
        _replies(SAM),
        faults=lambda: {"radarr": Fault("reset_before", "POST", times=1)},
    ),
    Scenario(
        "cancel",
        "P4",
        lambda stage: _asked(stage, SAM, ALEX),
        _cancel_and_remove,
        [*_replies(SAM, ALEX), one(SAM, "cancelled", KNIGHT), one(ALEX, "cancelled", KNIGHT)],
        again=_cancel,
        gone=frozenset({DARK_KNIGHT.tmdb_id}),
    ),
    Scenario(
        "cancel-beside-tick",
        "P4",
        _prepare_start,
        _tick_beside_cancel,
        [*_replies(SAM), one(SAM, "cancelled", KNIGHT)],
        again=_cancel,
        gone=frozenset({DARK_KNIGHT.tmdb_id}),
    ),
    Scenario("overtaken", "P1 P3", _ONE_ASKS, _be_overtaken, _replies(SAM)),
    Scenario("radarr-half-sick", "P7", _asked, _tick_while_sick, _replies(SAM)),
    Scenario(
        "withdraw",
        "P1",
        _texting((SAM, "never mind the dark knight"), after=lambda stage: _asked(stage, SAM, ALEX)),
        _arrive,
        [*_replies(SAM, ALEX), reply(SAM, "", {"withdrawn", "nothing_to_cancel"})],
    ),
)

SCENARIOS = {scenario.name: scenario for scenario in _ALL}
QUICK = (
    "ask",
    "two-one-film",
    "choose",
    "started",
    "completed",
    "saved-then-added",
    "backfill",
    "send-times-out-after-commit",
    "add-times-out-after-commit",
    "ask-without-redis",
    "cancel",
)
"""The main scenarios: what `--quick` has the time for."""
CLOCK = tuple(name for name in QUICK if name != "choose")  # a question may rightly be too old then
"""Those in which our clock jumps."""
JUMPS = (-3600, -90, 90, 2400)
"""By how many seconds."""
