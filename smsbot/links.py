"""Links that a phone shares instead of a title: what film they are of. Pure.

A link of IMDb or TMDB names a film by its id, which the search takes as it takes a title
(`imdb:tt0468569`, `tmdb:155`); others name it by the words of their address.
"""

import re
from urllib.parse import unquote

from smsbot.understanding import Title

_HOST = r"(?:https?://)?(?:[a-z0-9-]{1,20}\.){0,3}"
_ID_LINKS = (
    (re.compile(rf"{_HOST}imdb\.com/(?:[\w-]+/)?title/(tt\d{{6,10}})", re.IGNORECASE), "imdb:{}"),
    (re.compile(r"(?<!\w)(tt\d{7,10})(?!\w)", re.IGNORECASE), "imdb:{}"),
    (re.compile(rf"{_HOST}themoviedb\.org/movie/(\d{{1,9}})", re.IGNORECASE), "tmdb:{}"),
)
_WORD_LINKS = re.compile(
    rf"{_HOST}(?:letterboxd\.com/film|boxd\.it/film|rottentomatoes\.com/m|trakt\.tv/movies"
    r"|justwatch\.com/[a-z]{2}/movie|wikipedia\.org/wiki|metacritic\.com/movie)/([\w%().,'!:-]+)",
    re.IGNORECASE,
)
_SHOW_LINKS = re.compile(
    rf"{_HOST}(?:themoviedb\.org/tv|rottentomatoes\.com/tv|trakt\.tv/shows"
    r"|justwatch\.com/[a-z]{2}/tv-(?:show|series))/([\w%-]+)",
    re.IGNORECASE,
)
_ANY = re.compile(r"(?:https?://|www\.)\S+", re.IGNORECASE)


def titles_of_links(text: str) -> list[Title]:
    """Return the films and shows that the links of `text` are of, each once, in their order."""
    found: dict[int, Title] = {}
    for pattern, form in _ID_LINKS:
        for link in pattern.finditer(text):
            found.setdefault(link.end(), Title(title=form.format(link[1].lower())))
    for link in _WORD_LINKS.finditer(text):
        found[link.end()] = _title_of_words(link[1])
    for link in _SHOW_LINKS.finditer(text):
        found[link.end()] = Title(title=_words(link[1]), media="tv")
    return list(dict.fromkeys(title for _, title in sorted(found.items())))


def without_links(text: str) -> str:
    """Return `text` without its links."""
    return _ANY.sub(" ", text)


def _words(slug: str) -> str:
    return re.sub(r"[-_ ]+", " ", unquote(slug)).strip()[:200]


def _title_of_words(slug: str) -> Title:
    """Read `dune-2021`, `dune_part_two`, `Dune_(2021_film)`."""
    words = re.sub(r" ?\((?:(\d{4}) )?film\)$", r" \1", _words(slug)).strip()
    year = re.search(r"(?<=\w) ((?:19|20[0-3])\d{1,2})$", words)
    if year and len(year[1]) == 4:
        return Title(title=words[: year.start()], year=int(year[1]))
    return Title(title=words)
