"""How well texts are understood: `python -m benchmarks.understanding`.

Every sentence goes the way that the conversation takes: the model's reading or the rules', then
the search, which here is the sandbox's TMDB with more films. What counts is the end: the film that
would be added, the films that would be offered, or nothing.
"""

import argparse
import csv
import json
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from django.conf import settings

from downloads import matching
from downloads.tmdb import Film
from moviesms.breaker import Breaker
from sandbox import catalogue
from sandbox.tmdb import PAGE_SIZE, film_result
from smsbot import finding, rules, understanding
from smsbot.understanding import Turn, Understanding

DATA = Path(__file__).parents[2] / "shared" / "evaluation"
"""Where the sentences and the facts lie: beside the project, never in it."""

_VOTES_PER_POPULARITY = 200
_INVENTED_IDS = 900_000_000

Reader = Callable[[str], Understanding]


@dataclass(frozen=True)
class Sentence:
    """A text and what is right for it; `ids` are the films each title may mean, as far as known."""

    text: str
    kind: str
    titles: list[str]
    years: list[int]
    ids: list[list[int]]


@dataclass
class Result:
    """Where a sentence ended."""

    sentence: Sentence
    named: list[str]
    added: list[Film] = field(default_factory=list)
    offered: list[Film] = field(default_factory=list)
    searches: int = 0
    seconds: float = 0.0


# --- The world -----------------------------------------------------------------------------------


def sentences_of(path: Path) -> list[Sentence]:
    """Return the sentences of a file of JSON lines."""
    rows = (json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line)
    return [
        Sentence(
            text=row["text"],
            kind=row["kind"],
            titles=row["titles"],
            years=row["years"],
            ids=row.get("catalogue_ids") or [[] for _ in row["titles"]],
        )
        for row in rows
    ]


def films_of(path: Path) -> list[catalogue.Film]:
    """Return the sandbox's films and those of a table of facts."""
    known = {film.tmdb_id: film for film in catalogue.load()}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            film = _fact(row)
            known.setdefault(film.tmdb_id, film)
    return list(known.values())


def _fact(row: dict[str, str]) -> catalogue.Film:
    popularity = float(row["popularity_est"] or 0)
    return catalogue.Film(
        tmdb_id=int(row["tmdb_id"]),
        imdb_id="",
        title=row["title"],
        original_title=row["original_title"] or row["title"],
        language=row["original_language"],
        release_date=date.fromisoformat(row["release_date"]) if row["release_date"] else None,
        votes=int(popularity * _VOTES_PER_POPULARITY),
        popularity=popularity,
        overview="",
    )


def invented(
    sentences: Iterable[Sentence], films: Sequence[catalogue.Film]
) -> list[catalogue.Film]:
    """Return a film for each title of a sentence that has none: its id known or made up."""
    known = {
        catalogue.words(title) for film in films for title in (film.title, film.original_title)
    }
    made: dict[tuple[str, ...], catalogue.Film] = {}
    for sentence in sentences:
        for number, title in enumerate(sentence.titles):
            words = catalogue.words(title)
            if words in known or words in made:
                continue
            ids = sentence.ids[number] if number < len(sentence.ids) else []
            made[words] = _invented(title, (ids or [_INVENTED_IDS + len(made)])[0], sentence.years)
    return list(made.values())


def _invented(title: str, tmdb_id: int, years: list[int]) -> catalogue.Film:
    released = date(years[0], 1, 1) if years else None
    return catalogue.Film(tmdb_id, "", title, title, "en", released, 500, 5.0, "")


# --- The way of a text ---------------------------------------------------------------------------


class World:
    """The product as far as it understands: a reader of texts and TMDB's search."""

    def __init__(self, films: Iterable[catalogue.Film], reader: Reader) -> None:
        self._catalogue = catalogue.Catalogue(films)
        self._reader = reader
        self._queries: set[tuple[str, int | None]] = set()

    def end_of(self, sentence: Sentence) -> Result:
        """Return where a sentence ends, as `smsbot.conversation` would have it."""
        self._queries.clear()
        start = time.perf_counter()
        reading = self._reader(sentence.text)
        found: list[finding.Found[Film]] = []
        if reading.intent == "request" and reading.titles:
            found = finding.find(rules.readings_of(sentence.text, reading), self._resolve)
        result = Result(
            sentence, [t.title for t in reading.titles] + [f.title.title for f in found]
        )
        for one in found:
            (result.added if one.sure else result.offered).extend(one.matches)
        result.searches = len(self._queries)
        result.seconds = time.perf_counter() - start
        return result

    def _resolve(self, title: str, year: int | None, how: matching.How) -> "_Resolution":
        verdict = matching.look_up(matching.Query(title, year, how), self._search)
        return _Resolution(verdict.films, verdict.sure)

    def _search(self, query: str, year: int | None) -> list[Film]:
        self._queries.add((query.casefold(), year))
        films = self._catalogue.search(query, year)[:PAGE_SIZE]
        return [Film.model_validate(film_result(film)) for film in films]


