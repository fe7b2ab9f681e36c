"""What belongs to neither app: API tokens, and incidents that the owner must hear of."""

import hashlib
import secrets
from datetime import datetime
from typing import ClassVar

from django.db import models


class ApiToken(models.Model):
    """A key to the HTTP interface. Only its hash is kept; the key itself is shown once."""

    class Scope(models.TextChoices):
        READ = "read", "read"
        WRITE = "write", "read and write"

    name = models.CharField(max_length=100, unique=True)
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(max_length=5, choices=Scope, default=Scope.READ)
    created_at = models.DateTimeField(auto_now_add=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return f"{self.name} ({self.scope})"

    @staticmethod
    def digest_of(key: str) -> str:
        """Return what is stored for `key`; its 256 random bits make a plain hash enough."""
        return hashlib.sha256(key.encode()).hexdigest()

    @classmethod
    def issue(cls, name: str, scope: str) -> tuple["ApiToken", str]:
        """Store a new token and return it with its key, which nobody can read again."""
        key = secrets.token_urlsafe(32)
        return cls.objects.create(name=name, scope=scope, digest=cls.digest_of(key)), key


class Incident(models.Model):
    """Something the owner must act on, told once when it starts and once when it ends."""

    key = models.CharField(max_length=100)
    summary = models.CharField(max_length=300)
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)
    # Told by SMS, and alerted through ALERT_URLS.
    opening_told_at = models.DateTimeField(null=True, blank=True)
    closing_told_at = models.DateTimeField(null=True, blank=True)
    opening_alerted_at = models.DateTimeField(null=True, blank=True)
    closing_alerted_at = models.DateTimeField(null=True, blank=True)
    alert_lease = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-opened_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["key"],
                condition=models.Q(closed_at__isnull=True),
                name="one_open_incident_per_key",
            )
        ]

    def __str__(self) -> str:
        return self.summary

    @property
    def is_open(self) -> bool:
        return self.closed_at is None

    def lasted(self, now: datetime) -> float:
        """Return how long the incident has lasted, in seconds."""
        return ((self.closed_at or now) - self.opened_at).total_seconds()


class Quota(models.Model):
    """How much of a daily allowance is used; `moviesms.quotas` counts."""

    key = models.CharField(max_length=100)
    day = models.DateField()
    used = models.PositiveIntegerField(default=0)

    class Meta:
        ordering: ClassVar = ["-day", "key"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["key", "day"], name="one_quota_per_key_and_day")
        ]

    def __str__(self) -> str:
        return f"{self.key} on {self.day}: {self.used}"
