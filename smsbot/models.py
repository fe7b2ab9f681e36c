"""People and their texts, both directions. A row is the truth; a task only carries its id."""

import re
import uuid
from typing import ClassVar

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone

_CODE = re.compile(r"\b(ALLOW|DENY|APPROVE|DECLINE|RETRY|SOLVED) \d{4}\b")


class Contact(models.Model):
    """A person we talk to. `address` is their phone number in E.164."""

    class Standing(models.TextChoices):
        NEW = "new", "new"
        ALLOWED = "allowed", "allowed"
        BLOCKED = "blocked", "blocked"

    class Style(models.TextChoices):
        RICH = "rich", "with emoji"
        PLAIN = "plain", "plain"

    address = models.CharField(max_length=20, unique=True)
    name = models.CharField(max_length=100, blank=True)
    standing = models.CharField(max_length=8, choices=Standing, default=Standing.NEW)
    opted_out_at = models.DateTimeField(null=True, blank=True)
    # How they like to be written to; empty is as the household's settings have it.
    language = models.CharField(max_length=8, blank=True)
    # What they last wrote in, as far as a text told; used while they have not chosen.
    heard_language = models.CharField(max_length=8, blank=True)
    style = models.CharField(max_length=5, blank=True, choices=Style)
    # Kinds of notifications they do not want, such as "started".
    muted = models.JSONField(default=list, blank=True)
    # The owner's terms for them: every request is asked about, or only those above a limit.
    needs_approval = models.BooleanField(
        default=False, help_text="The owner is asked about each of their requests."
    )
    request_limit = models.PositiveSmallIntegerField(
        null=True,
        blank=True,
        help_text="How many films within REQUEST_WINDOW. Empty: as REQUEST_LIMIT says; 0: any.",
    )
    # A stranger is answered once a day, and the owner hears of them once.
    stranger_told_at = models.DateTimeField(null=True, blank=True)
    owner_told_at = models.DateTimeField(null=True, blank=True)
    # Two machines were answering each other; until then they get no answer.
    silent_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "address"]

    def __str__(self) -> str:
        return self.name or self.masked

    @property
    def masked(self) -> str:
        """The address with all but its last four digits left out: `+1…0142`."""
        return f"{self.address[:2]}…{self.address[-4:]}"


class InboundMessage(models.Model):
    """One SMS that came in. `received → processing → handled | dead`."""

    class State(models.TextChoices):
        RECEIVED = "received", "received"
        PROCESSING = "processing", "being answered"
        HANDLED = "handled", "answered"
        DEAD = "dead", "given up"

    twilio_sid = models.CharField(max_length=34, unique=True)
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="inbound")
    body = models.TextField(blank=True)
    num_media = models.PositiveSmallIntegerField(default=0)
    # Opt-out and opt-in words do not wait for the messages before them.
    skips_line = models.BooleanField(default=False)
    received_at = models.DateTimeField()

    state = models.CharField(max_length=10, choices=State, default=State.RECEIVED)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    backing_off_since = models.DateTimeField(null=True, blank=True)
    # Stored before they are acted on, so that a crash repeats no paid call and no choice.
    understanding = models.JSONField(null=True, blank=True)
    matches = models.JSONField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    handled_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "text in"
        verbose_name_plural = "texts in"
        ordering: ClassVar = ["id"]
        indexes: ClassVar = [
            models.Index(
                fields=["contact", "id"],
                condition=Q(state__in=["received", "processing"]),
                name="inbound_in_line",
            )
        ]

    def __str__(self) -> str:
        return f"text of {timezone.localtime(self.received_at):%d %b %Y, %H:%M}"