@dataclass(frozen=True)
class _Resolution:
    matches: list[Film]
    sure: bool
    namesake: Film | None = None


# --- The judgement -------------------------------------------------------------------------------


def is_right(result: Result) -> bool:
    """Whether every title of a request was added or offered."""
    reached = result.added + result.offered
    sentence = result.sentence
    return all(
        any(_is_meant(film, sentence, number) for film in reached)
        for number in range(len(sentence.titles))
    )


def is_wrong(result: Result) -> bool:
    """Whether a film was added that the sentence does not ask for."""
    sentence = result.sentence
    return any(
        not any(
            _is_meant(film, sentence, number, strict=True) for number in range(len(sentence.titles))
        )
        for film in result.added
    )


def _is_meant(film: Film, sentence: Sentence, number: int, *, strict: bool = False) -> bool:
    ids = sentence.ids[number] if number < len(sentence.ids) else []
    if strict and sentence.years and film.year and abs(film.year - sentence.years[0]) > 1:
        return False
    label = _key(sentence.titles[number])
    return film.tmdb_id in ids or label in (_key(film.title), _key(film.original_title))


def _key(title: str) -> str:
    """Return a title without its article, "and" and "part", its numbers as digits."""
    words = [word for word in catalogue.words(title) if word not in ("and", "part", "chapter", "&")]
    return "".join(words[1:] if len(words) > 1 and words[0] in ("the", "a", "an") else words)


def names_titles(result: Result) -> bool:
    """Whether every title that stands in a sentence was picked out of it."""
    named = {_key(title) for title in result.named}
    return all(_key(title) in named for title in result.sentence.titles)


def can_be_found(result: Result, films: Iterable[catalogue.Film]) -> bool:
    """Whether the catalogue has a film for every title of the sentence."""
    sentence = result.sentence
    return all(
        any(_is_meant(Film.model_validate(film_result(film)), sentence, number) for film in films)
        for number in range(len(sentence.titles))
    )


@dataclass(frozen=True)
class Figures:
    """The results of a run, sorted by what they show."""

    requests: list[Result]
    missed: list[Result]
    wrong: list[Result]
    mentions: list[Result]
    unnamed: list[Result]
    talk: list[Result]
    acted_on: list[Result]
    asked: list[Result]
    everything: list[Result]


def judged(results: list[Result], films: Sequence[catalogue.Film]) -> Figures:
    """Sort the results: of the requests, only those whose film there is can be missed."""
    requests = [r for r in results if r.sentence.kind == "request"]
    reachable = [r for r in requests if can_be_found(r, films)]
    mentions = [r for r in results if r.sentence.kind == "mention"]
    talk = [r for r in results if r.sentence.kind == "none"]
    return Figures(
        requests=reachable,
        missed=[r for r in reachable if not is_right(r)],
        wrong=[r for r in requests if is_wrong(r)],
        mentions=mentions,
        unnamed=[r for r in mentions if not names_titles(r)],
        talk=talk,
        acted_on=[r for r in talk if r.added],
        asked=[r for r in talk if r.offered and not r.added],
        everything=results,
    )


# --- The report ----------------------------------------------------------------------------------


