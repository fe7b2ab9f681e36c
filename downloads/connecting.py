"""Radarr's webhook into us: made, kept right and removed by Radarr's own API.

A connection is ours when it posts to our path at the address in question, or bears our name. The
owner may have made it by hand: then it is put right, and keeps its name.
"""

from typing import NoReturn
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from downloads import connections
from downloads.http import ServiceError
from downloads.radarr import WEBHOOK_EVENTS, Notification, Radarr, RadarrRejected
from moviesms.connected import CannotConnect, Change, Connected

NAME = "moviesms"
SECRET_HEADER = "X-Webhook-Secret"  # noqa: S105 (a header's name)
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


def default_address() -> str:
    """Return where Radarr most likely reaches us.

    A Radarr that we call over the loopback shares our network: it can call us there, too.
    """
    if urlsplit(settings.RADARR_URL).hostname in _LOOPBACK:
        return f"http://127.0.0.1:{settings.PORT}"
    return str(settings.PUBLIC_URL)


def webhook_url(address: str = "") -> str:
    """Return the address of Radarr's webhook, below `address` or the default one."""
    return (address or default_address()).rstrip("/") + reverse("radarr-webhook")


def radarr_webhook(address: str = "") -> Notification | None:
    """Return Radarr's connection that is ours, if any. Raises ServiceError."""
    found = _ours(connections.radarr(), webhook_url(address))
    return found[0] if found else None


def differences(found: Notification, url: str) -> tuple[str, ...]:
    """Return what of a connection is not as it must be, a sentence each."""
    said = []
    if found.fields.get("url") != url:
        said.append(f"It posted to {_shown(str(found.fields.get('url') or 'nowhere'))}.")
    if found.fields.get("method") not in (1, "1", "POST", "post"):
        said.append("It did not use POST.")
    if not _has_secret(found):
        said.append("It did not send the secret that moviesms knows.")
    if missing := [event for event in WEBHOOK_EVENTS if event not in found.events]:
        said.append(f"It did not post {', '.join(missing)}.")
    return tuple(said)


def connect_radarr(address: str = "", *, dry_run: bool = False) -> Connected:
    """Have Radarr post its events to us, with our secret; return what was done.

    `address` is scheme and host as Radarr reaches us. Raises CannotConnect (`no_secret`,
    `refused`) and ServiceError.
    """
    if not settings.RADARR_WEBHOOK_SECRET:
        raise CannotConnect(
            "no_secret",
            "RADARR_WEBHOOK_SECRET is not set, and Radarr's posts would be refused.",
            "Set it to a long random word (openssl rand -hex 24), restart moviesms, try again.",
        )
    radarr, url = connections.radarr(), webhook_url(address)
    ours = _ours(radarr, url)
    if not ours:
        if not dry_run:
            _save(radarr, None, url)
        return Connected("Radarr", url, Change.MADE)
    wrong = differences(ours[0], url)
    if not wrong:
        return Connected("Radarr", url, Change.UNCHANGED)
    if not dry_run:
        _save(radarr, ours[0], url)
    return Connected("Radarr", url, Change.CHANGED, wrong)


def disconnect_radarr(address: str = "", *, dry_run: bool = False) -> Connected:
    """Remove our webhook from Radarr, and leave all else of it alone. Raises ServiceError."""
    radarr, url = connections.radarr(), webhook_url(address)
    ours = _ours(radarr, url)
    if not ours:
        return Connected("Radarr", url, Change.ABSENT)
    for found in ours:
        if not dry_run:
            radarr.delete_notification(found.id)
    names = tuple(f"The connection {found.name!r}." for found in ours)
    return Connected("Radarr", url, Change.REMOVED, names)


def _ours(radarr: Radarr, url: str) -> list[Notification]:
    """Return our connections, the one that posts to `url` first."""
    webhooks = [one for one in radarr.notifications() if one.implementation == "Webhook"]
    there = [one for one in webhooks if one.fields.get("url") == url]
    return there + [one for one in webhooks if one.name == NAME and one not in there]


def _has_secret(found: Notification) -> bool:
    """Whether it sends our secret; one that Radarr masks counts as not seen."""
    secret = settings.RADARR_WEBHOOK_SECRET
    headers = found.fields.get("headers") or []
    return found.fields.get("password") == secret or any(
        str(header.get("key", "")).lower() == SECRET_HEADER.lower()
        and header.get("value") == secret
        for header in headers
        if isinstance(header, dict)
    )


def _save(radarr: Radarr, found: Notification | None, url: str) -> None:
    headers = {SECRET_HEADER: settings.RADARR_WEBHOOK_SECRET}
    try:
        if found is None:
            radarr.create_notification(name=NAME, url=url, headers=headers)
        else:
            radarr.update_notification(found.id, name=found.name, url=url, headers=headers)
    except RadarrRejected as error:
        _refused(error, url)


def _refused(error: ServiceError, url: str) -> NoReturn:
    """Radarr tries the webhook before it keeps it, so that this is most often our address."""
    raise CannotConnect(
        "refused",
        f"Radarr does not take the webhook: {str(error).removeprefix('Radarr ')}",
        f"moviesms must run, and Radarr must reach {_shown(url)}; give the address as Radarr sees "
        "it with --address http://<this machine>:<port>.",
    ) from error


def _shown(url: str) -> str:
    """Return an address without login and query."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{host}{parts.path}" if host else url
