"""What the owner has done to a contact or a text, and the sentence that says what became of it."""

from django.contrib import messages
from django.db import transaction
from django.utils import timezone
from django.utils.text import Truncator

from downloads import services
from moviesms.acts import Result
from smsbot import approvals, handover, issues, processing, sending
from smsbot.models import Contact, InboundMessage, Issue, OutboundMessage
from smsbot.policy import Access, access_of

BY_ADMIN = "the admin"


def allow(contact: Contact) -> Result:
    """Let a person ask for films."""
    approvals.decide_contact(contact.pk, True, by=BY_ADMIN, now=timezone.now())
    return Result(f"{contact} may ask for films.")


def block(contact: Contact) -> Result:
    """Answer a person no more, and send them nothing."""
    if access_of(contact) == Access.OWNER:
        text = f"{contact} is an owner by OWNER_PHONE_NUMBERS and cannot be blocked here."
        return Result(text, messages.WARNING)
    approvals.decide_contact(contact.pk, False, by=BY_ADMIN, now=timezone.now())
    return Result(f"{contact} is blocked: no answers, and no texts.")


def approve(request_id: int) -> Result:
    """Let a request go that waits for the owner; who asked is told."""
    return _decide(request_id, True, "will be got")


def decline(request_id: int) -> Result:
    """Decline a request that waits for the owner; who asked is told."""
    return _decide(request_id, False, "was declined")


def _decide(request_id: int, approve: bool, words: str) -> Result:
    film = services.request(request_id).download.name
    now = timezone.now()
    if not approvals.decide_request(request_id, approve, by=BY_ADMIN, now=now):
        return Result(f"{film}: waits for nobody any more.", messages.WARNING)
    services.wake_monitor()
    handover.events()
    return Result(f"{film} {words}; who asked is told.")


def another_release(issue: Issue) -> Result:
    """Block the release that somebody complains of, and look for another one."""
    with transaction.atomic():
        done = issues.retry(issue.pk, None, timezone.now())
    if not done:
        return Result(f"{issue.download}: is not open any more.", messages.WARNING)
    return Result(f"{issue.download}: its release is blocked, and another one looked for.")


def solved(issue: Issue) -> Result:
    """Say that what somebody complained of is mended; they are told."""
    with transaction.atomic():
        done = issues.solve(issue.pk, None, timezone.now())
    if not done:
        return Result(f"{issue.download}: was solved already.", messages.WARNING)
    return Result(f"{issue.download}: solved; {issue.contact} is told.")


def try_again(message: InboundMessage) -> Result:
    """Have a text answered that was given up."""
    if not processing.retry(message.pk):
        text = f"{message.contact}: “{short(message.body)}” was not given up."
        return Result(text, messages.WARNING)
    handover.inbound(message.pk)
    return Result(f"{message.contact}: “{short(message.body)}” is answered now.")


def send_again(message: OutboundMessage) -> Result:
    """Send a text that failed once more."""
    if message.resends.exists():
        return Result(f"To {message.contact}: was sent again already.", messages.WARNING)
    if sending.resend(message.pk, timezone.now()) is None:
        text = f"To {message.contact}: did not fail ({message.get_status_display()})."
        return Result(text, messages.WARNING)
    handover.line(message.contact_id)
    return Result(f"To {message.contact}: goes out again within seconds.")


def short(text: str) -> str:
    """Return the beginning of a text, on one line."""
    return Truncator(" ".join(text.split())).chars(80) or "(no words)"
