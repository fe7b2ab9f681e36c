"""TMDB, which knows the films, and the model that reads which one is meant."""

from django.conf import settings

from downloads import connections
from moviesms.diagnosis.result import Check, Result, origin
from smsbot import understanding

QUESTION = "can you get The Dark Knight for me?"


def tmdb_key() -> Result:
    """TMDB answers and takes TMDB_API_KEY."""
    connections.tmdb().check()
    return Result("ok", f"accepted at {origin(settings.TMDB_URL)}")


def tmdb_search() -> Result:
    """TMDB finds a film that everybody knows."""
    films = connections.tmdb().search("The Dark Knight")
    if not films:
        return Result("failed", "TMDB finds no “The Dark Knight”", "Check TMDB_URL.")
    return Result("ok", f"found {films[0].title} ({films[0].year})")


def openai_reads() -> Result:
    """The model reads a text as the film it asks for."""
    if not understanding.is_configured():
        fix = "Set OPENAI_API_KEY to have texts read by a model."
        return Result("warning", "OpenAI is not configured: rules are used", fix)
    try:
        turn = understanding.Turn(speaker="person", text=QUESTION)
        reading, _ = understanding.ask_model([turn])
    except understanding.NoAnswer as error:
        return _openai_failure(str(error))
    named = any("dark knight" in title.title.lower() for title in reading.titles)
    if reading.intent != "request" or not named:
        fix = "Set OPENAI_MODEL to a larger model: this one misreads plain requests."
        return Result("warning", f"{settings.OPENAI_MODEL} misread “{QUESTION}”", fix)
    return Result("ok", f"{settings.OPENAI_MODEL} read “{QUESTION}” rightly")


def _openai_failure(kind: str) -> Result:
    fix = _OPENAI_FIXES.get(kind, "Check OPENAI_BASE_URL and OPENAI_MODEL.")
    return Result("failed", f"{settings.OPENAI_MODEL} gives no answer ({kind})", fix)


_OPENAI_FIXES = {
    "AuthenticationError": "Copy a key from https://platform.openai.com into OPENAI_API_KEY.",
    "PermissionDeniedError": "Let the key use this model, or set another OPENAI_MODEL.",
    "NotFoundError": "Set OPENAI_MODEL to a model that the server has; see OPENAI_BASE_URL too.",
    "RateLimitError": "The account has no credit or asks too often: see its billing page.",
    "APITimeoutError": "The model is too slow: set a smaller one, or raise OPENAI_DEADLINE.",
    "TimeoutError": "The model is too slow: set a smaller one, or raise OPENAI_DEADLINE.",
    "APIConnectionError": "Check OPENAI_BASE_URL, that a server runs there, and the network.",
    "ValidationError": "The model does not keep to the JSON asked for: set another OPENAI_MODEL.",
}


CHECKS = (
    Check("tmdb", "TMDB's key", tmdb_key, "TMDB_DEADLINE", gate=True),
    Check("tmdb", "TMDB's search", tmdb_search, "TMDB_DEADLINE"),
)
OPENAI_CHECKS = (Check("openai", "OpenAI", openai_reads, "OPENAI_DEADLINE"),)
