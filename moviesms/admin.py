"""What all admin pages share, and the pages of the system itself.

The pages are for looking. What changes a row is an action that calls a service; only a contact's
name and terms, blocked titles, users and groups are edited in a form.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.auth import admin as auth_admin
from django.contrib.auth.models import Group, Permission, User
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.timesince import timesince
from unfold.decorators import action as unfold_action
from unfold.forms import AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget

from moviesms.acts import Act, Result
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


def for_selected(act: Act, title: str, question: str) -> Any:
    """Return an action of a list that does `act` to the rows chosen, after asking `question`."""

    @admin.action(description=title, permissions=["act"])
    def run(page: "ActingAdmin", request: HttpRequest, rows: QuerySet[Any]) -> HttpResponse | None:
        if not page.are_few(request, rows):
            return None
        if request.POST.get("sure") != "yes":
            return page.ask_first(request, rows, title, question)
        page.act_on_each(request, rows, act)
        return None

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
    empty_words = "There is nothing here yet."
    actions_detail: Sequence[str] = ()  # buttons of a row's own page, by Unfold

    def idle_buttons(self, row: Any) -> set[str]:
        """Return the names of the buttons that would do nothing to `row` as it stands."""
        return set()

    def get_actions_detail(self, request: HttpRequest, object_id: Any) -> list[Any]:
        """Return the buttons of a row's page: those that this user may press and that do work."""
        buttons = super().get_actions_detail(request, object_id)  # type: ignore[misc]
        row = self.get_object(request, str(object_id)) if buttons else None
        idle = self.idle_buttons(row) if row is not None else set()
        return [button for button in buttons if button.path not in idle]

    def has_act_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Whether this user may run the actions; asked by Django and Unfold."""
        return super().has_change_permission(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def are_few(self, request: HttpRequest, rows: Sequence[Any] | QuerySet[Any]) -> bool:
        """Whether an action may take these rows; says so when they are too many."""
        if len(rows) <= MOST_AT_ONCE:
            return True
        text = f"Nothing was done: choose at most {MOST_AT_ONCE} at a time."
        self.message_user(request, text, messages.ERROR)
        return False

    def ask_first(
        self, request: HttpRequest, rows: QuerySet[Any], title: str, question: str
    ) -> HttpResponse:
        """Show what an action would be done to; a button on that page does it."""
        context = {
            **self.admin_site.each_context(request),
            "title": f"{title}?",
            "act": title,
            "question": question,
            "rows": rows,
            "action": request.POST.get("action"),
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/ask_first.html", context)

    def act_on_each(self, request: HttpRequest, rows: Iterable[Any], act: Act) -> None:
        """Do `act` to the rows one by one and say what became of each; an error ends it."""
        chosen = list(rows)
        if not self.are_few(request, chosen):
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
    revoke_selected = for_selected(
        _revoke, "Revoke", "Whoever uses these tokens is locked out at once, and for good."
    )
    revoke = on_this_page(
        _revoke,
        "Revoke",
        question="Whoever uses this token is locked out at once, and for good.",
        icon="key_off",
    )

    empty_words = "Nobody has a key to the HTTP interface yet."

    def idle_buttons(self, row: ApiToken) -> set[str]:
        """A token is revoked once."""
        return {"revoke"} if row.revoked_at else set()

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

    empty_words = "Nothing has gone wrong yet."
    opened = when("opened_at", "began")
    closed = when("closed_at", "ended")

    @admin.display(description="now", ordering="closed_at")
    def now(self, incident: Incident) -> SafeString:
        return label("open", "danger") if incident.is_open else label("over", "success")

    @admin.display(description="lasted")
    def lasted(self, incident: Incident) -> str:
        until = incident.closed_at or timezone.now()
        if until - incident.opened_at < timedelta(minutes=1):
            return "less than a minute"
        return timesince(incident.opened_at, until)

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
