"""The admin's pages of people and their texts: to look at, with actions that call the services."""

from typing import Any

from django.conf import settings
from django.contrib import admin
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from downloads import services
from moviesms.admin import (
    ActingAdmin,
    ReadOnlyAdmin,
    ReadOnlyInline,
    for_selected,
    label,
    moment,
    on_this_page,
    when,
)
from smsbot import (
    acts,
    costs,
    issue_admin,  # noqa: F401  (registers its page)
    terms_admin,  # noqa: F401  (registers its pages)
    threads,
)
from smsbot.forms import ContactForm
from smsbot.models import Contact, InboundMessage, OutboundAttempt, OutboundMessage
from smsbot.policy import Access, access_of
from smsbot.replies import segments

Status = OutboundMessage.Status
Standing = Contact.Standing

_STANDING_KINDS: dict[str, str] = {Standing.ALLOWED: "success", Standing.BLOCKED: "danger"}
_ACCESS_KINDS = {
    Access.OWNER: "primary",
    Access.MEMBER: "success",
    Access.STRANGER: "warning",
    Access.BLOCKED: "danger",
}
_STATE_KINDS: dict[str, str] = {
    InboundMessage.State.RECEIVED: "warning",
    InboundMessage.State.PROCESSING: "info",
    InboundMessage.State.HANDLED: "success",
    InboundMessage.State.DEAD: "danger",
}
_STATUS_KINDS: dict[str, str] = {
    Status.QUEUED: "warning",
    Status.SENDING: "info",
    Status.SENT: "info",
    Status.DELIVERED: "success",
    Status.UNDELIVERED: "danger",
    Status.FAILED: "danger",
    Status.UNKNOWN: "danger",
}
_OUTCOME_KINDS: dict[str, str] = {
    OutboundAttempt.Outcome.STARTED: "info",
    OutboundAttempt.Outcome.SENT: "success",
    OutboundAttempt.Outcome.NOT_SENT: "warning",
    OutboundAttempt.Outcome.REJECTED: "danger",
    OutboundAttempt.Outcome.UNKNOWN: "danger",
}


class TroubleFilter(admin.SimpleListFilter):
    """The texts that the owner may want to send again."""

    title = "trouble"
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [("failed", "failed, and not sent again")]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "failed":
            return queryset.filter(pk__in=threads.failed().values("pk"))
        return queryset


# --- How things read -----------------------------------------------------------------------------


def _status_label(message: OutboundMessage) -> SafeString:
    return label(message.get_status_display(), _STATUS_KINDS.get(message.status, "default"))


def _failure(message: OutboundMessage) -> str:
    """Return why a text failed, with Twilio's code and a link to what the code means."""
    if message.error_code is None:
        return message.failure or "—"
    return format_html(
        '{} <a class="text-link" rel="noreferrer" '
        'href="https://www.twilio.com/docs/api/errors/{}">({})</a>',
        message.failure or "Twilio says",
        message.error_code,
        message.error_code,
    )


def _change_link(row: Contact | InboundMessage | OutboundMessage, text: str) -> SafeString:
    name = f"admin:smsbot_{row._meta.model_name}_change"
    return format_html('<a class="text-link" href="{}">{}</a>', reverse(name, args=[row.pk]), text)


# --- Contacts ------------------------------------------------------------------------------------


