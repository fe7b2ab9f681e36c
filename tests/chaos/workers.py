"""A few forked workers that take jobs from one pipe, so that a slow job holds up nobody."""

import json
import os
import signal
import struct
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

_NUMBER = struct.Struct("=q")


def spread(
    jobs: Sequence[Any],
    work: Callable[[int, Any], object],
    *,
    workers: int,
    folder: Path,
    ends: float,
) -> list[tuple[Any, Any]]:
    """Have forks do `work(worker, job)` for each job; return (job, result) in the order of jobs.

    Results travel as JSON. At `ends`, of `time.monotonic()`, no new job is begun: what was not
    begun is not in the list.
    """
    reader, writer = os.pipe()
    for number in range(len(jobs)):
        os.write(writer, _NUMBER.pack(number))
    os.close(writer)
    paths = [folder / f"results-{worker}" for worker in range(workers)]
    pids = [_start(worker, reader, jobs, work, paths[worker], ends) for worker in range(workers)]
    os.close(reader)
    try:
        for pid in pids:
            os.waitpid(pid, 0)
    except BaseException:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        raise
    rows = [json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return [(jobs[number], result) for number, result in sorted(rows, key=lambda row: row[0])]


def _start(
    worker: int,
    reader: int,
    jobs: Sequence[Any],
    work: Callable[[int, Any], object],
    path: Path,
    ends: float,
) -> int:
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        with path.open("w") as results:
            while time.monotonic() < ends and (data := os.read(reader, _NUMBER.size)):
                number = _NUMBER.unpack(data)[0]
                results.write(json.dumps([number, work(worker, jobs[number])]) + "\n")
                results.flush()
        code = 0
    finally:
        os._exit(code)
