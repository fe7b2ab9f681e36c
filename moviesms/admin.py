"""What all admin pages share, the pages of the system itself, the side bar and the overview.

The pages are for looking. What changes a row is an action that calls a service; only a contact's
name and terms, blocked titles, users and groups are edited in a form.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from unfold.decorators import action as unfold_action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from downloads import services
from moviesms.models import ApiToken, Incident

if TYPE_CHECKING:  # unfold ships no types; its classes are Django's with another look
    UnfoldModelAdmin = admin.ModelAdmin[Any]
    UnfoldTabularInline = admin.TabularInline[Any, Any]
    DjangoUserAdmin = auth_admin.UserAdmin[User]
else:
    from unfold.admin import ModelAdmin as UnfoldModelAdmin
    from unfold.admin import TabularInline as UnfoldTabularInline

    DjangoUserAdmin = auth_admin.UserAdmin

MOST_AT_ONCE = 20
"""How many rows one action takes: some ask Radarr about each, and a person waits for the page."""

FAILED_TEXTS = "trouble=failed"
GIVEN_UP_TEXTS = "state__exact=dead"
ON_THEIR_WAY = "show=active"
NEED_ATTENTION = "show=attention"


def label(text: str, kind: str = "default") -> SafeString:
    """Return `text` as a coloured label: success, info, primary, warning, danger or default."""
    return mark_safe(  # noqa: S308  (the template escapes)
        render_to_string("unfold/helpers/label.html", {"text": text, "type": kind}).strip()
    )


def moment(at: datetime | None) -> str:
    """Return a time as the admin shows it: short, and in the owner's time zone."""
    return timezone.localtime(at).strftime("%-d %b %Y, %H:%M") if at else "—"


def when(field: str, title: str, *, ordering: str = "") -> Any:
    """Return a column that shows the time `field` of a row."""

    @admin.display(description=title, ordering=ordering or field)
    def show(page: Any, row: Model) -> str:
        return moment(getattr(row, field))

    return show


# --- Actions ------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Result:
    """What became of an act on one row: a sentence for the person, and how good the news is."""

    text: str
    level: int = messages.SUCCESS


Act = Callable[[Any], Result]


def for_selected(act: Act, title: str) -> Any:
    """Return an action of a list that does `act` to each of the rows chosen."""

    @admin.action(description=title, permissions=["act"])
    def run(page: "ActingAdmin", request: HttpRequest, rows: QuerySet[Any]) -> None:
        page.act_on_each(request, rows, act)

    return run


def on_this_page(act: Act, title: str, *, question: str, icon: str) -> Any:
    """Return a button of a row's own page that does `act` to it, after asking `question`.

    The question is a form, so that the act is a POST with a CSRF token and never a mere link.
    """

    def run(page: "ActingAdmin", request: HttpRequest, form: Any, object_id: str) -> HttpResponse:
        return page.act_on_one(request, object_id, act)

    dialog = {"title": title, "description": question, "form_submit_text": title}
    decorate = unfold_action(description=title, permissions=["act"], icon=icon, dialog=dialog)
    return decorate(run)


