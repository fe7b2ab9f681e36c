"""Which rows a made-up year consists of, and deleting exactly those."""

from django.apps import apps
from django.db import transaction
from django.db.models import Model, ProtectedError

from dashboard.models import DemoYear
from smsbot.models import Contact, InboundMessage, OutboundMessage

# What refers to others is deleted before them.
_ORDER = (
    "smsbot.outboundattempt",
    "smsbot.outboundmessage",
    "smsbot.inboundmessage",
    "downloads.downloadevent",
    "downloads.downloadrequest",
    "downloads.download",
    "smsbot.contact",
    "moviesms.incident",
    "moviesms.quota",
)


_AT_ONCE = 200


def real_rows() -> int:
    """Return how many downloads, texts and people there are that no demonstration made."""
    return sum(
        model._default_manager.exclude(pk__in=_made(model)).count()
        for model in (
            apps.get_model("downloads.download"),
            InboundMessage,
            OutboundMessage,
            Contact,
        )
    )


def _made(model: type[Model]) -> list[int]:
    label = model._meta.label_lower
    return [pk for year in DemoYear.objects.all() for pk in year.rows.get(label, [])]


def remove() -> tuple[int, int]:
    """Delete what was made; return how many rows went, and how many real ones hold on to."""
    gone = kept = 0
    for label in _ORDER:
        model = apps.get_model(label)
        ids = _made(model)
        for start in range(0, len(ids), _AT_ONCE):
            some = ids[start : start + _AT_ONCE]
            deleted = _delete(model, some)
            gone, kept = gone + deleted, kept + _left(model, some)
    DemoYear.objects.all().delete()
    return gone, kept


def _delete(model: type[Model], ids: list[int]) -> int:
    """Delete rows together, or one by one where a real row holds on to one of them."""
    rows = model._default_manager.filter(pk__in=ids)
    try:
        with transaction.atomic():
            return rows.delete()[1].get(model._meta.label, 0)
    except ProtectedError:
        return sum(_delete(model, [pk]) for pk in ids) if len(ids) > 1 else 0


def _left(model: type[Model], ids: list[int]) -> int:
    return model._default_manager.filter(pk__in=ids).count()
