"""Something is wrong with a film: a small record, a word to the owner, and what they decide.

`open → retrying → solved`, or `open → solved`. The owner answers with the one-time code of the
notice, or in the admin.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.db.models import Q, QuerySet

from downloads import services
from downloads.services import Match, Report
from moviesms.incidents import REPORTED, close_incident, open_incident
from smsbot import codes, complaints, notices, policy, whereabouts
from smsbot.complaints import Complaint
from smsbot.models import Contact, InboundMessage, Issue, OneTimeCode, OutboundMessage
from smsbot.reply import Reply, say
from smsbot.shelf import folded, meant
from smsbot.understanding import Title

State = Issue.State

RETRIED, SOLVED = "retry", "solved"
"""What became of an issue, as its one-time code records it."""

_LIKELY_FOR = timedelta(days=14)
"""A complaint that names no film is about the newest that became ready in this time."""

_MOST_OFFERED = 4
_LONGEST_WORDS = 100


def report(message: InboundMessage, complaint: Complaint, now: datetime) -> Reply | None:
    """Answer a complaint: pass it on, or ask which film it is about; None when it is none."""
    mine = services.reports_of(message.contact.address, now=now)
    if complaint.title:
        return _about_named(message, complaint, mine, now)
    ready = [r for r in mine if r.completed_at is not None and r.status == "completed"]
    ready.sort(key=lambda r: r.completed_at or r.since, reverse=True)
    if ready and now - (ready[0].completed_at or ready[0].since) < _LIKELY_FOR:
        return _pass_on(message, complaint.kind, ready[0].match)
    if not ready:
        coming = [r for r in mine if r.is_waited_for]
        return _not_here(coming[0], now) if len(coming) == 1 else say("issue_which")
    offers = [r.match for r in ready[:_MOST_OFFERED]]
    asked = say("issue_ask", films=[match.name for match in offers])
    return Reply(asked.text, asked.template, offers=offers, asks=OutboundMessage.Asks.ISSUE)


def _about_named(
    message: InboundMessage, complaint: Complaint, mine: Sequence[Report], now: datetime
) -> Reply | None:
    title = Title(title=complaint.title)
    found = meant(title, mine) or meant(title, services.reports_named(title.title, now=now))
    if complaint.doubtful:
        found = [r for r in found if folded(r.match.title) == folded(title.title)]
    ready = [r for r in found if r.status == "completed"]
    if ready:
        return _pass_on(message, complaint.kind, ready[0].match)
    if found and _is_underway(message.contact, found[0].match):
        return say("issue_known", film=found[0].name)
    if found and found[0].is_waited_for:
        return _not_here(found[0], now)
    if found:
        return whereabouts.status(message, [title], now)
    return None if complaint.doubtful else say("issue_which")


def _not_here(report: Report, now: datetime) -> Reply:
    """Say of a film that is on its way how far it is: it cannot be broken yet."""
    return say("issue_not_here", film=report.name, words=whereabouts.words(report, now))


def about(message: InboundMessage, question: OutboundMessage, chosen: int, now: datetime) -> Reply:
    """Pass a complaint on, now that the person has said which film it is about."""
    film = Match(**(question.offers or [])[chosen - 1])
    said = question.in_reply_to or message
    complaint = complaints.read(said.body)
    kind = complaint.kind if complaint else Issue.Kind.BROKEN
    reply = _pass_on(said, kind, film)
    return Reply(reply.text, reply.template, effects=reply.effects, question=question)


def _pass_on(said: InboundMessage, kind: str, film: Match) -> Reply:
    """Thank for a complaint; the record and the owner's notice are written with the answer."""
    if _is_underway(said.contact, film):
        return say("issue_known", film=film.name)
    reply = say("issue_thanks", owner=policy.owner_name())
    return Reply(reply.text, reply.template, effects=[partial(_record, said, kind, film)])


def _is_underway(contact: Contact, film: Match) -> bool:
    """Whether this person has said so already: the same film, and not solved yet."""
    same = Issue.objects.filter(contact=contact, download__tmdb_id=film.tmdb_id)
    return same.exclude(state=State.SOLVED).exists()


def _record(said: InboundMessage, kind: str, film: Match, now: datetime) -> None:
    download = services.download(film.tmdb_id)
    issue, created = Issue.objects.get_or_create(
        inbound=said,
        defaults={
            "contact_id": said.contact_id,
            "download_id": download.pk,
            "kind": kind,
            "created_at": now,
        },
    )
    others = _unsolved(issue).exclude(pk=issue.pk).filter(state=State.OPEN)
    if created and not others.exists():
        _tell_owner(issue, film, now)


