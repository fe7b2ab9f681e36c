"""`manage.py test_download_system`: check every service moviesms needs, and say what to mend."""

import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from moviesms.at_sandbox import kind_of, remembered
from moviesms.diagnosis import GROUPS, Result, State, examine
from moviesms.locks import is_running

_WORDS: dict[State, str] = {
    "ok": "ok",
    "failed": "FAILED",
    "warning": "warning",
    "skipped": "skipped",
}
_COLOURS: dict[State, int] = {"ok": 32, "failed": 31, "warning": 33, "skipped": 90}


class Command(BaseCommand):
    help = (
        "Checks every service moviesms needs: settings, Radarr, TMDB, Twilio, OpenAI, Redis, the "
        "creation of a download request (rolled back) and the monitor. Exit code 1 when one fails."
    )
    requires_system_checks: list[str] = []  # they are one of the checks here

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON object")
        parser.add_argument(
            "--only", default="", metavar="GROUPS", help=f"some of: {','.join(GROUPS)}"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if _is_sandbox() and is_running(settings.DATA_DIR):
            _begin_again_with(remembered(settings.DATA_DIR))
        self.coloured = _wants_colour(self.stdout.isatty(), options)
        results = examine(_groups(options["only"]))
        failed = self._as_json(results) if options["json"] else self._as_lines(results)
        if failed:
            sys.exit(1)

    def _as_json(self, results: Iterable[Result]) -> bool:
        found = list(results)
        failed = any(result.state == "failed" for result in found)
        report = {"ok": not failed, "checks": [asdict(result) for result in found]}
        self.stdout.write(json.dumps(report, indent=2, ensure_ascii=False))
        return failed

    def _as_lines(self, results: Iterable[Result]) -> bool:
        counts: Counter[State] = Counter()
        if _is_sandbox():
            self.stdout.write(
                "This data folder is the sandbox's, which does not run now (script/server starts "
                "it). What follows is about your own settings.\n"
            )
        for result in results:
            counts[result.state] += 1
            for line in self._lines(result):
                self.stdout.write(line)
            self.stdout.flush()
        self.stdout.write("")
        self.stdout.write(
            f"{counts['ok']} ok, {counts['failed']} failed, {counts['warning']} warnings, "
            f"{counts['skipped']} skipped."
        )
        return bool(counts["failed"])

    def _lines(self, result: Result) -> Iterator[str]:
        word = self._coloured(f"{_WORDS[result.state]:<7}", result.state)
        yield f"{word}  {result.name:<24}  {result.detail}"
        if result.fix:
            yield f"{'':<7}  {'':<24}  → {result.fix}"

    def _coloured(self, text: str, state: State) -> str:
        return f"\033[{_COLOURS[state]}m{text}\033[0m" if self.coloured else text


def _is_sandbox() -> bool:
    """Whether `manage.py up` last ran the sandbox with this data folder, and nothing is set."""
    return kind_of(settings.DATA_DIR) == "sandbox" and not settings.RADARR_URL


def _begin_again_with(sandbox: dict[str, str]) -> None:
    """Replace this process by one that has the running sandbox's settings, where they are known."""
    if "RADARR_URL" in sandbox:
        environment = {**os.environ, **sandbox}
        os.execve(sys.executable, [sys.executable, *sys.argv], environment)  # noqa: S606


def _groups(only: str) -> list[str]:
    groups = [group.strip() for group in only.split(",") if group.strip()]
    unknown = [group for group in groups if group not in GROUPS]
    if unknown:
        raise CommandError(
            f"There is no check {', '.join(unknown)}. There are: {', '.join(GROUPS)}.",
            returncode=2,
        )
    return groups


def _wants_colour(is_terminal: bool, options: dict[str, Any]) -> bool:
    """Whether to colour: on a terminal, unless NO_COLOR (no-color.org) or --no-color says no."""
    if options["force_color"]:
        return True
    return is_terminal and not options["no_color"] and not os.environ.get("NO_COLOR")
