"""What connecting a service to us comes to: the facts that a command or a page shows."""

import enum
from dataclasses import dataclass


class Change(enum.StrEnum):
    """What was done at the service, or would be by a dry run."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REMOVED = "removed"
    ABSENT = "absent"  # there was nothing to remove


@dataclass(frozen=True)
class Connected:
    """`service` and what became of its webhook to `address`; `details` are sentences."""

    service: str
    address: str
    change: Change
    details: tuple[str, ...] = ()


class CannotConnect(Exception):
    """The service was not connected: a stable `code`, a sentence, and what to do (`fix`)."""

    def __init__(self, code: str, message: str, fix: str) -> None:
        super().__init__(message)
        self.code = code
        self.fix = fix
