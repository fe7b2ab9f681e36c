"""Who may ask. The owner's numbers and the allowed ones may; a stranger costs no paid call."""

import enum

from django.conf import settings

from smsbot.models import Contact


class Access(enum.StrEnum):
    """What a contact may do."""

    OWNER = "owner"
    MEMBER = "member"
    STRANGER = "stranger"
    BLOCKED = "blocked"


def access_of(contact: Contact) -> Access:
    """Return what `contact` may do under REQUEST_POLICY and the owner's decisions."""
    if contact.address in settings.OWNER_PHONE_NUMBERS:
        return Access.OWNER
    if contact.standing == Contact.Standing.BLOCKED:
        return Access.BLOCKED
    if contact.standing == Contact.Standing.ALLOWED or settings.REQUEST_POLICY == "open":
        return Access.MEMBER
    if contact.address in settings.ALLOWED_PHONE_NUMBERS:
        return Access.MEMBER
    return Access.STRANGER


def admit_address(address: str) -> str | None:
    """Say why a request for this phone number is refused (a stable code), or None if it is not.

    The API's requests pass here, by the setting DOWNLOADS_REQUESTER_POLICY.
    """
    if address == settings.TWILIO_PHONE_NUMBER:
        return "not_allowed"
    contact = Contact.objects.filter(address=address).first() or Contact(address=address)
    access = access_of(contact)
    if access in (Access.STRANGER, Access.BLOCKED):
        return "not_allowed"
    return "opted_out" if contact.opted_out_at else None


def owners() -> list[Contact]:
    """Return the owner's contacts, made where they have not written yet."""
    return [
        Contact.objects.get_or_create(
            address=address, defaults={"standing": Contact.Standing.ALLOWED}
        )[0]
        for address in settings.OWNER_PHONE_NUMBERS
    ]
