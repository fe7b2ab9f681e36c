"""`python -m tests.conversations --print NAME…` shows how scripts really go; `--write` keeps it."""

import argparse
import os
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent


def main() -> int:
    """Run the scripts of these names, all of them where none is named."""
    parser = argparse.ArgumentParser(prog="python -m tests.conversations", description=__doc__)
    mode = parser.add_mutually_exclusive_group(required=True)
    mode.add_argument("--print", dest="mode", action="store_const", const="print")
    mode.add_argument("--write", dest="mode", action="store_const", const="write")
    parser.add_argument("scripts", nargs="*", type=Path)
    given = parser.parse_args()
    os.environ["CONVERSATIONS"] = given.mode
    test = f"{HERE / 'test_conversations.py'}::test_the_conversation_goes_as_it_is_written"
    tests = [f"{test}[{script.stem}]" for script in given.scripts] or [test]
    return int(pytest.main(["-q", *tests]))


if __name__ == "__main__":
    sys.exit(main())
