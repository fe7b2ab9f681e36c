"""What the idle stack holds in memory, and how soon it is ready: `python -m benchmarks.memory`.

Proportional set size of all processes, so that what they share counts once.
"""

import argparse
import sys
import time

from benchmarks.stack import moviesms, pss


def main() -> int:
    """Measure the usual shape and the small one, and print each process."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--idle", type=float, default=40, help="seconds to wait before looking")
    options = parser.parse_args()
    for shape in ([], ["--small"]):
        with moviesms(*shape, starts=2) as stack:
            time.sleep(options.idle)
            sizes = pss(stack.process.pid)
            print(f"up {' '.join(shape)}: ready in {stack.seconds_to_start:.1f} s (second start)")
            for name, size in sorted(sizes.items(), key=lambda item: -item[1]):
                print(f"  {size:6.1f} MB  {name}")
            print(f"  {sum(sizes.values()):6.1f} MB  in all", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
