"""Which films a title asks for: none, one, or several to ask about. Pure; TMDB has ranked already.

TMDB's order decides between likely and unlikely; exactness, the year and the number of a sequel
decide what is meant. What nothing decides is asked, never guessed.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from downloads.tmdb import Film

MOST_OFFERED = 4
"""A question with more choices than this is no longer a text message."""

How = Literal["known", "exact", "near", "like", "guess", "new", "old"]
"""How close a film must come to what was written.

`known`: a film of exactly this title that people have heard of (the words may be small talk).
`exact`: a film of exactly this title. `near`: that, or one typing error away.
`like`: also what continues or contains the title. `guess`: what a misspelt title may have meant.
`new`, `old`: the newest, or the oldest, of the films of this title and its series.
"""

Search = Callable[[str, int | None], Sequence[Film]]
"""One search on TMDB: the words and, if it is to narrow, the year; the best film first."""

_KNOWN_VOTES, _KNOWN_POPULARITY = 100, 3.0
_FAMOUS_VOTES, _TIMES_FEWER = 1000, 500
_NAMESAKE_VOTES = 5
_SHORTEST_TYPO, _SHORTEST_SURE_TYPO, _LONGEST_TYPO = 4, 8, 60
_LATEST_SEQUEL = 30

_WRITTEN = "one two three four five six seven eight nine ten eleven twelve thirteen"
_ROMAN = "i ii iii iv v vi vii viii ix"
_NUMBERS = {word: str(number) for number, word in enumerate(_WRITTEN.split(" "), 1)}
_SEQUEL_NUMBERS = _NUMBERS | {word: str(n) for n, word in enumerate(_ROMAN.split(" "), 1)}
_FILLER = frozenset({"part", "pt", "chapter", "episode", "vol", "volume", "number", "no"})
_ARTICLES = frozenset({"the", "a", "an"})
_SMALL = _ARTICLES | {"of", "in", "on", "at", "to", "for", "and", "with", "from"}
_LETTERS_OF_DIGITS = str.maketrans("01347", "oieav")
"""How titles spell a letter with a digit: M3GAN, Se7en."""

_APOSTROPHES = str.maketrans("", "", "'’‘")


@dataclass(frozen=True)
class Query:
    """A title as a person wrote it, the year if they named one, and how close a film must come."""

    title: str
    year: int | None = None
    how: How = "like"


@dataclass(frozen=True)
class Verdict:
    """The films that may be meant, best first; `sure` when there is one and nothing to ask.

    `namesake` is a film of the same title that was left out because far fewer people know it.
    """

    films: list[Film]
    sure: bool
    namesake: Film | None = None


_NOTHING = Verdict([], sure=False)


def look_up(query: Query, search: Search) -> Verdict:
    """Return what `search` and `decide` make of a query, in at most two searches.

    The year narrows the first; a film of another year is then worth a question. A `guess` searches
    for halves of the title, one of which has no typing error in it.
    """
    if query.how == "guess":
        return _first(decide(query, search(part, None)) for part in spellings(query.title))
    # The first of a series bears no number.
    words = re.sub(r"(?i)(?<=\w)(?: part)? (?:1|one)$", "", query.title)
    verdict = decide(query, search(words, query.year))
    if verdict.films or query.year is None or query.how != "like":
        return verdict
    return decide(query, search(words, None))


def reference(title: str) -> tuple[str, str] | None:
    """Return (`imdb` or `tmdb`, the id) when a title is the id of a film: `imdb:tt0468569`."""
    found = re.fullmatch(r"(imdb):(tt\d{6,10})|(tmdb):(\d{1,9})", title)
    return (found[1] or found[3], found[2] or found[4]) if found else None


def spellings(title: str) -> list[str]:
    """Return up to two searches that may find a title with an error in it, best first."""
    if reference(title):
        return []
    words = _words(re.sub(r"(?<=[A-Za-z])(?=\d{1,2}$)", " ", title))
    if len(words) > 1 and _SEQUEL_NUMBERS.get(words[-1], words[-1]).isdigit():
        bare = words[:-2] if len(words) > 2 and words[-2] in _FILLER else words[:-1]
        return [" ".join(bare)]
    if len(words) > 1:
        middle = (len(words) + 1) // 2
        halves = (words[:middle], words[middle:])
        return [" ".join(half) for half in halves if set(half) - _SMALL]
    # TMDB finds a word by its beginning, and errors are seldom there.
    return [words[0][: len(words[0]) * 2 // 3]] if words and len(words[0]) >= 6 else []


def decide(query: Query, films: Sequence[Film]) -> Verdict:
    """Say which of `films` (in TMDB's order) the query means.

    A film whose title is the query's is meant; several such films are told apart by the year, or
    asked about. Without one, a typing error is overlooked in the title of a famous film; what
    merely continues the title or shares its words is offered, never taken.
    """
    if query.how in ("new", "old"):
        return _by_age(query, films)
    asked = _asked(query.title)
    exact = [film for film in films if asked & _names(film)] or _numbered(query.title, films)
    if query.how == "known":
        exact = [film for film in exact if _is_known(film)]
    if exact:
        return _among(query, exact)
    if query.how in ("known", "exact"):
        return _NOTHING
    near = [film for film in films if _is_near(query.title, film)]
    if near:
        return _near(query, near)
    return _famous(query, films) if query.how == "near" else _loosely(query, films)


# --- From many to few ----------------------------------------------------------------------------


def _among(query: Query, films: Sequence[Film]) -> Verdict:
    """Choose among films of the title that was asked for: by year, else by who is known at all."""
    dated = kept = _of_year(query, films)
    if query.year is None:
        kept = _drop_obscure(kept)
    sure = len(kept) == 1 and _year_fits(query, kept[0])
    return Verdict(kept[:MOST_OFFERED], sure, _namesake(dated, kept) if sure else None)


def _namesake(films: Sequence[Film], kept: Sequence[Film]) -> Film | None:
    """Return the best known of the films left out, if anybody knows it at all."""
    left_out = [f for f in films if f not in kept and f.year and f.vote_count >= _NAMESAKE_VOTES]
    return max(left_out, key=lambda film: film.vote_count, default=None)


def _near(query: Query, films: Sequence[Film]) -> Verdict:
    verdict = _among(query, films)
    return Verdict(verdict.films, sure=verdict.sure and _is_typo(query.title, verdict.films[0]))


def _famous(query: Query, films: Sequence[Film]) -> Verdict:
    """Read two words or more as the start of what everybody knows: `harry potter`."""
    tokens = _tokens(query.title)
    if len(tokens) < 2:
        return _NOTHING
    known = [film for film in films if film.vote_count >= _FAMOUS_VOTES and _starts(tokens, film)]
    return Verdict(_of_year(query, known)[:MOST_OFFERED], sure=False)


def _loosely(query: Query, films: Sequence[Film]) -> Verdict:
    """Read a title as the start of a longer one, as a part of a series, or as words of a title."""
    tokens = _tokens(query.title)
    if not tokens:
        return _NOTHING
    continued = [film for film in films if _continues(tokens, film)]
    if continued:
        # There may be an earlier part of just this title that was not found.
        return Verdict(_among(query, continued).films, sure=False)
    if _is_numbered(tokens):
        return _of_series(query, tokens[:-1], int(tokens[-1]), films)
    if query.how == "guess":
        return _NOTHING
    related = _of_year(query, [film for film in films if _shares_words(tokens, film)])
    # TMDB finds a film by its titles in all languages, and shows one: "El padrino".
    related = related or [film for film in films if film.vote_count >= _FAMOUS_VOTES]
    return Verdict(related[:MOST_OFFERED], sure=False)


def _of_series(query: Query, base: list[str], number: int, films: Sequence[Film]) -> Verdict:
    """Return part `number` of a series whose titles bear no numbers.

    Only the count by release date tells which part it is, so it is asked, not taken.
    """
    parts = [film for film in films if film.release_date and _starts(base, film)]
    famous = [film for film in parts if film.vote_count >= _FAMOUS_VOTES]
    series = sorted(famous or parts, key=lambda film: str(film.release_date))
    if not 1 <= number <= len(series):
        return _NOTHING
    meant = series.pop(number - 1)
    return Verdict([meant, *series][:MOST_OFFERED], sure=False)


def _by_age(query: Query, films: Sequence[Film]) -> Verdict:
    """Return the newest or the oldest of a title; of a series, the newest is asked about.

    "The new Dune" may be the newest of that title, or its newest sequel.
    """
    tokens, asked = _tokens(query.title), _asked(query.title)
    exact = [film for film in films if asked & _names(film)]
    series = [film for film in films if film.release_date and tokens and _starts(tokens, film)]
    is_old = query.how == "old"
    kept = _drop_obscure(exact if exact and is_old else series)
    kept.sort(key=lambda film: str(film.release_date), reverse=not is_old)
    sure = bool(kept) and kept[0] in exact and (is_old or len(kept) == len(exact) > 1)
    return Verdict(kept[: 1 if sure else MOST_OFFERED], sure=sure)


def _of_year(query: Query, films: Sequence[Film]) -> list[Film]:
    """Keep the films of the year that was named; a year beside it (another country) also counts."""
    if query.year is not None:
        for slack in (0, 1):
            kept = [film for film in films if film.year and abs(film.year - query.year) <= slack]
            if kept:
                return kept
    return list(films)


def _year_fits(query: Query, film: Film) -> bool:
    return query.year is None or film.year is None or abs(film.year - query.year) <= 1


def _drop_obscure(films: Sequence[Film]) -> list[Film]:
    """Leave out namesakes that hardly anybody knows, where TMDB's votes show it."""
    most = max((film.vote_count for film in films), default=0)
    if most < _FAMOUS_VOTES:
        return list(films)
    return [film for film in films if film.vote_count * _TIMES_FEWER > most]


def _is_known(film: Film) -> bool:
    return film.vote_count >= _KNOWN_VOTES or film.popularity >= _KNOWN_POPULARITY


def _first(verdicts: Iterable[Verdict]) -> Verdict:
    return next((verdict for verdict in verdicts if verdict.films), _NOTHING)


# --- Titles compared ------------------------------------------------------------------------------


def _words(text: str) -> list[str]:
    """Return the words of a title, folded: no case, no accents, no apostrophes, no "and"."""
    plain = unicodedata.normalize("NFKD", text.casefold()).translate(_APOSTROPHES)
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return [word for word in re.findall(r"\w+", plain) if word != "and"]


def _tokens(title: str) -> list[str]:
    """Return the words of a title without its article, numbers as digits.

    `Dune: Part Two` is dune, 2. A Roman number counts only behind the first word: `I, Robot`.
    """
    words = _words(title)
    if len(words) > 1 and words[0] in _ARTICLES:
        words = words[1:]
    tokens = [_NUMBERS.get(word, word) for word in words[:1]]
    tokens += [_SEQUEL_NUMBERS.get(word, word) for word in words[1:]]
    following = [*tokens, ""][1:]
    return [
        token
        for place, (token, after) in enumerate(zip(tokens, following, strict=True))
        if not (place and token in _FILLER and after.isdigit())
    ]


def _asked(title: str) -> set[str]:
    """Return the spellings under which a film is the one asked for.

    "The" is nothing, but who writes "a dentist" does not mean The Dentist.
    """
    words = _words(title)
    key = "".join(_tokens(title))
    return {words[0] + key} if len(words) > 1 and words[0] in ("a", "an") else {key}


def _names(film: Film) -> set[str]:
    """Return every spelling of a film's titles that is as good as the title itself."""
    names: set[str] = set()
    for title in {film.title, film.original_title or film.title}:
        key = "".join(_tokens(title))
        words = _words(title)
        names |= {key, words[0] + key if words and words[0] in _ARTICLES else key}
        names.add("".join(_tokens(_with_letters(title))))
    return names - {""}


def _with_letters(title: str) -> str:
    return re.sub(
        r"(?<=[A-Za-z])\d(?=[A-Za-z])", lambda d: d[0].translate(_LETTERS_OF_DIGITS), title
    )


def _is_near(title: str, film: Film) -> bool:
    asked = "".join(_tokens(title))
    return any(_are_near(asked, name) for name in _names(film))


def _are_near(asked: str, name: str) -> bool:
    if not _SHORTEST_TYPO <= len(asked) <= _LONGEST_TYPO:
        return False
    # `Dune 2` and `Dune 3` are nearly the same letters and not the same film.
    if re.sub(r"\D", "", asked) != re.sub(r"\D", "", name):
        return False
    most = max(1, min(4, len(asked) // 5))
    return abs(len(asked) - len(name)) <= most and _distance(asked, name) <= most


def _is_typo(title: str, film: Film) -> bool:
    """Whether the film is famous and the title its own but for a slip of the finger."""
    asked = "".join(_tokens(title))
    if len(asked) < _SHORTEST_SURE_TYPO or film.vote_count < _FAMOUS_VOTES:
        return False
    # A plural is another title: `Alien`, `Aliens`.
    return all(asked.rstrip("s") != name.rstrip("s") for name in _names(film)) and any(
        _distance(asked, name) <= 2 for name in _names(film)
    )


def _distance(one: str, other: str) -> int:
    """Return how many letters must be changed, added, dropped or swapped with their neighbour."""
    before: list[int] = []
    last = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        row = [i]
        for j, wanted in enumerate(other, 1):
            cost = min(last[j] + 1, row[j - 1] + 1, last[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
        before, last = last, row
    return last[-1]


def _continues(tokens: list[str], film: Film) -> bool:
    """Whether a film has this title and a subtitle: `Glass Onion`."""
    return any(_tokens(part) == tokens for part in re.split(r": | [-–(] ?", film.title)[:1])


def _numbered(title: str, films: Sequence[Film]) -> list[Film]:
    """Return the films of this number that have a subtitle too; a first part has no number."""
    tokens = _tokens(title)
    if not tokens or not _is_numbered(tokens):
        return []
    if tokens[-1] == "1":
        first = [film for film in films if "".join(tokens[:-1]) in _names(film)]
        if first:
            return first
    return [film for film in films if _starts(tokens, film)]


def _is_numbered(tokens: list[str]) -> bool:
    """Whether a title ends with the number of a sequel."""
    last = tokens[-1]
    return len(tokens) > 1 and last.isdigit() and len(last) < 3 and int(last) <= _LATEST_SEQUEL


def _starts(tokens: list[str], film: Film) -> bool:
    return any(
        _tokens(title)[: len(tokens)] == tokens for title in (film.title, film.original_title)
    )


def _shares_words(tokens: list[str], film: Film) -> bool:
    """Whether a film's title has nearly all the words that were asked for."""
    asked = set(tokens) - _SMALL
    has = set(_tokens(film.title)) | set(_tokens(film.original_title))
    return bool(asked) and len(asked & has) * 3 > len(asked) * 2
