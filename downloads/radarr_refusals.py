"""What Radarr's refusals mean: the array of a 400 (FluentValidation's), as one error.

A client knows HTTP alone; these errors are part of `downloads.radarr`'s.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from downloads.http import ServiceError
from downloads.radarr_records import Problem

Subject = Literal["", "root_folder", "quality_profile"]


class RadarrRejected(ServiceError):  # named for what Radarr did, as its kinds are
    """Radarr understood a request and refused it (400 or 409); permanent."""


class AlreadyAdded(RadarrRejected):
    """The film is in the library: 400 `MovieExistsValidator`, or 409 when two adds raced."""


class UnknownMovie(RadarrRejected):
    """Radarr's metadata service knows no film of that TMDB id: 400 on TmdbId without a code."""


class Misconfigured(RadarrRejected):
    """The root folder or the quality profile does not exist or does not fit.

    `subject` says which: "root_folder" or "quality_profile". Only the owner can change it.
    """

    subject: Subject = ""


class FolderInUse(RadarrRejected):
    """The film's own folder is another film's, or a root, parent, recycle or system folder."""


class _Refusal(NamedTuple):
    field: str | None  # lower case; None is any
    code: str | None  # a validator's class name, "" none, None any
    kind: type[RadarrRejected]
    subject: Subject = ""


_REFUSALS = (  # the most telling first
    _Refusal("tmdbid", "MovieExistsValidator", AlreadyAdded),
    _Refusal("tmdbid", "", UnknownMovie),
    _Refusal("rootfolderpath", None, Misconfigured, "root_folder"),
    _Refusal("qualityprofileid", None, Misconfigured, "quality_profile"),
    _Refusal("path", None, FolderInUse),
    _Refusal(None, None, RadarrRejected),
)


def meaning(problems: Sequence[Problem]) -> tuple[type[RadarrRejected], Subject, str]:
    """Return the error of a refusal, what it is about, and Radarr's words for it.

    Of several problems the most telling one decides.
    """
    rank, problem = min(((_rank(p), p) for p in problems), key=lambda pair: pair[0])
    return _REFUSALS[rank].kind, _REFUSALS[rank].subject, _worded(problem)


def _rank(problem: Problem) -> int:
    field, code = problem.property_name.lower(), problem.error_code
    return next(
        rank
        for rank, refusal in enumerate(_REFUSALS)
        if refusal.field in (None, field) and refusal.code in (None, code)
    )


def _worded(problem: Problem) -> str:
    """Say which field Radarr refuses and why, in its own words."""
    why = problem.error_message or problem.error_code
    return f"{problem.property_name}: {why}" if problem.property_name else why
