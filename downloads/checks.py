"""System checks of the downloads: Radarr, TMDB, and the lease of an add."""

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import Error, Warning, register

from moviesms.checks import CONFIGURATION, Messages, address_problem, is_key, too_short

SHORTEST_SECRET = 16
"""Characters of a webhook secret below which it can be guessed."""


@register(CONFIGURATION)
def radarr(**_: Any) -> Messages:
    """W001, E001 to E003: Radarr has an address and a key, and they look like ones."""
    url, key = settings.RADARR_URL, settings.RADARR_API_KEY
    if not url and not key:
        message = "Radarr is not configured: requests are saved, and nothing is downloaded."
        return [Warning(message, hint="Set RADARR_URL and RADARR_API_KEY.", id="downloads.W001")]
    if not url or not key:
        given, missing = (
            ("RADARR_URL", "RADARR_API_KEY") if url else ("RADARR_API_KEY", "RADARR_URL")
        )
        message = f"{given} is set, and {missing} is not."
        return [Error(message, hint=f"Set {missing} too.", id="downloads.E001")]
    return _radarr_url(url) + _key("RADARR_API_KEY", "downloads.E003")


def _radarr_url(url: str) -> Messages:
    problem = address_problem(url)
    if problem is None and "/api" in urlsplit(url).path:
        problem = "must end before /api"
    if problem is None:
        return []
    hint = "It is what you open in a browser, such as http://192.168.1.20:7878."
    return [Error(f"RADARR_URL {problem}.", hint=hint, id="downloads.E002")]


@register(CONFIGURATION)
def tmdb(**_: Any) -> Messages:
    """W002, E004: TMDB has a key, and it looks like one."""
    if settings.TMDB_API_KEY:
        return _key("TMDB_API_KEY", "downloads.E004")
    hint = "Make one at https://www.themoviedb.org/settings/api and set TMDB_API_KEY."
    message = "TMDB is not configured: no film can be found."
    return [Warning(message, hint=hint, id="downloads.W002")]


@register(CONFIGURATION)
def tmdb_url(**_: Any) -> Messages:
    """E005: TMDB_URL is an address that ends before /3."""
    problem = address_problem(settings.TMDB_URL)
    if problem is None and urlsplit(settings.TMDB_URL).path.endswith("/3"):
        problem = "must end before /3"
    if problem is None:
        return []
    hint = "Remove TMDB_URL to get TMDB's own address."
    return [Error(f"TMDB_URL {problem}.", hint=hint, id="downloads.E005")]


@register(CONFIGURATION)
def webhook_secret(**_: Any) -> Messages:
    """W003, W004: Radarr's webhooks have a secret that cannot be guessed."""
    secret = settings.RADARR_WEBHOOK_SECRET
    if not settings.RADARR_URL or len(secret) >= SHORTEST_SECRET:
        return []
    if not secret:
        message = "RADARR_WEBHOOK_SECRET is not set: Radarr's webhooks are refused."
        hint = "Set it to 16 random characters or more; without it, ticks alone follow Radarr."
        return [Warning(message, hint=hint, id="downloads.W003")]
    message = f"RADARR_WEBHOOK_SECRET has fewer than {SHORTEST_SECRET} characters."
    hint = "Make a longer one: python -c 'import secrets; print(secrets.token_urlsafe(24))'."
    return [Warning(message, hint=hint, id="downloads.W004")]


@register(CONFIGURATION)
def add_lease(**_: Any) -> Messages:
    """E006: nobody else adds a film while the one who does still may; renewed between steps."""
    why = "two calls to Radarr, RADARR_DEADLINE each, are made under it"
    return too_short("ADD_LEASE", 2 * settings.RADARR_DEADLINE, why, "downloads.E006")


def _key(name: str, check_id: str) -> Messages:
    if is_key(getattr(settings, name)):
        return []
    hint = "Copy it again, without quotes, spaces or line breaks."
    return [Error(f"{name} holds characters that no key has.", hint=hint, id=check_id)]
