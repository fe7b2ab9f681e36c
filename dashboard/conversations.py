"""Conversations: who wrote last, one person's thread, and an answer by hand."""

import uuid
from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_POST

from dashboard.needing import press
from dashboard.pages import Live, again, for_staff, live, may_act, may_see, piece, show
from smsbot import handover, sending, threads
from smsbot.models import Contact
from smsbot.policy import Access, access_of
from smsbot.replies import segments, styled

PAGE_SIZE = 40
READS = ("smsbot.contact", "smsbot.inboundmessage", "smsbot.outboundmessage")
WRITES = ("smsbot.outboundmessage",)

_BAD = frozenset({"dead", "failed", "undelivered", "unknown"})


@for_staff(sees=READS)
def index(request: HttpRequest) -> HttpResponse:
    """Show who wrote last; `q` looks for a name or a number."""
    search = request.GET.get("q", "").strip()
    page = Paginator(threads.contacts_by_last_text(search), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    texts = threads.last_texts(page.object_list)
    rows = [{"contact": c, "text": texts[c.pk], "access": _standing(c)} for c in page.object_list]
    context = {"rows": rows, "page": page, "search": search}
    return show(request, "conversations", "Conversations", **context)


@for_staff(sees=READS)
def one(request: HttpRequest, pk: int) -> HttpResponse:
    """Show a person's thread; POST queues the answer that was written there."""
    contact = get_object_or_404(Contact, pk=pk)
    if request.method == "POST":
        return _answer(request, contact)
    return _page(request, contact, words="", key=uuid.uuid4().hex)


@for_staff(sees=READS)
def texts(request: HttpRequest, pk: int) -> HttpResponse:
    """Return the texts of a thread, for its page to show again."""
    return again(request, _thread(request, get_object_or_404(Contact, pk=pk)))


@for_staff(sees=READS)
@require_POST
def count_segments(request: HttpRequest) -> HttpResponse:
    """Return how many texts the words being written will be billed as."""
    return piece(request, "segments", **_counted(request.POST.get("words", "")))


def _page(request: HttpRequest, contact: Contact, *, words: str, key: str) -> HttpResponse:
    acts = {Access.STRANGER: ("allow", "block"), Access.BLOCKED: ("allow",)}
    presses = press(request, contact.pk, *acts.get(access_of(contact), ()))
    return show(
        request,
        "conversation",
        str(contact),
        contact=contact,
        standing=_standing(contact),
        presses=presses,
        silent=_why_silent(contact),
        may_write=may_act(request, WRITES[0]),
        may_rename=may_see(request, "smsbot.contact"),
        words=words,
        key=key,
        longest=sending.LONGEST_TEXT,
        **_counted(words),
        thread=_thread(request, contact),
    )


def _answer(request: HttpRequest, contact: Contact) -> HttpResponse:
    if not may_act(request, WRITES[0]):
        raise PermissionDenied
    words, key = request.POST.get("words", ""), request.POST.get("key", "")[:40]
    try:
        sending.by_hand(contact, words, key=key, now=timezone.now())
    except (sending.NotWrittenTo, ValueError) as error:
        said = str(error)
        messages.error(request, said[:1].upper() + said[1:])
        return _page(request, contact, words=words, key=key)
    handover.line(contact.pk)
    return HttpResponseRedirect(reverse("dashboard:conversation", args=[contact.pk]))


def _thread(request: HttpRequest, contact: Contact) -> Live:
    shown = [
        {
            "text": text,
            "bad": text.state in _BAD,
            "presses": _mends(request, text),
        }
        for text in threads.thread(contact)
    ]
    address = reverse("dashboard:conversation-texts", args=[contact.pk])
    return live(request, "thread", address, every=4, contact=contact, texts=shown)


def _mends(request: HttpRequest, text: threads.Text) -> list[Any]:
    if text.state not in _BAD or text.was_sent_again:
        return []
    return press(request, text.pk, "send-again" if text.ours else "answer-again")


def _counted(words: str) -> dict[str, int]:
    text = styled(words.strip())
    return {"segments": segments(text) if text else 0, "characters": len(text)}


def _standing(contact: Contact) -> str:
    """Return what a person may do, in a word; empty for somebody who simply may ask."""
    if contact.opted_out_at:
        return "texted STOP"
    words = {Access.STRANGER: "not let in yet", Access.BLOCKED: "blocked", Access.OWNER: "owner"}
    return words.get(access_of(contact), "")


def _why_silent(contact: Contact) -> str:
    if contact.opted_out_at:
        return "They texted STOP, so they get no texts until they text START."
    if access_of(contact) == Access.BLOCKED:
        return "They are blocked and get no texts."
    return ""
