"""The admin's page of what people say is wrong with a film, and the owner's two answers to it."""

from django.contrib import admin, messages
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from moviesms.admin import ReadOnlyAdmin, Result, for_selected, label, on_this_page, when
from smsbot import issues
from smsbot.models import Issue

_KINDS: dict[str, str] = {
    Issue.State.OPEN: "danger",
    Issue.State.RETRYING: "warning",
    Issue.State.SOLVED: "success",
}


def _retry(issue: Issue) -> Result:
    with transaction.atomic():
        done = issues.retry(issue.pk, None, timezone.now())
    if not done:
        return Result(f"{issue.download}: is not open any more.", messages.WARNING)
    return Result(f"{issue.download}: its release is blocked, and another one looked for.")


def _solve(issue: Issue) -> Result:
    with transaction.atomic():
        done = issues.solve(issue.pk, None, timezone.now())
    if not done:
        return Result(f"{issue.download}: was solved already.", messages.WARNING)
    return Result(f"{issue.download}: solved; {issue.contact} is told.")


@admin.register(Issue)
class IssueAdmin(ReadOnlyAdmin):
    """What is wrong with which film, in whose words, and what became of it."""

    list_display = ("film", "kind", "said", "who", "state_label", "created", "solved")
    list_display_links = ("film",)
    list_filter = ("state", "kind")
    list_select_related = ("download", "contact", "inbound")
    search_fields = ("download__title", "contact__name", "contact__address", "inbound__body")
    fields = ("film", "kind", "said", "who", "state_label", "note", "created", "solved")
    readonly_fields = fields
    actions = ("retry_selected", "solve_selected")
    actions_detail = ("retry", "solve")

    created = when("created_at", "said at", ordering="id")
    solved = when("solved_at", "solved at")
    retry_selected = for_selected(_retry, "Get another release")
    solve_selected = for_selected(_solve, "Solved")
    retry = on_this_page(
        _retry,
        "Get another release",
        question="The release is blocked for good, its file deleted, and another one looked for.",
        icon="refresh",
    )
    solve = on_this_page(
        _solve, "Solved", question="Who complained is told to have another look.", icon="check"
    )

    @admin.display(description="film", ordering="download__title")
    def film(self, issue: Issue) -> str:
        return str(issue.download)

    @admin.display(description="in their words")
    def said(self, issue: Issue) -> str:
        return issue.inbound.body[:200]

    @admin.display(description="who", ordering="contact__name")
    def who(self, issue: Issue) -> SafeString:
        page = reverse("admin:smsbot_contact_change", args=[issue.contact_id])
        return format_html('<a class="text-link" href="{}">{}</a>', page, issue.contact)

    @admin.display(description="state", ordering="state")
    def state_label(self, issue: Issue) -> SafeString:
        return label(issue.get_state_display(), _KINDS[issue.state])
