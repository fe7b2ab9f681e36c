"""The admin's pages of the owner's terms: questions that wait, and titles nobody may ask for."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone
from django.utils.safestring import SafeString

from downloads import services
from moviesms.admin import (
    ActingAdmin,
    ReadOnlyAdmin,
    Result,
    for_selected,
    label,
    on_this_page,
    when,
)
from smsbot import approvals
from smsbot.models import BlockedTitle, OneTimeCode

Kind = OneTimeCode.Kind

BY_ADMIN = "the admin"

_DECISION_KINDS = {
    "allowed": "success",
    "approved": "success",
    "denied": "danger",
    "declined": "danger",
}


def _say_yes(code: OneTimeCode) -> Result:
    return _decide(code, yes=True)


def _say_no(code: OneTimeCode) -> Result:
    return _decide(code, yes=False)


def _decide(code: OneTimeCode, *, yes: bool) -> Result:
    """Decide the question of a code, also of one that ran out, unless it was decided before."""
    now, word = timezone.now(), "yes" if yes else "no"
    if code.kind == Kind.JOIN and code.decision in ("", "expired"):
        approvals.decide_contact(code.contact_id, yes, by=BY_ADMIN, now=now)
        return Result(f"{code.contact}: {word}.")
    if code.request_id and approvals.decide_request(code.request_id, yes, by=BY_ADMIN, now=now):
        return Result(f"{_asks(code)}: {word}, and they are told.")
    return Result(f"{_asks(code)}: nothing waits for a decision.", messages.WARNING)


def _asks(code: OneTimeCode) -> str:
    film = services.request(code.request_id).download.name if code.request_id else ""
    what = f"asks for {film}" if film else code.get_kind_display()
    return f"{code.contact}: {what}"


@admin.register(OneTimeCode)
class QuestionAdmin(ReadOnlyAdmin):
    """What the owner was asked, and what they said. The codes themselves are not shown."""

    list_display = ("question", "standing", "decided_by", "asked", "until", "decided")
    list_display_links = ("question",)
    list_filter = ("kind", ("used_at", admin.EmptyFieldListFilter))
    list_select_related = ("contact",)
    search_fields = ("contact__name", "contact__address")
    fields = ("question", "first_words", "standing", "decided_by", "asked", "until", "decided")
    actions = ("yes_selected", "no_selected")
    actions_detail = ("yes", "no")

    asked = when("created_at", "asked", ordering="id")
    until = when("expires_at", "code counts until")
    decided = when("used_at", "decided")
    yes_selected = for_selected(_say_yes, "Say yes")
    no_selected = for_selected(_say_no, "Say no")
    yes = on_this_page(_say_yes, "Say yes", question="The person is told at once.", icon="thumb_up")
    no = on_this_page(
        _say_no,
        "Say no",
        question="Who asked for a film is told; a stranger hears nothing and is blocked.",
        icon="thumb_down",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[OneTimeCode]:
        return super().get_queryset(request).select_related("contact", "inbound")

    @admin.display(description="question")
    def question(self, code: OneTimeCode) -> str:
        return _asks(code)

    @admin.display(description="their words")
    def first_words(self, code: OneTimeCode) -> str:
        return code.inbound.body if code.inbound else "—"

    @admin.display(description="answer", ordering="decision")
    def standing(self, code: OneTimeCode) -> SafeString:
        if code.used_at is None and code.expires_at > timezone.now():
            return label("waits", "warning")
        word = code.decision or "expired"
        return label(word, _DECISION_KINDS.get(word, "default"))


@admin.register(BlockedTitle)
class BlockedTitleAdmin(ActingAdmin):
    """Films that nobody but an owner may ask for: by TMDB id, or by title, with or without year."""

    list_display = ("title", "tmdb_id", "since")
    search_fields = ("title", "tmdb_id")
    fields = ("title", "tmdb_id")

    since = when("created_at", "since")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_act_permission(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_act_permission(request)
