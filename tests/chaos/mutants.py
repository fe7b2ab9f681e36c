"""Planted bugs: each is applied at run time in the trial's fork, and each must be caught.

A mutant rewrites the source of one function of the product and puts the result in its place. It is
caught when a trial fails with it that passes without it. A mutant that no longer fits the source
fails the run: it must be kept up with the product.
"""

import importlib
import inspect
import random
import sys
import textwrap
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.chaos.enumeration import Effort, enumerate_crashes
from tests.chaos.forks import fork
from tests.chaos.report import Report, say

SECONDS_EACH = 60


@dataclass(frozen=True)
class Mutant:
    """One planted bug, and the scenario in which it must show.

    Each of `edits` names a function of `module`, a piece of its source, and what replaces it.
    """

    name: str
    scenario: str
    module: str
    edits: Sequence[tuple[str, str, str]]

    def changed(self) -> list[tuple[str, str]]:
        """Return each function's name and its source with the bug. LookupError: it does not fit."""
        module = importlib.import_module(self.module)
        changed = []
        for function, old, new in self.edits:
            source = textwrap.dedent(inspect.getsource(getattr(module, function)))
            if old not in source:
                raise LookupError(f"{self.name} does not fit {self.module}.{function} any more")
            changed.append((function, source.replace(old, new)))
        return changed

    def plant(self) -> None:
        """Put the changed functions in the place of the product's, in this process."""
        module = importlib.import_module(self.module)
        for function, source in self.changed():
            original = getattr(module, function)
            # Under the product's own file name, so that its lines are crash points too.
            code = compile(source, str(inspect.getsourcefile(module)), "exec")
            exec(code, vars(module))  # noqa: S102  (our own text)
            _replace_everywhere(function, original, getattr(module, function))


def _replace_everywhere(name: str, original: object, changed: object) -> None:
    """Let those who imported a function by name have the changed one too."""
    for module in list(sys.modules.values()):
        ours = getattr(module, "__name__", "").startswith(("moviesms", "downloads", "smsbot"))
        if ours and vars(module).get(name) is original:
            vars(module)[name] = changed


MUTANTS = (
    Mutant(
        "event outside the transaction",
        "started",
        "downloads.lifecycle",
        [
            ("transition_to", "with transaction.atomic():", "if True:"),
            ("_write", "with transaction.atomic():", "if True:"),
        ],
    ),
    Mutant(
        "mark before send",
        "started",
        "smsbot.sending",
        [
            (
                "deliver_one",
                "outcome = gateway.send(",
                "OutboundMessage.objects.filter(pk=message.pk).update(\n"
                "        status='sent', lease_until=None)\n"
                "    outcome = gateway.send(",
            )
        ],
    ),
    Mutant(
        "resend without asking",
        "started",
        "smsbot.unknown",
        [("settle_expired", "Status.UNKNOWN if", "Status.QUEUED if")],
    ),
    Mutant(
        "no grace before asking",
        "unknown-at-once",
        "smsbot.unknown",
        [
            ("_resolve", "if now < first_check:", "if False:"),
            ("_denied", "if denials < 2 or now < resend_at:", "if False:"),
        ],
    ),
    Mutant(
        "dedupe through a cache that swallows errors",
        "ask-without-redis",
        "smsbot.inbound",
        [
            (
                "store",
                "values = (",
                "from django.core.cache import cache\n"
                "    if not cache.add(f'seen:{incoming.sid}', 1, 3600):\n"
                "        return 0, False\n"
                "    values = (",
            )
        ],
    ),
    Mutant(
        "no sweep",
        "started",
        "smsbot.sweep",
        [("work", "unknown.settle_expired(now)", "return")],
    ),
    Mutant(
        "an error read as an absence",
        "radarr-half-sick",
        "downloads.snapshot",
        [
            (
                "_find",
                "movie = radarr.movie(download.radarr_id) if download.radarr_id else None",
                "try:\n"
                "        movie = radarr.movie(download.radarr_id)\n"
                "    except Exception:\n"
                "        return None",
            ),
        ],
    ),
    Mutant(
        "compare-and-set without version",
        "cancel-beside-tick",
        "downloads.lifecycle",
        [("_write", "version=download.version)", ")")],
    ),
    Mutant(
        "completion of an inbound without its token",
        "overtaken",
        "smsbot.processing",
        [("_write", ", state=State.PROCESSING, lease_token=token)", ")")],
    ),
)


def catch_all(folder: Path, chance: random.Random) -> bool:
    """Plant each mutant; return whether all were caught within their minute."""
    usual: dict[str, Counter[str]] = {}
    missed = 0
    for number, mutant in enumerate(MUTANTS):
        if fork(mutant.plant):
            say(f"{mutant.name}: does not fit {mutant.module} any more")
            missed += 1
            continue
        if mutant.scenario not in usual:
            usual[mutant.scenario] = _failures(
                folder / f"without-{mutant.scenario}", mutant.scenario, chance, None
            )
        began = time.monotonic()
        failures = _failures(folder / f"mutant-{number}", mutant.scenario, chance, mutant)
        new = sorted((failures - usual[mutant.scenario]).elements())
        missed += not new
        seconds = time.monotonic() - began
        word = f"caught {new[0]}" if new else "MISSED"
        say(f"{mutant.name} ({mutant.scenario}, {seconds:.0f} s): {word}")
    say(f"{len(MUTANTS) - missed} of {len(MUTANTS)} mutants caught")
    return not missed


def _failures(
    folder: Path, scenario: str, chance: random.Random, mutant: Mutant | None
) -> Counter[str]:
    """Play a scenario, and count what went wrong, by kind."""
    folder.mkdir()
    report = Report({})
    enumerate_crashes(
        folder,
        Effort([scenario]),
        chance=chance,
        report=report,
        ends=time.monotonic() + SECONDS_EACH,
        mutate=mutant.plant if mutant else None,
    )
    return Counter(
        f"{what}: {which}"
        for finding in report.failures
        for what, found in finding.verdict.items()
        for which in found
    )