@admin.register(Contact)
class ContactAdmin(ActingAdmin):
    """The people, and what they may do.

    Their name, how they like to be written to and the terms on which they may ask can be edited.
    """

    list_display = ("called", "address", "may", "standing_label", "opted_out", "last_text")
    list_display_links = ("called", "address")
    list_filter = ("standing", ("opted_out_at", admin.EmptyFieldListFilter))
    search_fields = ("name", "address")
    form = ContactForm
    editable = ("name", "language", "style", "muted", "needs_approval", "request_limit")
    readonly_fields = (
        "address",
        "conversation",
        "may",
        "standing_label",
        "opted_out",
        "silent",
        "films",
        "since",
    )
    fields = (*editable, *readonly_fields)
    actions = ("allow_selected", "block_selected")
    actions_detail = ("allow", "block")

    empty_words = "Nobody has texted yet."

    def idle_buttons(self, row: Contact) -> set[str]:
        """Nobody is let in or blocked twice."""
        done = {Standing.ALLOWED: {"allow"}, Standing.BLOCKED: {"block"}}
        return done.get(Standing(row.standing), set())

    last_text = when("last_text_at", "last text")
    since = when("created_at", "known since")
    silent = when("silent_until", "gets no answers until (a loop)")
    allow_selected = for_selected(acts.allow, "Allow", "They may then ask for films.")
    block_selected = for_selected(acts.block, "Block", "They then get no answers and no texts.")
    allow = on_this_page(
        acts.allow, "Allow", question="This person may then ask for films.", icon="how_to_reg"
    )
    block = on_this_page(
        acts.block,
        "Block",
        question="This person then gets no answers and no texts.",
        icon="block",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Contact]:
        texts = InboundMessage.objects.filter(contact=OuterRef("pk")).order_by("-received_at")
        last = Subquery(texts.values("received_at")[:1])
        contacts: QuerySet[Contact] = super().get_queryset(request)
        return contacts.annotate(last_text_at=last)

    def save_model(self, request: HttpRequest, obj: Contact, form: Any, change: bool) -> None:
        """Write what was changed alone: the person may have texted STOP since the page opened."""
        obj.save(update_fields=form.changed_data)

    @admin.display(description="name", ordering="name")
    def called(self, contact: Contact) -> str:
        return contact.name or "no name yet"

    @admin.display(description="may")
    def may(self, contact: Contact) -> SafeString:
        access = access_of(contact)
        return label(access.value, _ACCESS_KINDS[access])

    @admin.display(description="standing", ordering="standing")
    def standing_label(self, contact: Contact) -> SafeString:
        kind = _STANDING_KINDS.get(contact.standing, "default")
        return label(contact.get_standing_display(), kind)

    @admin.display(description="opted out", ordering="opted_out_at")
    def opted_out(self, contact: Contact) -> str:
        if contact.opted_out_at is None:
            return "—"
        return format_html("{} {}", label("STOP", "warning"), moment(contact.opted_out_at))

    @admin.display(description="texts")
    def conversation(self, contact: Contact) -> SafeString:
        page = reverse("dashboard:conversation", args=[contact.pk])
        return format_html('<a class="text-link" href="{}">The conversation</a>', page)

    @admin.display(description="waits for, or had lately")
    def films(self, contact: Contact) -> str:
        films = services.requests_of(contact.address)
        names = ((film.name, film.get_status_display()) for film in films)
        return format_html_join(", ", "{} ({})", names) or "—"


# --- Messages ------------------------------------------------------------------------------------


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    """What people texted, how it was understood, and what could not be answered."""

    list_display = ("text", "who", "status", "failure", "attempts", "received")
    list_display_links = ("text",)
    list_filter = ("state", ("failure", admin.EmptyFieldListFilter))
    list_select_related = ("contact",)
    search_fields = ("body", "contact__name", "contact__address", "twilio_sid")
    ordering = ("-id",)
    actions = ("retry_selected",)
    actions_detail = ("retry",)
    fieldsets = (
        (None, {"fields": ("who", "body", "status", "failure", "received", "handled", "answers")}),
        (
            "How it was understood",
            {"fields": ("understanding", "matches", "attempts", "next_try", "twilio_sid")},
        ),
    )

    empty_words = "Nobody has texted yet."

    def idle_buttons(self, row: InboundMessage) -> set[str]:
        """Only what was given up is tried again."""
        return set() if row.state == InboundMessage.State.DEAD else {"retry"}

    received = when("received_at", "received", ordering="id")
    handled = when("handled_at", "answered")
    next_try = when("next_attempt_at", "next attempt")

    retry_selected = for_selected(
        acts.try_again, "Try again", "Messages that were given up get another five tries."
    )
    retry = on_this_page(
        acts.try_again,
        "Try again",
        question="A message that was given up gets another five tries.",
        icon="refresh",
    )

    @admin.display(description="text", ordering="body")
    def text(self, message: InboundMessage) -> str:
        return acts.short(message.body)

    @admin.display(description="from", ordering="contact__name")
    def who(self, message: InboundMessage) -> SafeString:
        return _change_link(message.contact, str(message.contact))

    @admin.display(description="state", ordering="state")
    def status(self, message: InboundMessage) -> SafeString:
        return label(message.get_state_display(), _STATE_KINDS[message.state])

    @admin.display(description="answers")
    def answers(self, message: InboundMessage) -> str:
        rows = (
            (_status_label(reply), _change_link(reply, acts.short(reply.shown)))
            for reply in message.replies.all()
        )
        return format_html_join(SafeString("<br>"), "{} {}", rows) or "—"


