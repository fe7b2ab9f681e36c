"""The admin site's side bar, styles and icon: one navigation for the owner's pages and the rows."""

from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse

from dashboard.pages import may_see

FAILED_TEXTS = "trouble=failed"
GIVEN_UP_TEXTS = "state__exact=dead"

Item = dict[str, Any]


def favicon(request: HttpRequest) -> str:
    """Return the address of the icon that browsers show on the tab."""
    return static("moviesms/favicon.svg")


def stylesheet(request: HttpRequest) -> str:
    """Return the address of the styles that the lists and the owner's pages share."""
    return static("moviesms/admin.css")


def dashboard_stylesheet(request: HttpRequest) -> str:
    """Return the address of the owner's pages' styles."""
    return static("dashboard/dashboard.css")


def navigation(request: HttpRequest) -> list[Item]:
    """Return the side bar, with what this user may see."""
    sections: dict[str, list[Item | None]] = {
        "": [
            _home(request),
            _page(request, "Conversations", "forum", "conversations", "smsbot.contact"),
            _page(request, "Films", "movie", "films", "downloads.download"),
            _page(request, "Statistics", "monitoring", "statistics", "downloads.download"),
            _page(request, "Setup", "settings_heart", "setup", "downloads.monitorstate"),
        ],
        "Rows: films": [
            _rows(request, "Downloads", "download", "downloads_download"),
            _rows(request, "Requests", "person_raised_hand", "downloads_downloadrequest"),
            _rows(request, "Issues", "build", "smsbot_issue"),
            _rows(request, "Blocked titles", "block", "smsbot_blockedtitle"),
        ],
        "Rows: texts": [
            _rows(request, "Contacts", "contacts", "smsbot_contact"),
            _rows(request, "Questions", "approval_delegation", "smsbot_onetimecode"),
            _rows(request, "Texts in", "call_received", "smsbot_inboundmessage"),
            _rows(request, "Texts out", "call_made", "smsbot_outboundmessage"),
            _rows(request, "Failed texts", "sms_failed", "smsbot_outboundmessage", FAILED_TEXTS),
            _rows(
                request,
                "Given-up texts",
                "mark_chat_unread",
                "smsbot_inboundmessage",
                GIVEN_UP_TEXTS,
            ),
        ],
        "System": [
            _rows(request, "Incidents", "warning", "moviesms_incident"),
            _rows(request, "Monitor", "monitor_heart", "downloads_monitorstate"),
            _rows(request, "API tokens", "key", "moviesms_apitoken"),
            _rows(request, "Users", "group", "auth_user"),
        ],
    }
    return [
        {"title": title, "separator": bool(title), "items": [item for item in items if item]}
        for title, items in sections.items()
        if any(items)
    ]


def _home(request: HttpRequest) -> Item:
    link = reverse("admin:index")
    return {"title": "Home", "icon": "home", "link": link, "active": request.path == link}


def _page(request: HttpRequest, title: str, icon: str, name: str, model: str) -> Item | None:
    """Return the link of one of the owner's pages, or None for who may not see it."""
    if not may_see(request, model):
        return None
    link = reverse(f"dashboard:{name}")
    return {"title": title, "icon": icon, "link": link, "active": request.path.startswith(link)}


def _rows(request: HttpRequest, title: str, icon: str, model: str, query: str = "") -> Item | None:
    """Return the link of a list of rows, or None for who may not see it."""
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
