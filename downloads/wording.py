"""How problems, reasons and events read to the owner; what Radarr says itself stands as it is."""

from downloads.models import Download, DownloadEvent, Status

_WHY = {
    "cancelled": "Cancelled by a person",
    "removed": "Taken out of Radarr",
    "unwanted": "Nobody asks for it any more",
    "excluded": "On Radarr's exclusion list",
    "unknown_film": "Radarr does not know this film",
    "folder_in_use": "Another film in Radarr uses its folder",
    "import": "Radarr has the file and cannot import it",
    "stalled": "The download stands still",
    "nothing_found": "Radarr has found nothing to download so far",
}
_MENDS = {
    "import": "In Radarr, Activity › Queue: import it by hand, or choose another release.",
    "stalled": "Search again for another release, or wait for somebody who has the rest.",
    "nothing_found": "Search again, or look for it by hand in Radarr.",
}
_TONES: dict[str, str] = {
    Status.REQUESTED: "default",
    Status.SEARCHING: "info",
    Status.WAITING: "warning",
    Status.DOWNLOADING: "primary",
    Status.IMPORTING: "primary",
    Status.COMPLETED: "success",
    Status.FAILED: "danger",
    Status.CANCELLED: "default",
}
_KINDS = {
    "stuck": "Stuck",
    "nothing_found": "Nothing found yet",
    "waiting": "Waits for its release",
    "started": "Download started",
    "completed": "Ready to watch",
    "failed": "Failed",
    "cancelled": "Cancelled",
}


def in_words(code: str) -> str:
    """Return what a problem or a reason means; empty for none."""
    return _WHY.get(code, code)


def why(download: Download) -> str:
    """Return the problem of a download on its way, or why one ended; empty for neither."""
    if download.status == Status.WAITING:
        return in_words(download.problem)  # its reason is the date
    return in_words(download.problem or download.reason)


def mend(download: Download) -> str:
    """Return what the owner can do about a download's problem; empty when nothing is known."""
    return _MENDS.get(download.problem, "")


def kind_in_words(event: DownloadEvent) -> str:
    """Return what happened, in a few words."""
    if event.kind in _KINDS:
        return _KINDS[event.kind]
    return Status(event.new_status).label.capitalize() if event.new_status else event.kind


def tone(status: str) -> str:
    """Return how good the news of a status are, as the name of a label's colour."""
    return _TONES[status]