class ActingAdmin(UnfoldModelAdmin):
    """A page whose actions are for those who hold the model's change permission."""

    list_per_page = 50
    actions_detail: Sequence[str] = ()  # buttons of a row's own page, by Unfold

    def has_act_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether this user may run the actions; asked by Django and Unfold."""
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def act_on_each(self, request: HttpRequest, rows: Iterable[Any], act: Act) -> None:
        """Do `act` to the rows one by one and say what became of each; an error ends it."""
        chosen = list(rows)
        if len(chosen) > MOST_AT_ONCE:
            text = f"Nothing was done: choose at most {MOST_AT_ONCE} at a time."
            self.message_user(request, text, messages.ERROR)
            return
        for done, row in enumerate(chosen, start=1):
            result = act(row)
            self.message_user(request, result.text, result.level)
            if result.level == messages.ERROR and done < len(chosen):
                rest = f"The {len(chosen) - done} after it were left as they are."
                self.message_user(request, rest, messages.WARNING)
                return

    def act_on_one(self, request: HttpRequest, object_id: str, act: Act) -> HttpResponse:
        """Do `act` to one row and have its page shown again, with what became of it."""
        row = self.get_object(request, object_id)
        self.act_on_each(request, [] if row is None else [row], act)
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponse(headers={"HX-Redirect": reverse(name, args=[object_id])})


class ReadOnlyAdmin(ActingAdmin):
    """Pages of a model that nobody edits by hand."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(UnfoldTabularInline):
    """Rows shown on another row's page, to all who may see that page."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


# --- The system's own pages ---------------------------------------------------------------------


def _revoke(token: ApiToken) -> Result:
    valid = ApiToken.objects.filter(pk=token.pk, revoked_at=None)
    if valid.update(revoked_at=timezone.now()):
        return Result(f"{token.name} was revoked: it opens nothing any more.")
    return Result(f"{token.name} had been revoked already.", messages.WARNING)


@admin.register(ApiToken)
class ApiTokenAdmin(ReadOnlyAdmin):
    """Keys to the HTTP interface. They are made on the command line, which shows them once."""

    list_display = ("name", "may", "made", "validity")
    list_filter = ("scope", ("revoked_at", admin.EmptyFieldListFilter))
    search_fields = ("name",)
    fields = ("name", "may", "made", "validity")
    list_before_template = "admin/api_token_hint.html"
    actions = ("revoke_selected",)
    actions_detail = ("revoke",)

    made = when("created_at", "made")
    revoke_selected = for_selected(_revoke, "Revoke")
    revoke = on_this_page(
        _revoke,
        "Revoke",
        question="Whoever uses this token is locked out at once, and for good.",
        icon="key_off",
    )

    @admin.display(description="may", ordering="scope")
    def may(self, token: ApiToken) -> SafeString:
        kind = "warning" if token.scope == ApiToken.Scope.WRITE else "info"
        return label(token.get_scope_display(), kind)

    @admin.display(description="valid", ordering="revoked_at")
    def validity(self, token: ApiToken) -> SafeString:
        if token.revoked_at is None:
            return label("valid", "success")
        return format_html("{} {}", label("revoked", "danger"), moment(token.revoked_at))


@admin.register(Incident)
class IncidentAdmin(ReadOnlyAdmin):
    """What the owner had to hear of, and whether it is over."""

    list_display = ("summary", "now", "opened", "lasted", "key")
    list_filter = (("closed_at", admin.EmptyFieldListFilter),)
    search_fields = ("summary", "key")
    fields = ("summary", "now", "key", "opened", "closed", "lasted", "told")

    opened = when("opened_at", "began")
    closed = when("closed_at", "ended")

    @admin.display(description="now", ordering="closed_at")
    def now(self, incident: Incident) -> SafeString:
        return label("open", "danger") if incident.is_open else label("over", "success")

    @admin.display(description="lasted")
    def lasted(self, incident: Incident) -> str:
        return timesince(incident.opened_at, incident.closed_at or timezone.now())

    @admin.display(description="the owner was told")
    def told(self, incident: Incident) -> str:
        times = {"start": incident.opening_told_at, "end": incident.closing_told_at}
        said = [f"of its {what} on {moment(at)}" for what, at in times.items() if at]
        return ", ".join(said) or "not yet"


# --- Accounts -----------------------------------------------------------------------------------

admin.site.unregister([User, Group])


class SuperusersOnly(UnfoldModelAdmin):
    """Who may edit accounts can make themselves anything, so nobody else gets to."""

    def has_module_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return _is_superuser(request)

    def formfield_for_manytomany(self, db_field: Any, request: Any = None, **kwargs: Any) -> Any:
        """Offer groups and permissions as boxes to tick, and only what has an effect here."""
        kwargs["widget"] = UnfoldAdminCheckboxSelectMultipleWidget()
        field: Any = super().formfield_for_manytomany(db_field, request, **kwargs)
        if field is not None and db_field.name == "permissions":
            field.queryset = _permissions()
            field.label_from_instance = lambda permission: permission.name
        return field


def _permissions() -> QuerySet[Permission]:
    """Return the permissions that our pages ask for: to view them and, where one can, to act."""
    pages = [page for page in admin.site._registry.values() if isinstance(page, ActingAdmin)]
    views = [f"view_{page.opts.model_name}" for page in pages]
    acts = [f"change_{page.opts.model_name}" for page in pages if page.actions_detail]
    ours = Q(content_type__app_label__in={page.opts.app_label for page in pages})
    return Permission.objects.filter(ours, codename__in=views + acts)


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, SuperusersOnly):
    """Who may sign in here. What a person may do comes from groups, not from single permissions."""

    form = UserChangeForm
    add_form = UserCreationForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("username", "email", "is_active", "is_staff", "is_superuser", "last_login")
    list_filter = ("is_active", "is_staff", "is_superuser", "groups")
    fieldsets = (
        (None, {"fields": ("username", "password", "email")}),
        ("May", {"fields": ("is_active", "is_staff", "is_superuser", "groups")}),
        ("Times", {"fields": ("last_login", "date_joined")}),
    )
    readonly_fields = ("last_login", "date_joined")
    filter_horizontal = ()


@admin.register(Group)
class GroupAdmin(auth_admin.GroupAdmin, SuperusersOnly):
    """A set of permissions for several users: to look at pages, and to act on their rows."""

    filter_horizontal = ()


# --- The side bar -------------------------------------------------------------------------------


def favicon(request: HttpRequest) -> str:
    """Return the address of the icon that browsers show on the tab."""
    return static("moviesms/favicon.svg")


def stylesheet(request: HttpRequest) -> str:
    """Return the address of our own few styles; Unfold's are prebuilt."""
    return static("moviesms/admin.css")


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """Return the side bar, with what this user may see."""
    sections: dict[str, list[dict[str, Any] | None]] = {
        "": [_overview_item(request)],
        "Films": [
            _item(request, "Downloads", "movie", "downloads_download"),
            _item(request, "Requests", "person_raised_hand", "downloads_downloadrequest"),
            _item(request, "Issues", "build", "smsbot_issue"),
        ],
        "Texts": [
            _item(request, "Contacts", "contacts", "smsbot_contact"),
            _item(request, "Questions", "approval_delegation", "smsbot_onetimecode"),
            _item(request, "Blocked titles", "block", "smsbot_blockedtitle"),
            _item(request, "Inbound", "call_received", "smsbot_inboundmessage"),
            _item(request, "Outbound", "call_made", "smsbot_outboundmessage"),
            _item(request, "Failed messages", "sms_failed", "smsbot_outboundmessage", FAILED_TEXTS),
            _item(
                request,
                "Given-up messages",
                "mark_chat_unread",
                "smsbot_inboundmessage",
                GIVEN_UP_TEXTS,
            ),
        ],
        "System": [
            _item(request, "Incidents", "warning", "moviesms_incident"),
            _item(request, "Monitor", "monitor_heart", "downloads_monitorstate"),
            _item(request, "API tokens", "key", "moviesms_apitoken"),
            _item(request, "Users", "group", "auth_user"),
        ],
    }
    return [
        {"title": title, "separator": bool(title), "items": [item for item in items if item]}
        for title, items in sections.items()
        if any(items)
    ]