class OutboundMessage(models.Model):
    """One SMS that goes out; its text is frozen when the row is made.

    `queued → sending → sent → delivered | undelivered | failed`; `suppressed` is never sent, and
    `unknown` means that the call was made and its outcome was not seen.
    """

    class Purpose(models.TextChoices):
        ANSWER = "answer", "answer"
        HOLDING = "holding", "holding answer"
        APOLOGY = "apology", "apology"
        NOTIFICATION = "notification", "notification"
        OWNER = "owner", "notice to the owner"
        BY_HAND = "by_hand", "written by hand"

    class Status(models.TextChoices):
        QUEUED = "queued", "queued"
        SENDING = "sending", "being handed over"
        SENT = "sent", "handed over"
        DELIVERED = "delivered", "delivered"
        UNDELIVERED = "undelivered", "undelivered"
        FAILED = "failed", "failed"
        SUPPRESSED = "suppressed", "not sent"
        UNKNOWN = "unknown", "unknown"

    class Asks(models.TextChoices):
        FILM = "film", "which film is wanted"
        CORRECTION = "correction", "whether the film taken is the one meant"
        LEAVE = "leave", "which film is wanted no more"
        ISSUE = "issue", "which film something is wrong with"

    # In the path of the delivery callback, so that it finds this row before we know the SID.
    public_id = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    contact = models.ForeignKey(Contact, models.PROTECT, related_name="outbound")
    text = models.TextField()
    # What the carrier bills it as; counted when it is taken to be sent.
    segments = models.PositiveSmallIntegerField(default=0)
    purpose = models.CharField(max_length=12, choices=Purpose)
    template = models.CharField(max_length=40, blank=True)
    in_reply_to = models.ForeignKey(
        InboundMessage, models.PROTECT, null=True, blank=True, related_name="replies"
    )
    event = models.ForeignKey(
        "downloads.DownloadEvent", models.PROTECT, null=True, blank=True, related_name="+"
    )
    # The request that this text announces or that its event concerns; sending checks it again.
    request = models.ForeignKey(
        "downloads.DownloadRequest", models.PROTECT, null=True, blank=True, related_name="+"
    )
    # What is told once: what a notice to the owner is about, or the page a text was written on.
    about = models.CharField(max_length=120, blank=True)
    resend_of = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="resends"
    )
    # The films a question offers, in order: [{"tmdb_id", "title", "year"}, …].
    offers = models.JSONField(null=True, blank=True)
    # What an answer to the offers decides.
    asks = models.CharField(max_length=10, choices=Asks, default=Asks.FILM)
    answered_by = models.ForeignKey(
        InboundMessage, models.PROTECT, null=True, blank=True, related_name="answered_questions"
    )

    status = models.CharField(max_length=11, choices=Status, default=Status.QUEUED)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    next_attempt_at = models.DateTimeField(null=True, blank=True)
    twilio_sid = models.CharField(max_length=34, null=True, blank=True, unique=True)
    error_code = models.PositiveIntegerField(null=True, blank=True)
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    # How often Twilio, asked about an unknown outcome, did not have this text.
    denials = models.PositiveSmallIntegerField(default=0)
    sent_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "text out"
        verbose_name_plural = "texts out"
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["event", "contact"],
                condition=Q(resend_of=None),
                name="one_text_per_event_and_person",
            ),
            models.UniqueConstraint(
                fields=["in_reply_to", "purpose"],
                condition=Q(resend_of=None),
                name="one_reply_per_purpose",
            ),
            models.UniqueConstraint(
                fields=["about", "contact"],
                condition=Q(resend_of=None) & ~Q(about=""),
                name="one_owner_notice_per_matter",
            ),
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["contact", "id"],
                condition=Q(status__in=["queued", "sending"]),
                name="outbound_in_line",
            ),
            models.Index(
                fields=["status"],
                condition=Q(status__in=["queued", "sending", "unknown"]),
                name="outbound_unsettled",
            ),
        ]

    def __str__(self) -> str:
        return f"text of {timezone.localtime(self.created_at):%d %b %Y, %H:%M}"

    @property
    def shown(self) -> str:
        """The text as pages show it: a one-time code is for the phone that it was sent to."""
        return _CODE.sub(r"\1 ····", self.text)


