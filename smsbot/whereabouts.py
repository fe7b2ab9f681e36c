"""Where a film is: answers to "status?" from what is measured, and never from hope."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from django.utils.translation import gettext

from downloads import services
from downloads.services import Report
from smsbot import rules
from smsbot.models import InboundMessage
from smsbot.moments import day, left, since
from smsbot.naming import own_words
from smsbot.policy import owner_name
from smsbot.reasons import in_plain_words
from smsbot.replies import style
from smsbot.reply import Reply, say
from smsbot.shelf import meant
from smsbot.understanding import Title

# Characters that the lines of a list may have, so that the text stays within its segments.
_ROOM = {"rich": 158, "plain": 255}
_ENDED_IS_NEWS_FOR = timedelta(days=14)
_JUST_NOW = timedelta(minutes=2)


def status(message: InboundMessage, titles: Sequence[Title], now: datetime) -> Reply:
    """Say where the person's films are: all that is news, or those that are named."""
    mine = services.reports_of(message.contact.address, now=now)
    named = [title for title in titles if not rules.is_pronoun(title.title)]
    if not named:
        return _list([r for r in mine if _is_news(r, now)], now)
    found = [report for title in named for report in meant(title, mine)]
    return _list(found, now) if found else _of_others(named[0], message.body, now)


def _is_news(report: Report, now: datetime) -> bool:
    if report.is_waited_for or report.is_active:
        return True
    return now - report.since < _ENDED_IS_NEWS_FOR


def _list(reports: Sequence[Report], now: datetime) -> Reply:
    if not reports:
        return say("status_empty")
    lines = [{"film": report.name, "words": words(report, now)} for report in reports]
    room, kept = _ROOM[style()], 0
    for line in lines:
        room -= len(line["film"]) + len(line["words"]) + 3
        if room < 0 and kept:
            break
        kept += 1
    return say("status", lines=lines[:kept], more=len(lines) - kept)


def _of_others(title: Title, body: str, now: datetime) -> Reply:
    """Answer for a film that this person did not ask for; never say who did."""
    said = own_words(title.title, body)
    found = meant(title, services.reports_named(title.title, now=now))
    ready = [report for report in found if report.status == "completed"]
    coming = [report for report in found if report.is_active]
    if ready:
        return say("status_ready", film=ready[0].name)
    if coming:
        return say("status_elsewhere", film=coming[0].name, title=said or coming[0].name)
    return say("status_unknown", title=said)


# --- What is known of one film -------------------------------------------------------------------


def words(report: Report, now: datetime) -> str:
    """Return what is known of a film, for a line of a list."""
    if report.is_pending and report.status != "completed":
        owner = owner_name()
        if owner:
            return gettext("waiting for %(owner)s's word") % {"owner": owner}
        return gettext("waiting for the owner's word")
    if report.stuck_since is not None and report.is_active:
        return _stuck(report, report.stuck_since, now)
    match report.status:
        case "requested":
            return _requested(report, now)
        case "searching":
            return _searching(report, now)
        case "waiting":
            return _waiting(report, now)
        case "downloading":
            return _downloading(report, now)
        case "importing":
            return gettext("almost ready")
        case "completed":
            at = report.completed_at or report.since
            return gettext("ready %(since)s") % {"since": since(at, now)}
        case "failed":
            reason = in_plain_words(report.reason).rstrip(".")
            return gettext("couldn't be got: %(reason)s") % {"reason": reason}
    return gettext("cancelled")


def _stuck(report: Report, at: datetime, now: datetime) -> str:
    stuck = gettext("stuck %(since)s") % {"since": since(at, now)}
    if not report.owner_knows:
        return stuck
    name = owner_name()
    knows = gettext("%(name)s knows") % {"name": name} if name else gettext("the owner knows")
    return f"{stuck}; {knows}"


def _requested(report: Report, now: datetime) -> str:
    if report.gets_another:
        return gettext("looking for another copy")
    if report.server_is_away:
        return gettext("saved; the movie server is away")
    return gettext("saved, will be added soon")


def _searching(report: Report, now: datetime) -> str:
    if now - report.since < _JUST_NOW:
        return gettext("looking for it")
    return gettext("looking for it %(since)s, nothing found so far") % {
        "since": since(report.since, now)
    }


def _waiting(report: Report, now: datetime) -> str:
    if not report.reason:
        return gettext("not out yet; its release date isn't known")
    release = day(date.fromisoformat(report.reason), now)
    return gettext("waiting for its release on %(date)s") % {"date": release}


def _downloading(report: Report, now: datetime) -> str:
    if report.percent is None:
        return gettext("on its way %(since)s") % {"since": since(report.since, now)}
    here = gettext("%(percent)d%% here") % {"percent": int(report.percent)}
    if report.eta is None or report.eta <= now:
        return here
    return f"{here}, {left(report.eta - now)}"
