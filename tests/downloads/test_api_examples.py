"""The examples in docs/api.md work as they stand there, and the answers have what is shown."""

import json
import re
import shlex
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from downloads.feed import GAP_FILLS_WITHIN
from moviesms.models import ApiToken
from tests.conftest import SAM, Household
from tests.downloads.test_api import DOCS
from tests.fakes import FakeRadarr

BASE = "http://127.0.0.1:8000"

Example = tuple[str, Any]


def examples() -> Iterator[Example]:
    """Yield each curl line with the JSON block that follows it at once, if any."""
    blocks = re.findall(r"```sh\n(curl .+?)```(?:\s*```json\n(.+?)```)?", DOCS.read_text(), re.S)
    for command, answer in blocks:
        yield command.replace("\\\n", " "), json.loads(answer) if answer else None


EXAMPLES = list(examples())


def run(command: str, key: str) -> Any:
    """Do what curl would do, with our client."""
    words = shlex.split(command.replace("$TOKEN", key).replace("$API", BASE))[1:]
    method, headers, body, url = "GET", {}, None, ""
    rest = iter(words)
    for word in rest:
        if word == "-X":
            method = next(rest)
        elif word == "-H":
            name, _, value = next(rest).partition(": ")
            headers[name] = value
        elif word == "-d":
            body = next(rest)
        else:
            assert word.startswith(BASE), f"an option that this test does not know: {word}"
            url = word.removeprefix(BASE)
    kind = headers.pop("Content-Type", "application/x-www-form-urlencoded")
    return Client().generic(method, url, body or "", content_type=kind, headers=headers)


def assert_has(shown: Any, found: Any, where: str = "answer") -> None:
    """What the document shows is in the answer, with values of the same type."""
    if isinstance(shown, dict):
        for name, value in shown.items():
            assert name in found, f"{where}.{name}"
            assert_has(value, found[name], f"{where}.{name}")
    elif isinstance(shown, list) and shown:
        assert found, where
        assert_has(shown[0], found[0], f"{where}[0]")
    elif shown is not None and found is not None:
        assert type(shown) is type(found), where


def test_there_are_examples_of_every_kind_of_call() -> None:
    assert len(EXAMPLES) >= 6
    assert sum("-X POST" in command for command, _ in EXAMPLES) >= 3


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("command", "shown"), EXAMPLES, ids=[c.split("$API")[1] for c, _ in EXAMPLES]
)
def test_an_example_works(
    household: Household, radarr: FakeRadarr, command: str, shown: Any
) -> None:
    call_command("run_download_monitor", "--once")
    if "-d " not in command:
        household.text(SAM, "get the dark knight")
        radarr.grab(155, timezone.now())
        household.tick()
    if "events" in command:
        # PostgreSQL's ids do not begin anew with each test: these events stand behind a gap.
        household.clock.shift(2 * GAP_FILLS_WITHIN)
    if "stop" in command:
        call_command("run_download_monitor", "--once")
    response = run(command, ApiToken.issue("example", "write")[1])
    assert response.status_code in (200, 201), response.content
    if shown is not None:
        assert_has(shown, response.json())
