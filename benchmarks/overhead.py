"""What we add between a text and its answer: `python -m benchmarks.overhead`.

From the webhook's request to the moment when Twilio is handed the reply, less the time that the
services took to answer: reading by rules, a search on TMDB, a film that is in Radarr already.
"""

import argparse
import socket
import statistics
import sys
import time
from itertools import islice

import requests as http

from benchmarks.load import texts
from benchmarks.stack import Stack, moviesms

BODY = "can you get The Dark Knight for me?"


def main() -> int:
    """Measure, and print percentiles."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--texts", type=int, default=100, help="how many, one after the other")
    parser.add_argument("--small", action="store_true", help="measure `up --small`")
    options = parser.parse_args()
    with moviesms(*(["--small"] if options.small else [])) as stack:
        many = texts(stack.account, BODY)
        for request in islice(many, 10):
            _one(stack, request)  # warm
        own = [_one(stack, request) for request in islice(many, options.texts)]
    quarters = statistics.quantiles(own, n=20)
    print(f"own time from text to reply: median {1000 * statistics.median(own):.1f} ms", end="  ")
    print(f"p95 {1000 * quarters[-1]:.1f} ms  ({len(own)} texts)")
    return 0


def _one(stack: Stack, request: bytes) -> float:
    """Return the seconds that were ours between one text and its reply."""
    seen = f"http://127.0.0.1:{stack.outside}/seen"
    http.get(seen, timeout=5)
    with socket.create_connection(("127.0.0.1", stack.port)) as webhook:
        start = time.time()
        webhook.sendall(request)
        if b" 200 " not in webhook.recv(4096).split(b"\r\n")[0]:
            raise RuntimeError("the text was not taken")
    deadline = time.monotonic() + 30
    spent = 0.0
    while time.monotonic() < deadline:
        found = http.get(seen, timeout=5).json()
        spent += found["spent"]
        if found["texts"]:
            return float(found["texts"][0]["at"] - start - spent)
        time.sleep(0.01)
    raise RuntimeError("no reply came")


if __name__ == "__main__":
    sys.exit(main())
