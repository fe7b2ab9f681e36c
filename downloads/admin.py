"""The admin's pages of the downloads: to look at, with actions that call the services."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from downloads import acts, services
from downloads.models import (
    Download,
    DownloadRequest,
    MediaType,
    MonitorState,
    Status,
)
from moviesms.admin import (
    ReadOnlyAdmin,
    ReadOnlyInline,
    for_selected,
    label,
    on_this_page,
    when,
)
from moviesms.logs import mask_phone

State = DownloadRequest.State

_STATE_KINDS: dict[str, str] = {
    State.PENDING_APPROVAL: "warning",
    State.ACTIVE: "primary",
    State.FULFILLED: "success",
    State.DECLINED: "danger",
}


class ShowFilter(admin.SimpleListFilter):
    """What the owner looks for: what is on its way, and what is in trouble."""

    title = "how it goes"
    parameter_name = "show"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [
            ("active", "on its way"),
            ("problem", "has a problem"),
            ("attention", "needs attention"),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        match self.value():
            case "active":
                return queryset.filter(pk__in=services.on_their_way().values("pk"))
            case "problem":
                return queryset.exclude(problem="")
            case "attention":
                return queryset.filter(pk__in=services.need_attention(timezone.now()).values("pk"))
        return queryset


# --- How things read -----------------------------------------------------------------------------


def status_label(download: Download) -> SafeString:
    """Return the status as a coloured label."""
    return label(download.get_status_display(), services.tone(download.status))


def percent_label(download: Download) -> str:
    """Return a bar and the percentage of what is being downloaded; a dash for all else."""
    percent = services.progress(download).percent if download.is_active else None
    if percent is None:
        return "—"
    return format_html(
        '<span class="mm-percent"><progress max="100" value="{0}"></progress>{0} %</span>',
        round(percent),
    )


def reason_text(download: Download) -> str:
    """Return the problem of a download on its way, or why one ended."""
    return services.why(download) or "—"


def _film_link(download: Download) -> SafeString:
    link = reverse("admin:downloads_download_change", args=[download.pk])
    return format_html('<a class="text-link" href="{}">{}</a>', link, download.name)


def _state_label(request: DownloadRequest) -> SafeString:
    return label(request.get_state_display(), _STATE_KINDS.get(request.state, "default"))


# --- Pages ---------------------------------------------------------------------------------------


class RequestInline(ReadOnlyInline):
    """Who asked for the download, in this generation and before."""

    model = DownloadRequest
    verbose_name_plural = "requesters"
    fields = ("who", "standing", "generation", "asked", "told")
    readonly_fields = fields
    ordering = ("-generation", "created_at")

    asked = when("created_at", "asked")
    told = when("announced_at", "was told")

    @admin.display(description="who")
    def who(self, request: DownloadRequest) -> str:
        return mask_phone(request.requester)

    @admin.display(description="state")
    def standing(self, request: DownloadRequest) -> SafeString:
        return _state_label(request)


@admin.register(Download)
class DownloadAdmin(ReadOnlyAdmin):
    """What was asked for, how far it is, who waits for it, and what happened to it."""

    list_display = ("film", "state", "percent", "asked_by", "why", "changed")
    list_display_links = ("film",)
    list_filter = ("status", ShowFilter)
    search_fields = ("title", "tmdb_id")
    inlines = (RequestInline,)
    actions = ("cancel_selected", "retry_selected")
    actions_detail = ("retry", "cancel")
    change_form_outer_after_template = "downloads/admin/timeline.html"
    fieldsets = (
        (None, {"fields": ("film", "state", "percent", "why", "changed")}),
        ("Film", {"fields": ("on_tmdb", "release_date", "first_asked", "completed")}),
        (
            "In Radarr",
            {
                "classes": ("collapse",),
                "fields": ("radarr_id", "added_by_us", "removal_due", "generation", "stuck"),
            },
        ),
    )

    changed = when("status_changed_at", "changed")
    first_asked = when("created_at", "first asked for")
    completed = when("completed_at", "ready since")
    stuck = when("stuck_since", "stuck since")
    cancel_selected = for_selected(
        acts.cancel, "Cancel", "They end for all who asked, who are told. Files are never deleted."
    )
    retry_selected = for_selected(
        acts.retry,
        "Try again",
        "Those that ended are asked for again; those on their way are searched for anew.",
    )
    cancel = on_this_page(
        acts.cancel,
        "Cancel download",
        question="It ends for all who asked, and they are told. Files are never deleted.",
        icon="cancel",
    )
    retry = on_this_page(
        acts.retry,
        "Try again",
        question="One that ended is asked for again; one on its way is searched for anew.",
        icon="refresh",
    )

    empty_words = "Nobody has asked for a film yet. Text one to your number: “get Dune”."

    def idle_buttons(self, row: Download) -> set[str]:
        """What is ready is left alone; what has ended cannot be cancelled."""
        if row.status == Status.COMPLETED:
            return {"retry", "cancel"}
        return set() if row.is_active else {"cancel"}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Download]:
        return super().get_queryset(request).prefetch_related("requests")

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add the timeline, the latest generation's end at the bottom."""
        download = kwargs.get("obj")
        if download is not None:
            context["timeline"] = _timeline(download)
        return super().render_change_form(request, context, *args, **kwargs)

    @admin.display(description="film", ordering="title")
    def film(self, download: Download) -> str:
        return download.name

    @admin.display(description="status", ordering="status")
    def state(self, download: Download) -> SafeString:
        return status_label(download)

    @admin.display(description="progress")
    def percent(self, download: Download) -> str:
        return percent_label(download)

    @admin.display(description="asked by")
    def asked_by(self, download: Download) -> str:
        left = (State.WITHDRAWN, State.DECLINED)
        people = [
            mask_phone(request.requester)
            for request in download.requests.all()
            if request.generation == download.generation and request.state not in left
        ]
        return ", ".join(people) or "—"

    @admin.display(description="reason or problem")
    def why(self, download: Download) -> str:
        return reason_text(download)

    @admin.display(description="TMDB")
    def on_tmdb(self, download: Download) -> str:
        if download.media_type != MediaType.MOVIE:
            return str(download.tmdb_id)
        return format_html(
            '<a class="text-link" rel="noreferrer" href="https://www.themoviedb.org/movie/{0}">'
            "{0}</a>",
            download.tmdb_id,
        )