def _overview_item(request: HttpRequest) -> dict[str, Any]:
    link = reverse("admin:index")
    return {
        "title": "Overview",
        "icon": "dashboard",
        "link": link,
        "active": request.path == link,
    }


def _item(
    request: HttpRequest, title: str, icon: str, model: str, query: str = ""
) -> dict[str, Any] | None:
    """Return one link of the side bar, or None for who may not follow it."""
    app, _, name = model.partition("_")
    if not may_see(request, f"{app}.{name}"):
        return None
    link = reverse(f"admin:{model}_changelist")
    shown = request.GET.urlencode()
    chosen = query in shown if query else not {FAILED_TEXTS, GIVEN_UP_TEXTS} & {*shown.split("&")}
    return {
        "title": title,
        "icon": icon,
        "link": f"{link}?{query}" if query else link,
        "active": request.path.startswith(link) and chosen,
    }


def may_see(request: HttpRequest, model: str) -> bool:
    """Whether this user may look at the pages of `app.model`."""
    app, name = model.split(".")
    return any(request.user.has_perm(f"{app}.{verb}_{name}") for verb in ("view", "change"))


# --- The overview -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Card:
    """One figure of the overview, and the list behind it."""

    title: str
    value: str
    note: str
    icon: str
    link: str
    kind: str = ""  # good or bad