def table(name: str, figures: Figures) -> str:
    """Return the figures of a run as lines of a Markdown table."""
    all_requests = [r for r in figures.everything if r.sentence.kind == "request"]
    rows = [
        ("requests that end in the right film or a question with it",
         len(figures.requests) - len(figures.missed), len(figures.requests)),
        ("requests that are added at once", sum(bool(r.added) for r in figures.requests),
         len(figures.requests)),
        ("requests that add a wrong film", len(figures.wrong), len(all_requests)),
        ("chit-chat acted on", len(figures.acted_on), len(figures.talk)),
        ("chit-chat answered with an offer", len(figures.asked), len(figures.talk)),
        ("titles picked out of mere mentions", len(figures.mentions) - len(figures.unnamed),
         len(figures.mentions)),
    ]  # fmt: skip
    lines = [f"| {name} | of | count | share |", "|---|---|---|---|"]
    lines += [f"| {what} | {of} | {n} | {n / of if of else 0:.1%} |" for what, n, of in rows]
    most = max((r.searches for r in figures.everything), default=0)
    slowest = max((r.seconds for r in figures.everything), default=0.0)
    lines.append(f"\nAt most {most} searches for a text; the slowest took {slowest * 1000:.0f} ms.")
    return "\n".join(lines)


def shown(figures: Figures, what: str) -> list[str]:
    """Return the sentences that went wrong in one way, with where they ended."""
    chosen = {
        "wrong": figures.wrong,
        "missed": figures.missed,
        "chat": figures.acted_on + figures.asked,
        "mention": figures.unnamed,
    }[what]
    return [
        f"{r.sentence.text!r} wants {r.sentence.titles} {r.sentence.years}"
        f"\n    read {r.named} added {_names(r.added)} offered {_names(r.offered)}"
        for r in chosen
    ]


def _names(films: Iterable[Film]) -> list[str]:
    return [f"{film.title} ({film.year})" for film in films]


# --- The command ---------------------------------------------------------------------------------


@dataclass
class ModelReader:
    """Reads as the product does: commands by rule, else the configured model, else the rules.

    A text is read once, however often it is asked for; who read it is counted.
    """

    by_model: int = 0
    by_rules: int = 0
    _known: dict[str, Understanding] = field(default_factory=dict)

    def __call__(self, text: str) -> Understanding:
        if text not in self._known:
            self._known[text] = rules.command(text) or self._ask(text)
        return self._known[text]

    def _ask(self, text: str) -> Understanding:
        try:
            reading, _ = understanding.ask_model([Turn(speaker="person", text=text)])
        except understanding.NoAnswer:
            self.by_rules += 1
            return rules.read(text)
        self.by_model += 1
        return reading

    def summary(self) -> str:
        """Return how many texts the model read: figures of a model that was away are the rules'."""
        asked = self.by_model + self.by_rules
        return f"The model read {self.by_model} of the {asked} texts that it was asked about."


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.understanding", description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA / "utterances-dev.jsonl")
    parser.add_argument("--films", type=Path, default=DATA / "films.tsv")
    parser.add_argument("--endpoint", help="an OpenAI-compatible server, ending in /v1")
    parser.add_argument("--model", default="gpt-5-mini")
    parser.add_argument("--key", default="none")
    parser.add_argument("--show", choices=["wrong", "missed", "chat", "mention"])
    return parser.parse_args()


def _configure(arguments: argparse.Namespace) -> None:
    configured: dict[str, Any] = {
        "OPENAI_API_KEY": arguments.key if arguments.endpoint else "",
        "OPENAI_BASE_URL": arguments.endpoint or "",
        "OPENAI_MODEL": arguments.model,
        "OPENAI_DEADLINE": 60.0,
        "OPENAI_RETRY_AFTER": 0.0,  # every text is worth asking about
        "OPENAI_MAX_TOKENS_FIELD": "max_completion_tokens",
    }
    settings.configure(**configured)
    # A server that is away is this run's own affair, which no dashboard is told of.
    understanding.breaker = Breaker("model")


def main() -> int:
    """Run the benchmark; return the exit code."""
    arguments = _arguments()
    for path in (arguments.data, arguments.films):
        if not path.is_file():
            sys.stderr.write(f"There is no {path}: name the file with --data or --films.\n")
            return 2
    _configure(arguments)
    model = ModelReader()
    reader = model if arguments.endpoint else rules.read
    sentences, films = sentences_of(arguments.data), films_of(arguments.films)
    worlds = {
        "only films of the catalogue": films,
        "a film for every title": films + invented(sentences, films),
    }
    for name, there in worlds.items():
        world = World(there, reader)
        figures = judged([world.end_of(sentence) for sentence in sentences], there)
        lines = [table(name, figures), *(shown(figures, arguments.show) if arguments.show else [])]
        sys.stdout.write("\n".join(lines) + "\n\n")
    if arguments.endpoint:
        sys.stdout.write(model.summary() + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
