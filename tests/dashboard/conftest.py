"""Rows for the owner's pages, and people of the staff who look at them."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone

from downloads.models import Download, DownloadEvent, DownloadRequest
from smsbot.models import Contact, InboundMessage, OutboundMessage

SAM, ALEX, KIM = "+12025550142", "+12025550175", "+12025550119"


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture
def helper(client: Client) -> Client:
    """Somebody of the staff who may look at everything and act on nothing."""
    user = User.objects.create_user("helper", password="x", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


def a_contact(address: str = SAM, name: str = "Sam", **more: Any) -> Contact:
    return Contact.objects.create(address=address, name=name, **{"standing": "allowed", **more})


def a_film(
    tmdb_id: int, title: str, status: str = "downloading", requester: str = SAM, **more: Any
) -> Download:
    """A download that somebody asked for by a text."""
    now = timezone.now()
    fields = {"generation_started_at": now, "status_changed_at": now, "status": status, **more}
    film = Download.objects.create(tmdb_id=tmdb_id, title=title, **fields)
    an_ask(film, requester)
    return film


def an_ask(film: Download, requester: str = SAM, **more: Any) -> DownloadRequest:
    serial = DownloadRequest.objects.count()
    return DownloadRequest.objects.create(
        **{
            "download": film,
            "generation": film.generation,
            "requester": requester,
            "origin": f"SM{serial:032x}:0",
            "announced_at": timezone.now(),
            **more,
        }
    )


def happened(film: Download, kind: str, minutes_ago: float, reason: str = "") -> None:
    """An event of a film's course, in its order."""
    statuses = {"started": "downloading", "stuck": film.status}
    DownloadEvent.objects.create(
        download=film,
        generation=film.generation,
        kind=kind,
        old_status="requested",
        new_status=statuses.get(kind, kind),
        reason=reason,
        created_at=timezone.now() - timedelta(minutes=minutes_ago),
    )


def came_in(contact: Contact, body: str, **more: Any) -> InboundMessage:
    serial = InboundMessage.objects.count()
    fields = {"received_at": timezone.now(), "state": "handled", **more}
    return InboundMessage.objects.create(
        **{"twilio_sid": f"SM{serial:032x}", **fields}, contact=contact, body=body
    )


def went_out(contact: Contact, text: str, **more: Any) -> OutboundMessage:
    now = timezone.now()
    fields = {"created_at": now, "sent_at": now, "status": "delivered", "purpose": "answer"}
    return OutboundMessage.objects.create(**{**fields, **more}, contact=contact, text=text)