def _tell_owner(issue: Issue, film: Match, now: datetime) -> None:
    """Text the owner with a code to answer with; where no phone of theirs is known, an incident."""
    what = issue.get_kind_display()
    words = " ".join(issue.inbound.body.split())[:_LONGEST_WORDS]
    if not settings.OWNER_PHONE_NUMBERS:
        summary = f'{issue.contact} on {film.name}: "{words}" ({what}).'
        open_incident(_incident(issue), summary, now=now)
        return
    notices.tell_owners(
        "owner_issue",
        about=f"issue:{issue.pk}",
        now=now,
        who=str(issue.contact),
        film=film.name,
        wrong_film=issue.kind == Issue.Kind.WRONG_FILM,
        words=words,
        code=codes.issue(OneTimeCode.Kind.ISSUE, issue.contact, now=now, issue=issue).code,
    )


# --- What the owner decides ----------------------------------------------------------------------


def retry(issue_id: int, by: Contact | None, now: datetime) -> bool:
    """Have another release looked for; False when the issue is not open any more.

    Rows alone: the monitor does what Radarr is to do. Whoever complained is told how it goes. A
    film that is not ready any more is on its way already, which is just what was wanted.
    """
    issue = _claim(issue_id, [State.OPEN], state=State.RETRYING, note=_by(by))
    if issue is None:
        return False
    same = list(_unsolved(issue).select_related("contact"))
    people = {one.contact.address: one.contact for one in same}
    services.get_another_release(issue.download_id, people, now=now)
    Issue.objects.filter(pk__in=[one.pk for one in same]).update(state=State.RETRYING)
    _close(issue, RETRIED, by, now)
    for contact in people.values():
        notices.tell(
            contact,
            "another_release",
            about=f"issue:{issue.pk}:retry",
            now=now,
            film=_name(issue),
        )
    return True


def solve(issue_id: int, by: Contact | None, now: datetime) -> bool:
    """Note that the owner has put it right; False when the issue is solved already."""
    issue = _claim(
        issue_id, [State.OPEN, State.RETRYING], state=State.SOLVED, solved_at=now, note=_by(by)
    )
    if issue is None:
        return False
    same = [issue, *_unsolved(issue).select_related("contact")]
    Issue.objects.filter(pk__in=[one.pk for one in same]).update(state=State.SOLVED, solved_at=now)
    _close(issue, SOLVED, by, now)
    for contact in {one.contact_id: one.contact for one in same}.values():
        notices.tell(
            contact,
            "issue_solved",
            about=f"issue:{issue.pk}:solved",
            now=now,
            film=_name(issue),
            owner=policy.owner_name(),
        )
    return True


def arrived(tmdb_id: int, at: datetime, now: datetime) -> None:
    """Note that a film became ready at a time: what was said before of its old copy is solved."""
    before = Issue.objects.filter(download__tmdb_id=tmdb_id, created_at__lt=at)
    for issue in before.exclude(state=State.SOLVED):
        _close(issue, SOLVED, None, now)
        Issue.objects.filter(pk=issue.pk).update(state=State.SOLVED, solved_at=now)


def _claim(issue_id: int, states: Sequence[str], **changes: object) -> Issue | None:
    """Change an issue that is in one of these states; None when somebody was faster."""
    if not Issue.objects.filter(pk=issue_id, state__in=states).update(**changes):
        return None
    return Issue.objects.select_related("contact", "download").get(pk=issue_id)


def _unsolved(issue: Issue) -> QuerySet[Issue]:
    return Issue.objects.filter(Q(download=issue.download_id) & ~Q(state=State.SOLVED))


def _close(issue: Issue, decision: str, by: Contact | None, now: datetime) -> None:
    """End the questions about an issue: its incident, and codes that nobody used."""
    close_incident(_incident(issue), now=now)
    codes.close(decision, by=str(by or ""), now=now, issue_id=issue.pk)


def complainer(issue: Issue) -> str:
    """Return who said so, as the owner knows them."""
    return str(issue.contact)


def _by(contact: Contact | None) -> str:
    return f"decided by {contact}" if contact else "decided in the admin"


def _name(issue: Issue) -> str:
    return str(issue.download)


def _incident(issue: Issue) -> str:
    return f"{REPORTED}{issue.pk}"