def _timeline(download: Download) -> list[dict[str, Any]]:
    """Return the events of a download as the template shows them, oldest first."""
    return [
        {
            "event": event,
            "what": services.kind_in_words(event),
            "old": _status_of(event.old_status),
            "new": _status_of(event.new_status),
            "moved": event.old_status != event.new_status,
            "reason": services.in_words(event.reason),
        }
        for event in services.events_of(download)
    ]


def _status_of(status: str) -> SafeString | str:
    return label(Status(status).label, services.tone(status)) if status else ""


@admin.register(DownloadRequest)
class DownloadRequestAdmin(ReadOnlyAdmin):
    """Who asked for what, and whether they were told."""

    list_display = ("who", "film", "standing", "through", "asked", "told")
    list_display_links = ("who",)
    list_filter = ("state", ("announced_at", admin.EmptyFieldListFilter))
    list_select_related = ("download",)
    search_fields = ("requester", "download__title")
    ordering = ("-id",)
    fields = ("who", "film", "standing", "through", "generation", "asked", "told", "origin")

    empty_words = "Nobody has asked for a film yet."
    asked = when("created_at", "asked", ordering="id")
    told = when("announced_at", "was told")

    @admin.display(description="who", ordering="requester")
    def who(self, request: DownloadRequest) -> str:
        return mask_phone(request.requester)

    @admin.display(description="film", ordering="download__title")
    def film(self, request: DownloadRequest) -> SafeString:
        return _film_link(request.download)

    @admin.display(description="state", ordering="state")
    def standing(self, request: DownloadRequest) -> SafeString:
        return _state_label(request)

    @admin.display(description="through")
    def through(self, request: DownloadRequest) -> str:
        kind = request.origin.partition(":")[0]
        return {"api": "the API", "retry": "a retry"}.get(kind, "a text")


@admin.register(MonitorState)
class MonitorStateAdmin(ReadOnlyAdmin):
    """The loop that follows the downloads: whether it lives, and what its last tick saw."""

    fields = ("wanted", "cursor", "history_last_id")
    change_form_outer_before_template = "downloads/admin/monitor.html"

    cursor = when("history_cursor", "Radarr's history is read up to")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show the one row there is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        state = MonitorState.load()
        return HttpResponseRedirect(reverse("admin:downloads_monitorstate_change", args=[state.pk]))

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any
    ) -> HttpResponse:
        """Add what the heartbeat says."""
        status = services.monitor_status(timezone.now())
        for name in ("last_heartbeat", "last_tick", "next_tick"):
            status[name] = datetime.fromisoformat(status[name]) if status[name] else None
        context["monitor"] = status
        return super().render_change_form(request, context, *args, **kwargs)
