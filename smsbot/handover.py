"""Hand work over to who does it: a Celery worker or, on a small box, threads of this process.

When that fails nothing is lost: the sweep of the monitor's process finds the row.
"""

import os
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor, wait
from contextlib import suppress
from functools import lru_cache

import structlog
from django.conf import settings
from django.db import close_old_connections
from django.utils.module_loading import import_string
from redis.exceptions import RedisError

from moviesms.live import breaker

log = structlog.get_logger(__name__)

_INBOUND = "process_inbound"
_THREADS = 8
_TOGETHER = 16
"""How many texts one task names at most: one worker should not get them all."""
_GATHERING = 0.02
"""The seconds after a publication in which texts gather for the next one."""

_texts: deque[int] = deque()
"""The ids of the texts that are to be published."""
_is_publishing = threading.Lock()


def inbound(inbound_id: int) -> None:
    """Have an inbound message answered now.

    One that comes alone is published at once; those of a burst are published together.
    """
    if settings.WORK_IN_THREADS:
        _hand_over(_INBOUND, inbound_id)
        return
    _texts.append(inbound_id)
    _have_texts_published()


def events() -> None:
    """Have new events told soon: the downloads call this by the setting DOWNLOADS_ON_EVENTS."""
    _hand_over("hand_out")


def line(contact_id: int) -> None:
    """Have what waits for a contact sent now."""
    _hand_over("deliver", contact_id)


def side_by_side(job: Callable[[int], None], ids: Sequence[int]) -> None:
    """Do a job for each of `ids`, the first one here and the others in threads, until all is done.

    Raises what the first one raises; what goes wrong with the others is logged.
    """
    first, *others = ids
    begun = [_threads().submit(_do, job, other) for other in others]
    try:
        job(first)
    finally:
        wait(begun)


def stop() -> None:
    """Begin nothing more in threads of this process, which is ending."""
    _threads().shutdown(wait=False, cancel_futures=True)


def _hand_over(name: str, *args: int) -> None:
    """Have the function of this name in `smsbot.work` called; a process that ends takes no more."""
    with suppress(RuntimeError):
        if settings.WORK_IN_THREADS:
            _threads().submit(_do, import_string(f"smsbot.work.{name}"), *args)
        else:
            _publisher().submit(_publish, name, *args)


def _have_texts_published() -> None:
    """Have somebody publish the texts that wait, unless somebody is at it."""
    if _is_publishing.acquire(blocking=False):
        try:
            _publisher().submit(_publish_texts)
        except RuntimeError:  # this process ends, or there is no room for a thread
            _is_publishing.release()


def _publish_texts() -> None:
    """Publish the texts that nobody has published yet; those that gather meanwhile are next."""
    try:
        ids = [_texts.popleft() for _ in range(len(_texts))]
        for start in range(0, len(ids), _TOGETHER):
            _publish(_INBOUND, *ids[start : start + _TOGETHER])
        pause(_GATHERING)
    finally:
        _is_publishing.release()
        if _texts:
            _have_texts_published()


def pause(seconds: float) -> None:
    """Wait after a publication. Tests replace this name, so that they never sleep."""
    time.sleep(seconds)


def _publish(name: str, *args: int) -> None:
    """Publish a task; a broker that does not answer at once is left to the sweep."""
    if breaker.is_open:
        return
    # Loaded by who publishes, and by nobody else: Celery is a fifth of a process.
    from kombu.exceptions import OperationalError

    from moviesms.celery import app

    try:
        app.send_task(f"smsbot.tasks.{name}", args=args, retry=False)
    except (OperationalError, RedisError, OSError) as error:
        breaker.failed(type(error).__name__, retry_after=settings.REDIS_RETRY_AFTER)
    except Exception:  # in a thread nobody else would tell of it
        log.exception("handing over failed", job=name, args=args)
    else:
        breaker.succeeded()


@lru_cache(maxsize=1)
def _publisher() -> Executor:
    return ThreadPoolExecutor(max_workers=1, thread_name_prefix="publish")


@lru_cache(maxsize=1)
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=_THREADS, thread_name_prefix="work")


def _begin_anew() -> None:
    """Forget, in a fork, the threads that only the parent has, and what they were at."""
    global _is_publishing
    _is_publishing = threading.Lock()
    _texts.clear()
    _publisher.cache_clear()
    _threads.cache_clear()


os.register_at_fork(after_in_child=_begin_anew)


def _do(job: Callable[..., None], *args: int) -> None:
    close_old_connections()  # one that died; a living one lasts from one job to the next
    try:
        job(*args)
    except Exception:
        log.exception("work failed", job=job.__name__, args=args)
