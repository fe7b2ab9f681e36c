"""What the API reads and writes. Reading and writing have serializers of their own."""

from typing import Any

import phonenumbers
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from downloads import services
from downloads.models import Download, DownloadEvent, DownloadRequest, MediaType, Status
from moviesms.logs import mask_phone


class EventSerializer(serializers.ModelSerializer[DownloadEvent]):
    """A line of a download's timeline."""

    class Meta:
        model = DownloadEvent
        fields = ["kind", "old_status", "new_status", "reason", "created_at"]


class ProgressSerializer(serializers.Serializer[Any]):
    """How far a download is; sizes in bytes, `eta` in UTC, null while unknown."""

    percent = serializers.FloatField(allow_null=True)
    size = serializers.IntegerField(allow_null=True)
    size_left = serializers.IntegerField(allow_null=True)
    eta = serializers.CharField(allow_null=True)


class DownloadSerializer(serializers.ModelSerializer[Download]):
    """A download in a list."""

    class Meta:
        model = Download
        fields = [
            "tmdb_id",
            "media_type",
            "title",
            "year",
            "poster_path",
            "status",
            "reason",
            "problem",
            "created_at",
            "status_changed_at",
            "completed_at",
        ]
        read_only_fields = fields


class DownloadDetailSerializer(DownloadSerializer):
    """One download with its live progress, its requesters (masked) and its timeline."""

    progress = serializers.SerializerMethodField()
    requesters = serializers.SerializerMethodField()
    timeline = EventSerializer(source="events", many=True, read_only=True)

    class Meta(DownloadSerializer.Meta):
        fields = [*DownloadSerializer.Meta.fields, "progress", "requesters", "timeline"]
        read_only_fields = fields

    def get_progress(self, download: Download) -> dict[str, Any]:
        return dict(ProgressSerializer(services.progress(download)).data)

    def get_requesters(self, download: Download) -> list[str]:
        return [mask_phone(address) for address in services.requesters(download)]


class AskedSerializer(DownloadDetailSerializer):
    """The download of an ask, and the state of the request that it made or joined."""

    state = serializers.SerializerMethodField()

    class Meta(DownloadDetailSerializer.Meta):
        fields = [*DownloadDetailSerializer.Meta.fields, "state"]
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=DownloadRequest.State.choices))
    def get_state(self, download: Download) -> str:
        return str(self.context["state"])


class CreateDownloadSerializer(serializers.Serializer[Any]):
    """An ask for a film on somebody's behalf: by TMDB id, or by title (and year)."""

    phone_number = serializers.CharField(max_length=30)
    tmdb_id = serializers.IntegerField(min_value=1, max_value=2_000_000_000, required=False)
    title = serializers.CharField(max_length=200, required=False)
    year = serializers.IntegerField(min_value=1870, max_value=2100, required=False)

    def validate_phone_number(self, value: str) -> str:
        """Return the number in E.164; it must carry its country code."""
        try:
            number = phonenumbers.parse(value, None)
        except phonenumbers.NumberParseException as error:
            raise serializers.ValidationError(
                "Not a phone number with its country code, like +12025550142.", "invalid_phone"
            ) from error
        if not phonenumbers.is_possible_number(number):
            raise serializers.ValidationError("No such phone number.", "invalid_phone")
        return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("tmdb_id" in attrs) == ("title" in attrs):
            raise serializers.ValidationError(
                "Give either tmdb_id or title.", "tmdb_id_or_title_required"
            )
        if "year" in attrs and "tmdb_id" in attrs:
            raise serializers.ValidationError("A year goes with a title.", "year_without_title")
        return attrs


class ListQuerySerializer(serializers.Serializer[Any]):
    """The filters of the list."""

    status = serializers.ChoiceField(choices=Status.choices, required=False)
    requester = serializers.CharField(max_length=30, required=False)
    title = serializers.CharField(max_length=200, required=False)
    ordering = serializers.ChoiceField(
        choices=[
            f"{sign}{name}"
            for name in ("status_changed_at", "created_at", "title", "year")
            for sign in ("", "-")
        ],
        required=False,
    )


class FeedQuerySerializer(serializers.Serializer[Any]):
    """Where to go on in the feed of events."""

    after = serializers.IntegerField(min_value=0, max_value=2**63 - 1, default=0)
    limit = serializers.IntegerField(min_value=1, max_value=500, default=100)


class HappeningSerializer(serializers.Serializer[services.Happening]):
    """An event of the feed, with its film and those who asked (masked)."""

    id = serializers.IntegerField(source="event.pk")
    tmdb_id = serializers.IntegerField(source="event.download.tmdb_id")
    media_type = serializers.CharField(source="event.download.media_type")
    title = serializers.CharField(source="event.download.title")
    year = serializers.IntegerField(source="event.download.year", allow_null=True)
    kind = serializers.CharField(source="event.kind")
    old_status = serializers.CharField(source="event.old_status")
    new_status = serializers.CharField(source="event.new_status")
    reason = serializers.CharField(source="event.reason")
    created_at = serializers.DateTimeField(source="event.created_at")
    requesters = serializers.SerializerMethodField()

    def get_requesters(self, happening: services.Happening) -> list[str]:
        return [mask_phone(address) for address in happening.requesters]


class FeedSerializer(serializers.Serializer[Any]):
    """A part of the feed, and where the next one begins."""

    events = HappeningSerializer(many=True)
    next_after = serializers.IntegerField()


class MediaQuerySerializer(serializers.Serializer[Any]):
    """Which kind of title an id belongs to."""

    media_type = serializers.ChoiceField(choices=MediaType.choices, default=MediaType.MOVIE)


class MonitorSerializer(serializers.Serializer[Any]):
    """What is known of the monitor. Times are ISO in UTC, null while unknown."""

    wanted = serializers.CharField()
    alive = serializers.BooleanField()
    leader = serializers.CharField(allow_null=True)
    last_heartbeat = serializers.CharField(allow_null=True)
    last_tick = serializers.CharField(allow_null=True)
    tick_seconds = serializers.FloatField(allow_null=True)
    next_tick = serializers.CharField(allow_null=True)
    last_result = serializers.DictField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    active = serializers.IntegerField()
    unprocessed_events = serializers.IntegerField()
    acknowledged = serializers.BooleanField(required=False)


class ErrorSerializer(serializers.Serializer[Any]):
    """Every error: a stable code and a sentence."""

    code = serializers.CharField()
    detail = serializers.CharField()
