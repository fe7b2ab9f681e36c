"""From words to names: what a title is called in them, and which film of that name. Pure."""

import re
from dataclasses import dataclass
from typing import Literal

from smsbot import shapes
from smsbot.understanding import MOST_NAMED, Title

How = Literal["known", "exact", "near", "like", "guess", "new", "old"]
"""How close a film must come to a title; `downloads.matching.How` says what each means."""

EDGES = ' ,.!?;:-"“”«»*()[]\t'
"""What is no part of a text at its ends; of a title, brackets are."""

EDGES_OF_TITLE = ' ,;:-.!?"'


@dataclass(frozen=True)
class Wanted:
    """One title of a reading. `age` chooses among films that share it; `ask` never takes one."""

    title: Title
    age: Literal["", "new", "old"] = ""
    ask: bool = False


@dataclass(frozen=True)
class Reading:
    """One way to read a text: the titles it would name, and how close their films must come."""

    wants: tuple[Wanted, ...]
    how: How


# --- From the fuller to the shorter


def without(pattern: re.Pattern[str], text: str, *, most: int) -> str:
    """Return `text` without what `pattern` matches at its start, up to `most` times over."""
    for _ in range(most):
        found = pattern.match(text)
        if not found or not found.end() or not text[found.end() :]:
            break
        text = text[found.end() :]
    return text


def unled(rest: str) -> str:
    """Return what is wanted without "me two tickets to the movie called"."""
    if rest.startswith(("Me ", "Us ")):  # a title that begins with a pronoun: Me Before You
        return rest
    return without(shapes.LEAD_IN, rest.lstrip(EDGES.replace('"', "").replace("“", "")), most=6)


def variants(phrase: str) -> list[str]:
    """Return a phrase with less and less of what may be no part of a title, each form once."""
    forms = shorter(shapes.COURTESY, phrase.strip(EDGES_OF_TITLE))
    forms += shorter(shapes.TAIL, forms[-1])
    forms += shorter(shapes.COURTESY, _cut(shapes.CLAUSE, forms[-1]))
    forms += shorter(shapes.TAIL, forms[-1])
    forms += shorter(shapes.TAIL, _cut(shapes.PLACE, forms[-1]))
    return list(dict.fromkeys(forms))


def _cut(pattern: re.Pattern[str], phrase: str) -> str:
    found = pattern.search(phrase, 1)
    return (phrase[: found.start()] if found else phrase).strip(EDGES_OF_TITLE) or phrase


def shorter(pattern: re.Pattern[str], phrase: str) -> list[str]:
    """Return `phrase`, and it without what `pattern` finds at its end, once, twice and so on."""
    forms = [phrase]
    for _ in range(6):
        found = pattern.search(forms[-1])
        rest = forms[-1][: found.start()].strip(EDGES_OF_TITLE) if found else ""
        if not re.search(r"\w", rest):
            break
        forms.append(rest)
    return forms


def off_end(pattern: re.Pattern[str], phrase: str) -> str:
    return shorter(pattern, phrase.strip(EDGES_OF_TITLE))[-1]


def quoted(rest: str) -> tuple[Wanted, ...]:
    """Return the titles in quotation marks, with the year that stands outside them."""
    rest = rest.replace('""', '"').replace("''", '"')
    names = [found[1] or found[2] for found in shapes.QUOTED.finditer(rest)]
    names = [name.strip(" ,.;") for name in names if re.search(r"\w", name)]
    if len(names) == 1:
        outside = shapes.QUOTED.sub("Q", rest, count=1)
        return (Wanted(Title(title=names[0], year=interpreted(outside.strip(EDGES)).title.year)),)
    return tuple(Wanted(Title(title=name)) for name in names[:MOST_NAMED])


# --- Lists, years, ages, numbers -----------------------------------------------------------------


def parts_of(phrase: str) -> list[str]:
    """Return the parts of "X, Y and Z", without what stands around each."""
    parts = (unled(part.strip(EDGES_OF_TITLE)) for part in shapes.AND.split(phrase))
    kept = [off_end(shapes.TAIL, off_end(shapes.COURTESY, part)) for part in parts]
    named: list[str] = []
    for part in kept:
        series = re.fullmatch(r"(.+ )\d{1,2}", named[-1]) if named else None
        if series and re.fullmatch(r"\d{1,2}", part):  # Toy Story 1, 2 and 3
            part = series[1] + part
        if re.search(r"\w", part):
            named.append(part)
    return named[:MOST_NAMED]


def interpreted(phrase: str) -> Wanted:
    """Read "the new Dune", "Dune from 1984", "the second Matrix", "both Dune movies"."""
    phrase, year = _year_in(phrase)
    several = shapes.SEVERAL.match(phrase)
    if several:
        phrase = off_end(shapes.TAIL, phrase[several.end() :])
    phrase, age = _age_in(phrase)
    if found := shapes.ORDINAL.match(phrase):
        ordinals = shapes.ORDINALS | shapes.SPANISH_ORDINALS
        number = ordinals[(found["which"] or found["cual"]).casefold()]
        phrase = f"{off_end(shapes.TAIL, phrase[found.end() :])} {number}"
    single = off_end(shapes.SERIES_AFTER, phrase)
    title = Title(title=single[:300], year=year)
    return Wanted(title, age=age, ask=several is not None or single != phrase.strip())


def _age_in(phrase: str) -> tuple[str, Literal["", "new", "old"]]:
    """Return `phrase` without its "the new" or "the old one", and which of them it was."""
    for pattern in (shapes.NEW, shapes.OLD):
        if found := pattern.match(phrase):
            rest = off_end(shapes.TAIL, phrase[found.end() :])
            return rest, "new" if pattern is shapes.NEW else "old"
    for pattern in (shapes.NEW_AFTER, shapes.OLD_AFTER):
        found = pattern.search(phrase)
        if found and found.start():
            return phrase[: found.start()], "new" if pattern is shapes.NEW_AFTER else "old"
    return phrase, ""


def _year_in(phrase: str) -> tuple[str, int | None]:
    """Return `phrase` without the year it names, and that year; a title that is a year stays."""
    for form in (*shapes.YEAR_FORMS, shapes.LAST_YEAR):
        if found := form.search(phrase):
            rest = f"{phrase[: found.start()]} {phrase[found.end() :]}".strip(" ,")
            if re.search(r"\w", rest):
                return re.sub(r" {2,}", " ", rest), int(found["year"])
    return phrase, None


def names_year(phrase: str) -> bool:
    """Whether a year is named in a way that no title has: in brackets, "from", "the … version"."""
    rest, year = _year_in(phrase)
    return year is not None and not shapes.LAST_YEAR.search(phrase) and rest != phrase


def own_words(title: str, body: str) -> str:
    """Return `title` if it stands in the person's own text, else "": no other words are quoted."""
    words = rf"(?<!\w){re.escape(title.casefold())}(?!\w)"
    return title if re.search(words, body.casefold()) else ""
