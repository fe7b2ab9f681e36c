"""Why a film could not be had, in plain words: never a word of Radarr's or a client's own."""

from django.utils.translation import gettext, gettext_noop

_PLAIN = {
    "excluded": gettext_noop("It's on the list of movies that this library leaves out."),
    "unknown_film": gettext_noop("The movie library doesn't know it yet. Try again in a few days!"),
    "folder_in_use": gettext_noop(
        "Something in the library is in its way; its owner has to look at it."
    ),
    "cancelled": gettext_noop("It was cancelled."),
    "removed": gettext_noop("It was taken off the library's list."),
}
# Radarr passes on what a download client says; a few of its words tell something to a person.
_HINTS = (
    (
        ("missing", "incomplete", "article", "repair", "par2"),
        gettext_noop("The copy that was found is incomplete."),
    ),
    (
        ("password", "encrypted"),
        gettext_noop("The copy that was found is locked with a password."),
    ),
    (
        ("space", "disk full", "no room"),
        gettext_noop("There's no room left on the library's disk."),
    ),
    (
        ("corrupt", "crc", "damaged", "unpack"),
        gettext_noop("The copy that was found is damaged."),
    ),
)


def in_plain_words(reason: str) -> str:
    """Return a sentence for a person; one that is true of any failure when nothing is known.

    It is in the language of whom is being spoken to.
    """
    if reason in _PLAIN:
        return gettext(_PLAIN[reason])
    lowered = reason.casefold()
    for words, sentence in _HINTS:
        if any(word in lowered for word in words):
            return gettext(sentence)
    return gettext("The download didn't work out. You can ask me again later!")
