"""What a check is, what it finds, and how addresses and faults are shown in it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from downloads.http import ServiceError

State = Literal["ok", "failed", "warning", "skipped"]


@dataclass(frozen=True)
class Result:
    """What one check found: one line of `detail`, and what to do (`fix`) unless it is ok."""

    state: State
    detail: str
    fix: str = ""
    group: str = ""
    name: str = ""


@dataclass(frozen=True)
class Check:
    """A check by `name`, one of its `group`. When a `gate` fails, the rest of it is skipped.

    `seconds` names the setting with the deadline of the service it asks. Without it the check asks
    the database alone, which has time-outs of its own, and runs in the caller's thread.
    """

    group: str
    name: str
    run: Callable[[], Result]
    seconds: str = ""
    gate: bool = False


def fix_for(error: ServiceError) -> str:
    """Return what to do about an error of Radarr or TMDB."""
    name = error.service.upper()
    if error.code == "not_configured":
        names = "RADARR_URL and RADARR_API_KEY" if name == "RADARR" else "TMDB_API_KEY"
        return f"Set {names}; docs/configuration.md says more."
    if error.code in ("unauthorized", "forbidden"):
        return _KEY_FIXES[name]
    if error.code in ("unavailable", "rate_limited"):
        return f"Wait a minute and try again; if it stays so, look at {error.service} itself."
    return f"Check {name}_URL, that {error.service} runs there, and that no firewall is between."


_KEY_FIXES = {
    "RADARR": "Copy the key from Radarr, Settings › General › API Key, into RADARR_API_KEY.",
    "TMDB": "Copy a key from https://www.themoviedb.org/settings/api into TMDB_API_KEY.",
}


def origin(url: str) -> str:
    """Return scheme, host and port of an address: no path, no login."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def address(url: str) -> str:
    """Return an address without login, query and fragment (Twilio keeps its time-outs there)."""
    parts = urlsplit(url)
    return f"{origin(url)}{parts.path}" if parts.netloc else ""
