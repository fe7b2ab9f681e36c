"""What the owner has done to a contact or a text, and the sentence that says what became of it."""

from django.contrib import messages
from django.utils import timezone
from django.utils.text import Truncator

from moviesms.acts import Result
from smsbot import handover, processing, sending
from smsbot.models import Contact, InboundMessage, OutboundMessage
from smsbot.policy import Access, access_of


def allow(contact: Contact) -> Result:
    """Let a person ask for films."""
    Contact.objects.filter(pk=contact.pk).update(standing=Contact.Standing.ALLOWED)
    return Result(f"{contact} may ask for films.")


def block(contact: Contact) -> Result:
    """Answer a person no more, and send them nothing."""
    if access_of(contact) == Access.OWNER:
        text = f"{contact} is an owner by OWNER_PHONE_NUMBERS and cannot be blocked here."
        return Result(text, messages.WARNING)
    Contact.objects.filter(pk=contact.pk).update(standing=Contact.Standing.BLOCKED)
    return Result(f"{contact} is blocked: no answers, and no texts.")


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
