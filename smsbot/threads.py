"""Conversations as a person reads them: who wrote last, and one person's texts both ways in order.

Each function makes a number of queries that does not grow with what it returns.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain

from django.db.models import Exists, F, Max, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Greatest

from moviesms.logs import mask_phone
from smsbot.models import Contact, InboundMessage, OutboundMessage
from smsbot.policy import Access, access_of
from smsbot.replies import segments

LONGEST_THREAD = 200

Status = OutboundMessage.Status


@dataclass(frozen=True)
class Text:
    """One text of a thread. `segments` is what a carrier bills; for texts that came in it is 0."""

    at: datetime
    text: str
    ours: bool
    pk: int
    state: str
    words: str  # the state, as people read it
    failure: str
    segments: int
    request_id: int | None = None
    origin: str = ""
    was_sent_again: bool = False

    @property
    def key(self) -> str:
        """A name of this text among those of both directions."""
        return f"{'out' if self.ours else 'in'}-{self.pk}"


def contacts_by_last_text(search: str = "") -> QuerySet[Contact]:
    """Return the people we have texted with, the latest text first, each with `last_at`."""
    came = InboundMessage.objects.filter(contact=OuterRef("pk")).order_by()
    went = OutboundMessage.objects.filter(contact=OuterRef("pk")).order_by()
    last_in = Subquery(came.values("contact").annotate(at=Max("received_at")).values("at"))
    last_out = Subquery(went.values("contact").annotate(at=Max("created_at")).values("at"))
    people = Contact.objects.annotate(last_in=last_in, last_out=last_out).annotate(
        # Greatest is NULL on SQLite when either is; on PostgreSQL it is not.
        last_at=Greatest(Coalesce("last_in", "last_out"), Coalesce("last_out", "last_in"))
    )
    if search:
        people = people.filter(Q(name__icontains=search) | Q(address__icontains=search))
    return people.exclude(last_at=None).order_by(F("last_at").desc(), "-id")


def last_texts(contacts: Iterable[Contact]) -> dict[int, Text]:
    """Return the newest text with each of `contacts`, by the contact's id."""
    contacts = list(contacts)
    went = OutboundMessage.objects.filter(contact__in=contacts).order_by()
    newest_out = went.values("contact").annotate(newest=Max("id")).values("newest")
    heard = last_heard(contacts).items()
    said = [(m.contact_id, _said(m)) for m in OutboundMessage.objects.filter(pk__in=newest_out)]
    ordered = sorted(chain(heard, said), key=lambda pair: (pair[1].at, pair[1].ours))
    return dict(ordered)


def last_heard(contacts: Iterable[Contact]) -> dict[int, Text]:
    """Return the newest text from each of `contacts`, by the contact's id."""
    came = InboundMessage.objects.filter(contact__in=list(contacts)).order_by()
    newest = came.values("contact").annotate(newest=Max("id")).values("newest")
    return {m.contact_id: _heard(m) for m in InboundMessage.objects.filter(pk__in=newest)}


def thread(contact: Contact) -> list[Text]:
    """Return the latest texts with a person, oldest first."""
    came = contact.inbound.order_by("-id")[:LONGEST_THREAD]
    again = Exists(OutboundMessage.objects.filter(resend_of=OuterRef("pk")))
    went = contact.outbound.annotate(was_sent_again=again).order_by("-id")[:LONGEST_THREAD]
    return _in_order(came, went)[-LONGEST_THREAD:]


def texts_about(request_ids: Iterable[int], origins: Iterable[str]) -> list[Text]:
    """Return the texts behind requests (origin `<sid>:<n>`) and those sent because of them."""
    sids = {origin.partition(":")[0] for origin in origins}
    came = InboundMessage.objects.filter(twilio_sid__in=sids)
    ids = list(request_ids)
    because = Q(request__in=ids) | Q(in_reply_to__in=came, purpose=OutboundMessage.Purpose.ANSWER)
    return _in_order(came, OutboundMessage.objects.filter(because))


def received_between(since: datetime, until: datetime) -> dict[str, datetime]:
    """Return when each text of [since, until) came in, by its SID."""
    came = InboundMessage.objects.filter(received_at__gte=since, received_at__lt=until)
    return dict(came.values_list("twilio_sid", "received_at"))


def names_of(addresses: Iterable[str]) -> dict[str, str]:
    """Return what each address is called: its contact's name, else its last digits."""
    wanted = set(addresses)
    named = Contact.objects.filter(address__in=wanted).exclude(name="")
    return {
        **{address: mask_phone(address) for address in wanted},
        **dict(named.values_list("address", "name")),
    }


def ids_of(addresses: Iterable[str]) -> dict[str, int]:
    """Return the contact's id of each address that has one."""
    known = Contact.objects.filter(address__in=set(addresses))
    return dict(known.values_list("address", "id"))


def strangers() -> list[Contact]:
    """Return who wrote and waits to be let in, the latest first."""
    new = Contact.objects.filter(standing=Contact.Standing.NEW, inbound__isnull=False).distinct()
    return [c for c in new.order_by("-id")[:100] if access_of(c) == Access.STRANGER]


def given_up() -> QuerySet[InboundMessage]:
    """Return the texts that could not be answered, the latest first."""
    dead = InboundMessage.objects.filter(state=InboundMessage.State.DEAD)
    return dead.select_related("contact").order_by("-id")


def failed() -> QuerySet[OutboundMessage]:
    """Return the texts that did not arrive, or may not have, and were not sent again."""
    lost = [Status.FAILED, Status.UNDELIVERED, Status.UNKNOWN]
    texts = OutboundMessage.objects.filter(status__in=lost, resends=None)
    return texts.select_related("contact").order_by("-id")


def count_since(since: datetime) -> tuple[int, int]:
    """Return how many texts came in and how many went out since then."""
    came = InboundMessage.objects.filter(received_at__gte=since).count()
    return came, OutboundMessage.objects.filter(sent_at__gte=since).count()


def _in_order(came: Iterable[InboundMessage], went: Iterable[OutboundMessage]) -> list[Text]:
    # Of one moment the question comes before its answer.
    texts = chain(map(_heard, came), map(_said, went))
    return sorted(texts, key=lambda text: (text.at, text.ours, text.pk))


def _heard(message: InboundMessage) -> Text:
    return Text(
        at=message.received_at,
        text=message.body or ("(a picture)" if message.num_media else "(no words)"),
        ours=False,
        pk=message.pk,
        state=message.state,
        words=message.get_state_display(),
        failure=message.failure,
        segments=0,
        origin=message.twilio_sid,
    )


def _said(message: OutboundMessage) -> Text:
    return Text(
        at=message.created_at,
        text=message.shown,
        ours=True,
        pk=message.pk,
        state=message.status,
        words=message.get_status_display(),
        failure=message.failure,
        segments=message.segments or segments(message.text),
        request_id=message.request_id,
        was_sent_again=getattr(message, "was_sent_again", False),
    )
