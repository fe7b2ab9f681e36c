"""How quickly a text is taken, against the floor: `python -m benchmarks.ack`.

Both are served by one granian process with sixteen threads on SQLite with synchronous=FULL. The
floor checks the signature and inserts one row. We run twice: once with worker and monitor stopped,
so that like is held against like, and once whole, answering meanwhile. Floor and ours take turns,
so that both meet the machine as it is, and their middle rounds are compared.
"""

import argparse
import sys
from collections.abc import Sequence
from itertools import islice
from statistics import median

from benchmarks.load import Result, as_fast_as_possible, at_rate, texts
from benchmarks.stack import Stack, account, floor, moviesms, stopped

BODY = "hello there"
"""Small talk: it costs the worker no search, so that what is measured is the taking."""


ROUND = 400
"""Texts in one round, before it is the other's turn."""


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=10, help=f"of {ROUND} texts each (10)")
    parser.add_argument("--rates", type=int, nargs="*", default=[20, 100], help="texts a second")
    parser.add_argument("--seconds", type=int, default=20, help="for each rate (20)")
    parser.add_argument("--small", action="store_true", help="measure `up --small`")
    options = parser.parse_args()
    with floor() as port:
        if not options.small:  # there the same process takes and answers
            with moviesms() as stack, stopped(stack, "celery", "run_download_monitor"):
                _measure("taking alone", stack, port, options)
        with moviesms(*(["--small"] if options.small else [])) as stack:
            _measure("while answering", stack, port, options)
    return 0


def _measure(name: str, stack: Stack, floor_port: int, options: argparse.Namespace) -> None:
    ours, at_floor = texts(stack.account, BODY), texts(account(floor_port), BODY)
    for port, requests in ((stack.port, ours), (floor_port, at_floor)):
        as_fast_as_possible(port, list(islice(requests, 200)), connections=4)  # warm
    for rate in options.rates:
        many = list(islice(ours, rate * options.seconds))
        _show(f"{name}, {rate} a second", at_rate(stack.port, many, per_second=rate))
    rounds: dict[int, list[Result]] = {floor_port: [], stack.port: []}
    for _ in range(options.rounds):
        for port, requests in ((floor_port, at_floor), (stack.port, ours)):
            many = list(islice(requests, ROUND))
            rounds[port].append(as_fast_as_possible(port, many, connections=8))
    for what, port in (("floor", floor_port), (name, stack.port)):
        _show(f"{what}, as fast as taken", _all_of(rounds[port]))
    floor_rate, rate = (
        median(result.rate for result in rounds[port]) for port in (floor_port, stack.port)
    )
    print(f"rate against the floor: {100 * rate / floor_rate:.0f} %", flush=True)


def _all_of(rounds: Sequence[Result]) -> Result:
    return Result(
        [seconds for result in rounds for seconds in result.seconds],
        sum(result.refused for result in rounds),
        sum(result.elapsed for result in rounds),
    )


def _show(what: str, result: Result) -> None:
    milliseconds = "  ".join(
        f"p{percent} {1000 * result.percentile(percent):.1f} ms" for percent in (50, 90, 99)
    )
    print(f"{what:28} {result.rate:7.0f}/s  {milliseconds}  refused {result.refused}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
