"""What the owner has done to a download, and the sentence that says what became of it."""

from django.contrib import messages
from django.utils import timezone

from downloads import services
from downloads.models import Download, Status
from moviesms.acts import Result


def cancel(download: Download) -> Result:
    """End a download for all who asked; they are told."""
    if download.status in (Status.FAILED, Status.CANCELLED):
        return Result(f"{download.name}: nothing to cancel, it has ended.", messages.WARNING)
    try:
        services.cancel_download(download, now=timezone.now())
    except services.AlreadyCompleted:
        return Result(f"{download.name}: already completed.", messages.WARNING)
    return Result(f"{download.name}: cancelled.")


def retry(download: Download) -> Result:
    """Ask again for what ended; have what is on its way searched for anew."""
    was_active = download.is_active
    try:
        services.retry_download(download, now=timezone.now())
    except services.AlreadyCompleted:
        return Result(f"{download.name}: already completed.", messages.WARNING)
    except services.ServiceError as error:
        return Result(f"{download.name}: {error}.", messages.ERROR)
    if was_active:
        return Result(f"{download.name}: is being searched for anew.")
    return _outcome_of_retry(download)


def _outcome_of_retry(download: Download) -> Result:
    if download.status == Status.REQUESTED:
        text = "asked for again, but Radarr could not take it; it is kept and tried again."
        return Result(f"{download.name}: {text}", messages.ERROR)
    if download.status == Status.FAILED:
        return Result(f"{download.name}: refused. {services.why(download)}.", messages.WARNING)
    return Result(f"{download.name}: asked for again, now {download.get_status_display()}.")
