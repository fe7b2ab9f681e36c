"""Checks of every service moviesms needs, each with what to do when it fails.

`examine()` runs them one by one. Each is a small function that returns its result or raises; each
ends within its time; none leaves a trace, and no result holds a key or a whole phone number. They
stand by service in the modules beside this one.
"""

import logging
import re
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import replace

from django.conf import settings
from django.db import DatabaseError

from downloads.http import ServiceError
from moviesms import live
from moviesms.diagnosis import films, household, radarr, twilio
from moviesms.diagnosis.result import Check, Result, State, fix_for
from moviesms.logs import mask_phone

__all__ = ["CHECKS", "GROUPS", "Check", "Result", "State", "examine"]

PATIENCE = 5.0
"""Seconds that a check may take beyond the deadline of the service it asks."""

CHECKS = (
    *household.SETTINGS_CHECKS,
    *radarr.CHECKS,
    *films.CHECKS,
    *twilio.CHECKS,
    *films.OPENAI_CHECKS,
    *household.REDIS_CHECKS,
    *household.WORK_CHECKS,
)
GROUPS = tuple(dict.fromkeys(check.group for check in CHECKS))

_SECRETS = (
    "RADARR_API_KEY",
    "RADARR_WEBHOOK_SECRET",
    "TMDB_API_KEY",
    "TWILIO_AUTH_TOKEN",
    "TWILIO_ACCOUNT_SID",
    "OPENAI_API_KEY",
    "REDIS_PASSWORD",
    "SECRET_KEY",
)
_SHORTEST_SECRET = 6  # hiding every "key" would hide words
# What Radarr complains of may name an address with a login or a key in its query.
_IN_URL = re.compile(r"(\w+://)(?:[^\s/@]*@)?([^\s?#'\"]*)(?:[?#][^\s'\"]*)?")


def examine(only: Sequence[str] = (), *, quietly: bool = True) -> Iterator[Result]:
    """Run the checks of the groups in `only` (all when empty), and yield each result as it comes.

    `quietly` silences our own log meanwhile, since the results say it better. That is for a
    command: a process that does other things at the same time needs its log.
    """
    shut: dict[str, str] = {}
    for check in CHECKS:
        if only and check.group not in only:
            continue
        if check.group in shut:
            result = Result("skipped", f"not tried, since “{shut[check.group]}” failed")
        else:
            with _silent_log() if quietly else nullcontext():
                result = _bounded(check)
        if check.gate and result.state == "failed":
            shut.setdefault(check.group, check.name)
        yield _plain(replace(result, group=check.group, name=check.name))


# --- Running one check --------------------------------------------------------------------------


def _bounded(check: Check) -> Result:
    """Run a check; one that asks a service does so in a thread, left behind when it hangs."""
    if not check.seconds:
        return _caught(check)
    results: list[Result] = []
    thread = threading.Thread(
        target=lambda: results.append(_caught(check)), name=check.name, daemon=True
    )
    thread.start()
    limit = getattr(settings, check.seconds) + PATIENCE
    thread.join(limit)
    if results:
        return results[0]
    return Result("failed", f"no answer within {limit:g} s", "Find out why it hangs; try again.")


def _caught(check: Check) -> Result:
    """Run a check; an exception is a failed check, told without the values that it may hold."""
    try:
        return check.run()
    except ServiceError as error:
        return Result("failed", _without_name(error), fix_for(error))
    except live.LiveStateDown as error:
        return Result("failed", f"Redis does not answer ({error})", household.redis_fix())
    except DatabaseError as error:
        fix = "Run manage.py migrate, and check DATABASE_URL and DATA_DIR."
        return Result("failed", f"the database failed ({type(error).__name__})", fix)
    except Exception as error:
        fix = "That is not expected: movie_api.log may say more."
        return Result("failed", f"stopped by {type(error).__name__}", fix)


@contextmanager
def _silent_log() -> Iterator[None]:
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


def _plain(result: Result) -> Result:
    """Take keys and phone numbers out of a result, whoever put them there."""
    return replace(result, detail=_without_secrets(result.detail), fix=_without_secrets(result.fix))


def _without_secrets(text: str) -> str:
    for name in _SECRETS:
        secret = str(getattr(settings, name))
        if len(secret) >= _SHORTEST_SECRET:
            text = text.replace(secret, "***")
    return mask_phone(_IN_URL.sub(r"\1\2", " ".join(text.split())))


def _without_name(error: ServiceError) -> str:
    return str(error).removeprefix(f"{error.service} ")
