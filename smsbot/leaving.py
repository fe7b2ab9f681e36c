"""Changing one's mind: leaving a request, or dropping an open question."""

from collections.abc import Sequence
from datetime import datetime

from downloads import services
from smsbot.models import Contact, OutboundMessage
from smsbot.reply import Reply, say
from smsbot.understanding import Title


def leave(contact: Contact, titles: Sequence[Title], question: OutboundMessage | None) -> Reply:
    """Leave the request that is meant, or drop the open question; ask where it is unclear."""
    if question is not None and not titles:
        reply = say("never_mind")
        return Reply(text=reply.text, template=reply.template, question=question)
    waiting = [d for d in services.requests_of(contact.address) if d.is_active]
    if titles:
        wanted = titles[0].title.casefold()
        waiting = [d for d in waiting if wanted in d.name.casefold()]
    if not waiting:
        return say("nothing_to_cancel")
    if len(waiting) > 1:
        return say("which_to_cancel", films=[download.name for download in waiting])
    reply = say("withdrawn", film=waiting[0].name)

    def withdraw(now: datetime) -> None:
        services.withdraw(waiting[0].pk, contact.address)

    return Reply(text=reply.text, template=reply.template, effects=[withdraw])