class OutboundAttempt(models.Model):
    """One call to Twilio for a message, recorded before it is made."""

    class Outcome(models.TextChoices):
        STARTED = "started", "started"
        SENT = "sent", "taken by Twilio"
        NOT_SENT = "not_sent", "certainly not sent"
        REJECTED = "rejected", "rejected"
        UNKNOWN = "unknown", "unknown"

    message = models.ForeignKey(OutboundMessage, models.CASCADE, related_name="attempts")
    number = models.PositiveSmallIntegerField()
    started_at = models.DateTimeField()
    twilio_sid = models.CharField(max_length=34, blank=True)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.STARTED)
    detail = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["number"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["message", "number"], name="attempts_are_numbered")
        ]

    def __str__(self) -> str:
        return f"attempt {self.number} of {self.message_id}"


class Issue(models.Model):
    """What a person says is wrong with a film that they have: for the owner to look at."""

    class Kind(models.TextChoices):
        WRONG_FILM = "wrong_film", "it is another film"
        BROKEN = "broken", "picture, sound or subtitles are broken"

    class State(models.TextChoices):
        OPEN = "open", "open"
        RETRYING = "retrying", "another release is looked for"
        SOLVED = "solved", "solved"

    contact = models.ForeignKey(Contact, models.PROTECT, related_name="issues")
    download = models.ForeignKey("downloads.Download", models.PROTECT, related_name="+")
    # The text that said it, unique: a replay after a crash finds its own row.
    inbound = models.OneToOneField(InboundMessage, models.PROTECT, related_name="issue")
    kind = models.CharField(max_length=10, choices=Kind)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    created_at = models.DateTimeField()
    solved_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]

    def __str__(self) -> str:
        return f"{self.contact} on {self.download}: {self.get_kind_display()}"


class OneTimeCode(models.Model):
    """A code texted to the owner's phones with a question: who answers with it holds one of them.

    A sender's number can be forged; what was sent to it cannot be read by who forged it.
    """

    class Kind(models.TextChoices):
        JOIN = "join", "may this number ask for films"
        REQUEST = "request", "may this film be got"
        ISSUE = "issue", "is another release to be got"

    kind = models.CharField(max_length=7, choices=Kind)
    code = models.CharField(max_length=8)
    contact = models.ForeignKey(Contact, models.CASCADE, related_name="codes")
    request = models.ForeignKey(
        "downloads.DownloadRequest", models.CASCADE, null=True, blank=True, related_name="+"
    )
    issue = models.ForeignKey(Issue, models.CASCADE, null=True, blank=True, related_name="codes")
    # The text that waits for the decision.
    inbound = models.ForeignKey(
        InboundMessage, models.CASCADE, null=True, blank=True, related_name="codes"
    )
    created_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(
        Contact, models.SET_NULL, null=True, blank=True, related_name="codes_used"
    )
    decision = models.CharField(max_length=10, blank=True)
    decided_by = models.CharField(max_length=100, blank=True)  # as people call them

    class Meta:
        verbose_name = "question"
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["code"], condition=Q(used_at=None), name="one_open_code"
            ),
            models.UniqueConstraint(
                fields=["request"], condition=Q(used_at=None), name="one_code_per_request"
            ),
        ]

    def __str__(self) -> str:
        return f"code {self.pk} ({self.kind})"


class BlockedTitle(models.Model):
    """A film that the owner does not want asked for, by its TMDB id or by its title."""

    title = models.CharField(max_length=300, blank=True)
    tmdb_id = models.PositiveIntegerField(null=True, blank=True, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["title"]

    def __str__(self) -> str:
        return self.title or f"TMDB {self.tmdb_id}"

    def clean(self) -> None:
        if not self.title.strip() and self.tmdb_id is None:
            raise ValidationError("Give a title or a TMDB id.")


class BackfillState(models.Model):
    """The one row of how far the texts that Twilio holds have been read."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    # What was texted before we were there is not ours to answer.
    installed_at = models.DateTimeField()
    cursor = models.DateTimeField()  # Twilio's clock
    next_at = models.DateTimeField()

    class Meta:
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="one_backfill_state")
        ]

    def __str__(self) -> str:
        return f"read until {self.cursor}"
