"""A household with an owner, for the tests of who may ask."""

import re

from pytest_django.fixtures import Settings

from smsbot.models import Contact

OLIVIA, OSCAR = "+12025550101", "+12025550102"


def has_owner(settings: Settings, *addresses: str, policy: str = "ask-owner") -> None:
    """Let Olivia (or `addresses`) be the owner, who is asked about strangers."""
    settings.OWNER_PHONE_NUMBERS = list(addresses or [OLIVIA])
    settings.REQUEST_POLICY = policy
    Contact.objects.create(address=OLIVIA, name="Olivia", standing=Contact.Standing.ALLOWED)


def member(address: str, name: str = "", **terms: object) -> Contact:
    """Return a contact who may ask."""
    return Contact.objects.create(
        address=address, name=name, standing=Contact.Standing.ALLOWED, **terms
    )


def code_in(text: str) -> str:
    """Return the code that stands in a question to the owner."""
    found = re.search(r"\b(?:ALLOW|APPROVE) ([0-9]{4})\b", text)
    assert found, text
    return found[1]
