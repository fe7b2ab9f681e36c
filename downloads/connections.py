"""The clients for the configured Radarr and TMDB, made once per configuration and process."""

from functools import lru_cache

from django.conf import settings

from downloads.http import ServiceError
from downloads.radarr import Radarr
from downloads.tmdb import Tmdb
from moviesms import live
from moviesms.breaker import Breaker

# Radarr failed a moment ago: what is asked for meanwhile is saved at once, not after a time-out.
# The tick tries in any case, and closes it.
radarr_breaker = Breaker("radarr", on_open=live.note_open)
tmdb_breaker = Breaker("tmdb", on_open=live.note_open)


class NotConfigured(ServiceError):
    """The service has no address or key in the settings."""

    def __init__(self, service: str, names: str) -> None:
        super().__init__(
            f"is not configured: {names} is not set",
            service=service,
            code="not_configured",
            permanent=True,
        )


def radarr() -> Radarr:
    """Return the client for Radarr. Raises NotConfigured when it has no address or key."""
    if not (settings.RADARR_URL and settings.RADARR_API_KEY):
        raise NotConfigured("Radarr", "RADARR_URL or RADARR_API_KEY")
    return _radarr(settings.RADARR_URL, settings.RADARR_API_KEY, settings.RADARR_DEADLINE)


def tmdb() -> Tmdb:
    """Return the client for TMDB. Raises NotConfigured when it has no key."""
    if not settings.TMDB_API_KEY:
        raise NotConfigured("TMDB", "TMDB_API_KEY")
    return _tmdb(settings.TMDB_URL, settings.TMDB_API_KEY, settings.TMDB_DEADLINE)


@lru_cache(maxsize=4)
def _radarr(url: str, api_key: str, deadline: float) -> Radarr:
    return Radarr(url, api_key, deadline)


@lru_cache(maxsize=4)
def _tmdb(url: str, api_key: str, deadline: float) -> Tmdb:
    return Tmdb(url, api_key, deadline)
