"""Acts: what a person has done to one row, and what is said of it afterwards."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages


@dataclass(frozen=True)
class Result:
    """What became of an act on one row: a sentence for the person, and how good the news is."""

    text: str
    level: int = messages.SUCCESS


Act = Callable[[Any], Result]
