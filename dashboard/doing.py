"""The buttons of the owner's pages: each does one act to one row, and says what became of it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme

from dashboard.pages import for_staff, may_act, show
from downloads import acts as film_acts
from downloads import services
from moviesms.acts import Act
from smsbot import acts as text_acts
from smsbot.models import Contact, InboundMessage, Issue, OutboundMessage


@dataclass(frozen=True)
class Button:
    """An act, what it is called, and the rows it is for. With a `question` it is asked first."""

    title: str
    model: str
    find: Callable[[int], Any]
    act: Act
    question: str = ""


def _film(pk: int) -> Any:
    return services.find_downloads().filter(pk=pk).first()


def _row_of(model: Any) -> Callable[[int], Any]:
    return lambda pk: model.objects.filter(pk=pk).first()


def _request(pk: int) -> Any:
    return pk if any(waiting.pk == pk for waiting in services.pending_requests()) else None


BUTTONS = {
    "cancel": Button(
        "Cancel download",
        "downloads.download",
        _film,
        film_acts.cancel,
        "It ends for everybody who asked, and they are told. No file is deleted.",
    ),
    "retry": Button("Try again", "downloads.download", _film, film_acts.retry),
    "allow": Button("Let in", "smsbot.contact", _row_of(Contact), text_acts.allow),
    "block": Button(
        "Block",
        "smsbot.contact",
        _row_of(Contact),
        text_acts.block,
        "This person then gets no answers and no texts. You can let them in again at any time.",
    ),
    "approve": Button("Approve", "downloads.downloadrequest", _request, text_acts.approve),
    "decline": Button("Decline", "downloads.downloadrequest", _request, text_acts.decline),
    "another": Button(
        "Get another release",
        "smsbot.issue",
        _row_of(Issue),
        text_acts.another_release,
        "The release is blocked for good, its file deleted, and another one looked for.",
    ),
    "solved": Button("Solved", "smsbot.issue", _row_of(Issue), text_acts.solved),
    "answer-again": Button(
        "Try again", "smsbot.inboundmessage", _row_of(InboundMessage), text_acts.try_again
    ),
    "send-again": Button(
        "Send again", "smsbot.outboundmessage", _row_of(OutboundMessage), text_acts.send_again
    ),
}


@for_staff()
def do(request: HttpRequest, name: str, pk: int) -> HttpResponse:
    """Do an act (POST), or ask first whether it is meant (GET); then back to where one was."""
    button = BUTTONS.get(name)
    if button is None:
        raise Http404(name)
    if not may_act(request, button.model):
        raise PermissionDenied
    row = button.find(pk)
    if row is None:
        raise Http404(f"no {button.model} {pk}")
    back = _back(request)
    if request.method != "POST":
        return show(request, "confirm", f"{button.title}?", button=button, row=row, back=back)
    result = button.act(row)
    messages.add_message(request, result.level, result.text)
    return HttpResponseRedirect(back)


def _back(request: HttpRequest) -> str:
    """Return where the person came from, if that is a page of ours; else the home page."""
    wanted = request.POST.get("next") or request.GET.get("next", "")
    # An address without a host: what else it may hold could lead elsewhere.
    if wanted.startswith("/") and url_has_allowed_host_and_scheme(wanted, allowed_hosts=None):
        return wanted
    return reverse("admin:index")
