"""The record of what was asked for and what became of it. Only `lifecycle` writes a status."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils import timezone


class MediaType(models.TextChoices):
    MOVIE = "movie", "film"


class Status(models.TextChoices):
    REQUESTED = "requested", "requested"
    SEARCHING = "searching", "searching"
    WAITING = "waiting", "waiting for its release"
    DOWNLOADING = "downloading", "downloading"
    IMPORTING = "importing", "importing"
    COMPLETED = "completed", "ready to watch"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


ACTIVE = frozenset(
    {
        Status.REQUESTED,
        Status.SEARCHING,
        Status.WAITING,
        Status.DOWNLOADING,
        Status.IMPORTING,
    }
)


class Download(models.Model):
    """One wanted title: one row per (media type, TMDB id), however many people ask for it."""

    media_type = models.CharField(max_length=10, choices=MediaType, default=MediaType.MOVIE)
    tmdb_id = models.PositiveIntegerField()
    imdb_id = models.CharField(max_length=20, blank=True)
    title = models.CharField(max_length=500)
    year = models.PositiveSmallIntegerField(null=True, blank=True)
    poster_path = models.CharField(max_length=200, blank=True)
    release_date = models.DateField(null=True, blank=True)

    radarr_id = models.PositiveIntegerField(null=True, blank=True, db_index=True)
    added_by_us = models.BooleanField(default=False)

    status = models.CharField(max_length=12, choices=Status, default=Status.REQUESTED)
    reason = models.CharField(max_length=300, blank=True)
    problem = models.CharField(max_length=300, blank=True)
    version = models.PositiveIntegerField(default=1)
    generation = models.PositiveIntegerField(default=1)
    generation_started_at = models.DateTimeField()
    # Radarr's history up to this id belongs to an earlier generation.
    history_floor = models.PositiveBigIntegerField(default=0)

    add_lease = models.DateTimeField(null=True, blank=True)
    add_token = models.UUIDField(null=True, blank=True, editable=False)  # whose the lease is
    removal_due = models.BooleanField(default=False)
    # Its file is bad: the next tick has it deleted, its release blocked, and another looked for.
    another_due = models.BooleanField(default=False)
    bad_file_id = models.PositiveIntegerField(null=True, blank=True)  # Radarr's id of that file

    # The release date that was told last, empty when none is known, and when it was told.
    release_told = models.CharField(max_length=10, blank=True)
    release_told_at = models.DateTimeField(null=True, blank=True)

    # What a grace needs: since when something was seen, so that one odd look proves nothing.
    failed_seen_at = models.DateTimeField(null=True, blank=True)
    failed_history_id = models.PositiveBigIntegerField(default=0)
    failed_seen_reason = models.CharField(max_length=300, blank=True)
    absent_since = models.DateTimeField(null=True, blank=True)
    absent_count = models.PositiveIntegerField(default=0)
    stuck_since = models.DateTimeField(null=True, blank=True)
    undecided_since = models.DateTimeField(null=True, blank=True)

    created_at = models.DateTimeField(default=timezone.now)
    status_changed_at = models.DateTimeField()
    completed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-status_changed_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["media_type", "tmdb_id"], name="one_download_per_title")
        ]
        indexes: ClassVar = [
            models.Index(fields=["status", "status_changed_at"]),
            models.Index(fields=["removal_due"], condition=Q(removal_due=True), name="removals"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def name(self) -> str:
        """The title with its year, as people read it: `Dune (2021)`."""
        return f"{self.title} ({self.year})" if self.year else self.title

    @property
    def is_active(self) -> bool:
        return self.status in ACTIVE


class DownloadRequest(models.Model):
    """One person's ask for a download. To this app the requester is an opaque address."""

    class State(models.TextChoices):
        PENDING_APPROVAL = "pending_approval", "waiting for approval"
        ACTIVE = "active", "active"
        FULFILLED = "fulfilled", "fulfilled"
        DECLINED = "declined", "declined"
        WITHDRAWN = "withdrawn", "withdrawn"
        ENDED = "ended", "ended"

    download = models.ForeignKey(Download, models.PROTECT, related_name="requests")
    generation = models.PositiveIntegerField()
    requester = models.CharField(max_length=50, db_index=True)
    state = models.CharField(max_length=16, choices=State, default=State.ACTIVE)
    # The newest event when this person joined: only later ones are news to them.
    since_event = models.PositiveBigIntegerField(default=0)
    # When the person was told that the request is taken; before that nothing else is told.
    announced_at = models.DateTimeField(null=True, blank=True)
    # Where the ask came from, unique: a replay after a crash finds its own earlier row.
    origin = models.CharField(max_length=120, unique=True)
    # It joined a film on its way or ready, which uses nothing of the person's allowance.
    free = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = "request"
        ordering: ClassVar = ["created_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["download", "generation", "requester"],
                condition=Q(state__in=["active", "pending_approval"]),
                name="one_open_request_per_person",
            )
        ]
        indexes: ClassVar = [
            models.Index(
                fields=["announced_at"], condition=Q(announced_at=None), name="unannounced"
            ),
            models.Index(
                fields=["id"], condition=Q(state="pending_approval"), name="pending_requests"
            ),
        ]

    def __str__(self) -> str:
        return f"request of {timezone.localtime(self.created_at):%d %b %Y, %H:%M}"


class DownloadEvent(models.Model):
    """Something that happened to a download: the timeline, and the outbox of notifications."""

    download = models.ForeignKey(Download, models.PROTECT, related_name="events")
    generation = models.PositiveIntegerField()
    kind = models.CharField(max_length=30)
    old_status = models.CharField(max_length=12, choices=Status, blank=True)
    new_status = models.CharField(max_length=12, choices=Status, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    # Null for rows of the timeline alone; else what may be told once per generation.
    dedupe = models.CharField(max_length=120, null=True, blank=True)  # noqa: DJ001
    created_at = models.DateTimeField()
    processed_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=100, blank=True)

    class Meta:
        ordering: ClassVar = ["id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["download", "generation", "dedupe"], name="told_once_per_generation"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["id"], condition=Q(processed_at=None), name="unprocessed_events")
        ]

    def __str__(self) -> str:
        return f"{self.kind} of {self.download_id}"


class MonitorState(models.Model):
    """The one row of what the monitor must remember when Redis forgets."""

    class Wanted(models.TextChoices):
        RUNNING = "running", "running"
        STOPPED = "stopped", "stopped"

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    wanted = models.CharField(max_length=8, choices=Wanted, default=Wanted.RUNNING)
    # Grows with each start and stop, so that a process can acknowledge the one it has seen.
    wanted_version = models.PositiveIntegerField(default=1)
    history_cursor = models.DateTimeField(null=True, blank=True)  # Radarr's clock
    history_last_id = models.PositiveBigIntegerField(default=0)
    heartbeat = models.JSONField(default=dict)  # the last one that Redis could not take

    class Meta:
        verbose_name = verbose_name_plural = "monitor"
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(id=1), name="one_monitor_state")
        ]

    def __str__(self) -> str:
        return f"monitor wanted {self.wanted}"

    @classmethod
    def load(cls) -> "MonitorState":
        """Return the row, making it the first time."""
        return cls.objects.get_or_create(id=1)[0]
