"""How quickly a text is taken, against the floor: `python -m benchmarks.ack`.

Both are served by one granian process with sixteen threads on SQLite with synchronous=FULL. The
floor checks the signature and inserts one row. We run twice: once with worker and monitor stopped,
so that like is held against like, and once whole, answering meanwhile.
"""

import argparse
import sys
from itertools import islice

from benchmarks.load import Result, as_fast_as_possible, at_rate, texts
from benchmarks.stack import account, floor, moviesms, stopped

BODY = "hello there"
"""Small talk: it costs the worker no search, so that what is measured is the taking."""


def main() -> int:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=2000, help="as fast as they are taken (2000)")
    parser.add_argument("--rates", type=int, nargs="*", default=[20, 100], help="texts a second")
    parser.add_argument("--seconds", type=int, default=20, help="for each rate (20)")
    parser.add_argument("--small", action="store_true", help="measure `up --small`")
    options = parser.parse_args()
    with floor() as port:
        at_floor = _measure("floor", port, options)
    if not options.small:  # there the same process takes and answers
        with moviesms() as stack, stopped(stack, "celery", "run_download_monitor"):
            _against(at_floor, _measure("taking alone", stack.port, options))
    with moviesms(*(["--small"] if options.small else [])) as stack:
        _against(at_floor, _measure("while answering", stack.port, options))
    return 0


def _against(at_floor: Result, ours: Result) -> None:
    print(f"rate against the floor: {100 * ours.rate / at_floor.rate:.0f} %", flush=True)


def _measure(name: str, port: int, options: argparse.Namespace) -> Result:
    requests = texts(account(port), BODY)
    as_fast_as_possible(port, list(islice(requests, 100)), connections=4)  # warm
    for rate in options.rates:
        many = list(islice(requests, rate * options.seconds))
        _show(f"{name}, {rate} a second", at_rate(port, many, per_second=rate))
    result = as_fast_as_possible(port, list(islice(requests, options.texts)), connections=8)
    _show(f"{name}, as fast as taken", result)
    return result


def _show(what: str, result: Result) -> None:
    milliseconds = "  ".join(
        f"p{percent} {1000 * result.percentile(percent):.1f} ms" for percent in (50, 90, 99)
    )
    print(f"{what:28} {result.rate:7.0f}/s  {milliseconds}  refused {result.refused}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