class AttemptInline(ReadOnlyInline):
    """The calls to Twilio that were made for a text."""

    model = OutboundAttempt
    verbose_name_plural = "attempts"
    fields = ("number", "started", "what", "detail", "twilio_sid")
    readonly_fields = fields

    started = when("started_at", "started")

    @admin.display(description="outcome")
    def what(self, attempt: OutboundAttempt) -> SafeString:
        return label(attempt.get_outcome_display(), _OUTCOME_KINDS[attempt.outcome])


@admin.register(OutboundMessage)
class OutboundMessageAdmin(ReadOnlyAdmin):
    """What we texted, whether it arrived, and if not why."""

    list_display = ("short", "who", "kind", "state", "why", "segment_count", "created")
    list_display_links = ("short",)
    list_after_template = "smsbot/admin/costs.html"
    list_filter = ("status", TroubleFilter, "purpose")
    list_select_related = ("contact",)
    search_fields = ("text", "contact__name", "contact__address", "twilio_sid", "failure")
    ordering = ("-id",)
    inlines = (AttemptInline,)
    actions = ("resend_selected",)
    actions_detail = ("resend",)
    fieldsets = (
        (None, {"fields": ("who", "whole", "state", "why", "kind", "segment_count")}),
        ("Times", {"fields": ("created", "sent", "finished", "next_try")}),
        ("Because of", {"fields": ("reply_to", "request", "event", "copy_of", "copies")}),
        ("At Twilio", {"fields": ("twilio_sid", "error_code", "public_id")}),
    )

    empty_words = "No text has gone out yet."

    def idle_buttons(self, row: OutboundMessage) -> set[str]:
        """Only what failed is sent again, once."""
        lost = (Status.FAILED, Status.UNDELIVERED, Status.SUPPRESSED, Status.UNKNOWN)
        return set() if row.status in lost and not row.resends.exists() else {"resend"}

    created = when("created_at", "written", ordering="id")
    sent = when("sent_at", "handed over")
    finished = when("finished_at", "settled")
    next_try = when("next_attempt_at", "next attempt")
    resend_selected = for_selected(
        acts.send_again,
        "Send again",
        "Each person gets the same words once more. Only what failed is sent again.",
    )
    resend = on_this_page(
        acts.send_again,
        "Send again",
        question="The person gets the same words once more. Only what failed is sent again.",
        icon="send",
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Add what the texts of each month cost."""
        sums = {"months": costs.months(timezone.now()), "currency": settings.SMS_CURRENCY}
        return super().changelist_view(request, {**sums, **(extra_context or {})})

    @admin.display(description="text", ordering="text")
    def short(self, message: OutboundMessage) -> str:
        return acts.short(message.shown)

    @admin.display(description="text")
    def whole(self, message: OutboundMessage) -> str:
        return message.shown

    @admin.display(description="to", ordering="contact__name")
    def who(self, message: OutboundMessage) -> SafeString:
        return _change_link(message.contact, str(message.contact))

    @admin.display(description="purpose", ordering="purpose")
    def kind(self, message: OutboundMessage) -> str:
        return message.get_purpose_display()

    @admin.display(description="status", ordering="status")
    def state(self, message: OutboundMessage) -> SafeString:
        return _status_label(message)

    @admin.display(description="failure", ordering="failure")
    def why(self, message: OutboundMessage) -> str:
        return _failure(message)

    @admin.display(description="segments", ordering="segments")
    def segment_count(self, message: OutboundMessage) -> int:
        return message.segments or segments(message.text)

    @admin.display(description="answers")
    def reply_to(self, message: OutboundMessage) -> str:
        heard = message.in_reply_to
        return _change_link(heard, acts.short(heard.body)) if heard else "—"

    @admin.display(description="sends again")
    def copy_of(self, message: OutboundMessage) -> str:
        first = message.resend_of
        return _change_link(first, moment(first.created_at)) if first else "—"

    @admin.display(description="was sent again")
    def copies(self, message: OutboundMessage) -> str:
        links = ((_change_link(copy, moment(copy.created_at)),) for copy in message.resends.all())
        return format_html_join(", ", "{}", links) or "—"