def overview(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """Add to the index page's context what it shows of downloads, texts and the monitor."""
    now = timezone.now()
    context["title"] = "Overview"
    context["cards"] = cards = []
    if may_see(request, "downloads.download"):
        cards += _film_cards(now)
        context["latest"] = _latest_films()
    if may_see(request, "smsbot.outboundmessage"):
        cards += _text_cards(now)
    if may_see(request, "downloads.monitorstate"):
        cards.append(_monitor_card(now))
    if may_see(request, "moviesms.incident"):
        context["incidents"] = list(Incident.objects.filter(closed_at=None)[:5])
    return context


def _latest_films() -> list[dict[str, Any]]:
    from downloads.admin import percent_label, reason_text, status_label

    return [
        {
            "name": film.name,
            "link": reverse("admin:downloads_download_change", args=[film.pk]),
            "status": status_label(film),
            "percent": percent_label(film),
            "why": film.problem or (film.status == "failed" and reason_text(film)),
            "changed_at": film.status_changed_at,
        }
        for film in services.find_downloads()[:8]
    ]


def _film_cards(now: datetime) -> list[Card]:
    # Here, since the apps' admin modules build on this one.
    from downloads.admin import need_attention, on_their_way

    link = reverse("admin:downloads_download_changelist")
    active, troubled = on_their_way().count(), need_attention(now).count()
    return [
        Card("On their way", str(active), "films", "downloading", f"{link}?{ON_THEIR_WAY}"),
        Card(
            "Need attention",
            str(troubled),
            "stuck, or failed this week",
            "error",
            f"{link}?{NEED_ATTENTION}",
            "bad" if troubled else "good",
        ),
    ]


def _text_cards(now: datetime) -> list[Card]:
    from smsbot.admin import failed_texts, texts_since

    link = reverse("admin:smsbot_outboundmessage_changelist")
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    came, went = texts_since(midnight)
    failed = failed_texts().count()
    return [
        Card("Texts today", str(came + went), f"{came} in, {went} out", "sms", link),
        Card(
            "Failed texts",
            str(failed),
            "and not sent again",
            "sms_failed",
            f"{link}?{FAILED_TEXTS}",
            "bad" if failed else "good",
        ),
    ]


def _monitor_card(now: datetime) -> Card:
    state = services.monitor_status(now)
    link = reverse("admin:downloads_monitorstate_changelist")
    seen = state["last_heartbeat"]
    note = f"seen {timesince(datetime.fromisoformat(seen), now)} ago" if seen else "never seen"
    if not state["alive"]:
        return Card("Monitor", "silent", note, "monitor_heart", link, "bad")
    if state["wanted"] == "stopped":
        return Card("Monitor", "stopped", "by its owner", "monitor_heart", link, "bad")
    return Card("Monitor", "alive", state["error"] or note, "monitor_heart", link, "good")
