"""What Twilio calls: a text that came in, and what became of one that went out.

The order matters: nothing outside the database is touched before the row is safe, and what could
not be stored is answered 503, so that Twilio's retry or fallback brings it again.
"""

import re
import uuid
from collections.abc import Callable
from functools import wraps

import structlog
from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.db import Error as DatabaseFailure
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.views.decorators.http import require_POST

from moviesms.machines import for_machines
from smsbot import gateway, handover, inbound, sending

log = structlog.get_logger(__name__)

MAX_BYTES = 32 * 1024
_SID = re.compile(r"(SM|MM)[0-9a-f]{32}", re.ASCII)

View = Callable[..., HttpResponse]


def _text(message: str, status: int) -> HttpResponse:
    return HttpResponse(message + "\n", status=status, content_type="text/plain; charset=utf-8")


def _length(request: HttpRequest) -> int:
    """Return the body's declared length; without one the server reads no body to us."""
    declared = request.META.get("CONTENT_LENGTH", "")
    return int(declared) if declared.isascii() and declared.isdigit() else 0


def signed_by_twilio(view: View) -> View:
    """Let through what Twilio signed: a form, of bounded size, over our public address."""

    @wraps(view)
    def checked(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        if request.content_type != "application/x-www-form-urlencoded":
            return _text("A form is expected.", 415)
        if _length(request) > MAX_BYTES:
            return _text("The form is too large.", 413)
        url = settings.PUBLIC_URL + request.get_full_path()
        try:
            form = request.POST
        except (SuspiciousOperation, BadRequest):
            return _text("The form cannot be read.", 400)
        signature = request.META.get("HTTP_X_TWILIO_SIGNATURE", "")
        if not signature or not gateway.signature_is_valid(url, form, signature):
            log.warning("forged or misdirected webhook", path=request.path)
            return _text("The signature is missing or wrong.", 403)
        return view(request, *args, **kwargs)

    return for_machines(require_POST(checked))


@signed_by_twilio
def webhook(request: HttpRequest) -> HttpResponse:
    """Take an SMS: store it, hand its id to a worker, answer with an empty reply."""
    try:
        incoming = inbound.parse(request.POST)
    except inbound.Malformed as error:
        log.warning("malformed webhook", error=str(error))
        return _text(f"Bad request: {error}.", 400)
    if incoming is not None:
        try:
            inbound_id, created = inbound.store(incoming, now=timezone.now())
        except DatabaseFailure as error:
            log.error("text not stored, Twilio is asked to try again", error=str(error))
            return _text("Not stored; try again.", 503)
        if created:
            handover.inbound(inbound_id)
    return HttpResponse("<Response/>", content_type="text/xml; charset=utf-8")


@signed_by_twilio
def status(request: HttpRequest, public_id: uuid.UUID) -> HttpResponse:
    """Take a delivery report. It only moves a message forward, and may come before our own 201."""
    sids = request.POST.getlist("MessageSid")
    words = request.POST.getlist("MessageStatus")
    if len(sids) != 1 or len(words) != 1 or not _SID.fullmatch(sids[0]):
        return _text("Bad request: MessageSid and MessageStatus must stand exactly once.", 400)
    if request.POST.getlist("AccountSid") not in ([], [settings.TWILIO_ACCOUNT_SID]):
        return _text("Bad request: AccountSid is not ours.", 400)
    code = request.POST.get("ErrorCode", "")
    try:
        known = sending.report(
            public_id,
            sid=sids[0],
            word=words[0],
            code=int(code) if re.fullmatch(r"[0-9]{1,6}", code, re.ASCII) else None,
            now=timezone.now(),
        )
    except DatabaseFailure as error:
        log.error("delivery report not stored", error=str(error))
        return _text("Not stored; try again.", 503)
    return _text("Noted.", 200) if known else _text("No such message.", 404)
