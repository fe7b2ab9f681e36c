"""Radarr: that it answers, takes our key, has room, searches, and posts its events to us."""

from collections.abc import Sequence
from urllib.parse import urlsplit

from django.conf import settings

from downloads import connecting, connections
from downloads.http import ServiceError
from downloads.radarr import HealthItem, Notification
from moviesms.diagnosis.result import Check, Result, State, address, origin


def radarr_answers() -> Result:
    """A Radarr answers at RADARR_URL, whatever it thinks of our key."""
    radarr = connections.radarr()
    try:
        radarr.status()
    except ServiceError as error:
        if error.code not in ("unauthorized", "forbidden"):
            raise
    return Result("ok", f"at {origin(settings.RADARR_URL)}")


def radarr_key() -> Result:
    """Radarr takes RADARR_API_KEY."""
    return Result("ok", f"accepted by Radarr {connections.radarr().status().version}")


def radarr_root_folder() -> Result:
    """The folder that films go to is one of Radarr's, and Radarr can use it."""
    folders = connections.radarr().root_folders()
    wanted = settings.RADARR_ROOT_FOLDER.rstrip("/\\")
    for folder in folders:
        if not wanted or wanted in (str(folder.id), folder.path.rstrip("/\\")):
            return _folder_result(folder.path, folder.accessible, folder.free_space)
    if not folders:
        fix = "Add one in Radarr, Settings › Media Management › Root Folders."
        return Result("failed", "Radarr has no root folder", fix)
    paths = ", ".join(folder.path for folder in folders)
    fix = f"Set RADARR_ROOT_FOLDER to one of: {paths}."
    return Result("failed", f"Radarr has no root folder {wanted!r}", fix)


def _folder_result(path: str, accessible: bool, free: int | None) -> Result:
    if not accessible:
        fix = "Mount the folder, and let Radarr's user write to it."
        return Result("failed", f"Radarr cannot use {path}", fix)
    space = "" if free is None else f", {free / 1e9:,.0f} GB free"
    if free is not None and free < 10e9:
        return Result("warning", f"{path}{space}", "Make room: a film needs up to 10 GB and more.")
    return Result("ok", f"{path}{space}")


def radarr_profile() -> Result:
    """The quality profile that films get is one of Radarr's."""
    profiles = connections.radarr().quality_profiles()
    wanted = settings.RADARR_QUALITY_PROFILE
    for profile in profiles:
        if not wanted or wanted.casefold() in (str(profile.id), profile.name.casefold()):
            return Result("ok", profile.name)
    if not profiles:
        fix = "Add one in Radarr, Settings › Profiles."
        return Result("failed", "Radarr has no quality profile", fix)
    names = ", ".join(profile.name for profile in profiles)
    fix = f"Set RADARR_QUALITY_PROFILE to one of: {names}."
    return Result("failed", f"Radarr has no quality profile {wanted!r}", fix)


def radarr_indexers() -> Result:
    """Radarr has somewhere to search by itself, and does not complain of it."""
    radarr = connections.radarr()
    searched = [indexer.name for indexer in radarr.indexers() if indexer.enable_automatic_search]
    if not searched:
        fix = "Add one in Radarr, Settings › Indexers, with Automatic Search on."
        return Result("failed", "Radarr has no indexer that it searches by itself", fix)
    about = [item for item in radarr.health() if item.source.startswith("Indexer")]
    return _complaints(about) or Result("ok", f"{len(searched)}: {', '.join(searched)}")


def radarr_health() -> Result:
    """Radarr complains of nothing else: download clients, folders, disks."""
    other = [
        item
        for item in connections.radarr().health()
        if not item.source.startswith(("Indexer", "Update"))
    ]
    return _complaints(other) or Result("ok", "no complaints")


def _complaints(items: Sequence[HealthItem]) -> Result | None:
    """Return what Radarr complains of: errors fail, warnings warn, notices pass."""
    serious = [item for item in items if item.type in ("error", "warning")]
    if not serious:
        return None
    state: State = "failed" if any(item.type == "error" for item in serious) else "warning"
    said = " ".join(item.message for item in serious)
    return Result(state, f"Radarr says: {said[:300]}", "See Radarr, System › Status › Health.")


def radarr_webhook() -> Result:
    """Radarr posts its events to us, with our secret: a hint to look at once."""
    if not settings.RADARR_WEBHOOK_SECRET:
        fix = "Set RADARR_WEBHOOK_SECRET to a long random word; then run manage.py connect radarr."
        return Result("warning", "not used: news of Radarr wait for the next tick", fix)
    fix = "Run manage.py connect radarr."
    found = _posting_to_us()
    if found is None:
        return Result("warning", "Radarr does not post to us: its news wait for a tick", fix)
    url = str(found.fields.get("url"))
    if wrong := connecting.differences(found, url):
        return Result("warning", " ".join(wrong), fix)
    return Result("ok", f"POST {address(url)}")


def _posting_to_us() -> Notification | None:
    """Return Radarr's connection to us: at the address we would give, or else by our path.

    Which address of ours Radarr uses in the home network is the owner's to know.
    """
    path = urlsplit(connecting.webhook_url()).path
    if found := connecting.radarr_webhook():
        return found
    webhooks = connections.radarr().notifications()
    return next(
        (one for one in webhooks if address(one.fields.get("url") or "").endswith(path)), None
    )


CHECKS = (
    Check("radarr", "Radarr answers", radarr_answers, "RADARR_DEADLINE", gate=True),
    Check("radarr", "Radarr's key", radarr_key, "RADARR_DEADLINE", gate=True),
    Check("radarr", "Radarr's root folder", radarr_root_folder, "RADARR_DEADLINE"),
    Check("radarr", "Radarr's quality profile", radarr_profile, "RADARR_DEADLINE"),
    Check("radarr", "Radarr's indexers", radarr_indexers, "RADARR_DEADLINE"),
    Check("radarr", "Radarr's health", radarr_health, "RADARR_DEADLINE"),
    Check("radarr", "Radarr's webhook", radarr_webhook, "RADARR_DEADLINE"),
)
