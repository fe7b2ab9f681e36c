"""Texts and what they end in, without a model: read by the rules, then looked up on TMDB.

The sentences are our own. TMDB is the sandbox's, with a few films whose titles sound like talk.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from downloads.matching import How, Query, look_up
from downloads.tmdb import Film
from sandbox import catalogue
from sandbox.tmdb import PAGE_SIZE, film_result
from smsbot import finding, rules
from smsbot.rules import NEITHER, Offer
from smsbot.understanding import Title, Understanding

EXTRA = [
    # Title, original title, year, votes.
    ("Yes Man", "Yes Man", 2008, 9000),
    ("300", "300", 2007, 13000),
    ("Stop", "Stop", 2021, 3),
    ("Help", "Help", 2018, 10),
    ("Cancel", "Cancel", 2012, 2),
    ("Go", "Go", 1999, 700),
    ("Find Me Guilty", "Find Me Guilty", 2006, 600),
    ("Apocalypse Now", "Apocalypse Now", 1979, 8000),
    ("Last Night in Soho", "Last Night in Soho", 2021, 3000),
    ("Death on the Nile", "Death on the Nile", 2022, 4000),
    ("Roma", "Roma", 2018, 3900),
    ("Wonder Woman 1984", "Wonder Woman 1984", 2020, 8000),
    ("Wonder Woman", "Wonder Woman", 2017, 19000),
    ("The Day After Tomorrow", "The Day After Tomorrow", 2004, 7000),
    ("The Day After", "The Day After", 1983, 300),
    ("Green Book", "Green Book", 2018, 10000),
    ("It Follows", "It Follows", 2015, 7000),
    ("To Kill a Mockingbird", "To Kill a Mockingbird", 1962, 3500),
    ("Milk", "Milk", 2008, 1700),
    ("Hotel Transylvania", "Hotel Transylvania", 2012, 7000),
    ("The Hunger Games", "The Hunger Games", 2012, 21000),
    ("The Book Thief", "The Book Thief", 2013, 4000),
    ("Scary Movie", "Scary Movie", 2000, 7000),
    ("Tom and Jerry", "Tom and Jerry", 2021, 2000),
    ("What's for Dinner", "What's for Dinner", 2001, 0),
    ("I'm Home", "I'm Home", 2010, 1),
    ("Good Morning", "Good Morning", 1959, 250),
    ("On My Way", "On My Way", 2013, 60),
    ("Happy Birthday", "Happy Birthday", 2017, 12),
    ("Call Me by Your Name", "Call Me by Your Name", 2017, 11000),
    ("Don't Look Up", "Don't Look Up", 2021, 8000),
    ("Pizza", "Pizza", 2012, 60),
    ("Comedy", "Comedy", 1998, 0),
    ("You", "You", 2009, 3),
    ("Where Are You", "Where Are You", 2021, 9),
    ("Romeo + Juliet", "Romeo + Juliet", 1996, 5000),
    ("The Good, the Bad and the Ugly", "The Good, the Bad and the Ugly", 1966, 8000),
    ("Crouching Tiger, Hidden Dragon", "Crouching Tiger, Hidden Dragon", 2000, 3000),
    ("The Third Man", "The Third Man", 1949, 1700),
    ("The New Mutants", "The New Mutants", 2020, 2500),
    ("Kids", "Kids", 1995, 1100),
    ("Home", "Home", 2015, 3000),
    (
        "Mission: Impossible - Dead Reckoning Part One",
        "Mission: Impossible - Dead Reckoning Part One",
        2023,
        4000,
    ),
    ("Batman", "Batman", 1989, 7000),
    ("The Lives of Others", "Das Leben der Anderen", 2006, 3300),
]


def _extra() -> Iterator[catalogue.Film]:
    for number, (title, original, year, votes) in enumerate(EXTRA):
        day = date(year, 6, 1)
        yield catalogue.Film(
            8_000_000 + number, "", title, original, "en", day, votes, votes / 1000, ""
        )


CATALOGUE = catalogue.Catalogue([*catalogue.load(), *_extra()])


@dataclass(frozen=True)
class Resolution:
    matches: list[Film]
    sure: bool
    namesake: Film | None = None


class Tmdb:
    """Resolves titles as the downloads do, and counts what it is asked."""

    def __init__(self) -> None:
        self.asked: set[tuple[str, int | None]] = set()

    def resolve(self, title: str, year: int | None, how: How) -> Resolution:
        verdict = look_up(Query(title, year, how), self._search)
        return Resolution(verdict.films, verdict.sure)

    def _search(self, words: str, year: int | None) -> list[Film]:
        self.asked.add((words.casefold(), year))
        found = CATALOGUE.search(words, year)[:PAGE_SIZE]
        return [Film.model_validate(film_result(film)) for film in found]


def found_for(text: str, reading: Understanding | None = None) -> list[finding.Found[Film]]:
    reading = reading or rules.read(text)
    if reading.intent != "request":
        return []
    tmdb = Tmdb()
    readings = rules.readings_of(text, reading)
    found = finding.find(readings, tmdb.resolve)
    longest = max((len(one.wants) for one in readings), default=1)
    assert len(tmdb.asked) <= 1 + 3 * longest
    return found


def names(found: list[finding.Found[Film]], *, sure: bool) -> list[str]:
    return [f"{m.title} ({m.year})" for one in found if one.sure is sure for m in one.matches]


# --- Requests ------------------------------------------------------------------------------------

ADDED: list[tuple[str, list[str]]] = [
    ("can u get dune 2 and alien pls", ["Dune: Part Two (2024)", "Alien (1979)"]),
    ("dune 1984", ["Dune (1984)"]),
    ("the old dune please", ["Dune (1984)"]),
    ("Dune Part Two", ["Dune: Part Two (2024)"]),
    ("dune part 2", ["Dune: Part Two (2024)"]),
    ("Can you download The Godfather part 2?", ["The Godfather Part II (1974)"]),
    ("get godfather 2", ["The Godfather Part II (1974)"]),
    ("toy story 3 pls", ["Toy Story 3 (2010)"]),
    ("first matrix", ["The Matrix (1999)"]),
    ("the matrix 1", ["The Matrix (1999)"]),
    ("john wick 3", ["John Wick: Chapter 3 - Parabellum (2019)"]),
    ("terminator 2", ["Terminator 2: Judgment Day (1991)"]),
    ("Yes Man", ["Yes Man (2008)"]),
    ("yes man please", ["Yes Man (2008)"]),
    ("300", ["300 (2007)"]),
    ("1917", ["1917 (2019)"]),
    ("get Up", ["Up (2009)"]),
    ("Up", ["Up (2009)"]),
    ("It", ["It (2017)"]),
    ("Us", ["Us (2019)"]),
    ("Can you get Her?", ["Her (2013)"]),
    ("no country for old men", ["No Country for Old Men (2007)"]),
    ("The truman show", ["The Truman Show (1998)"]),
    ("Get Out", ["Get Out (2017)"]),
    ("get out", ["Get Out (2017)"]),
    ("get get out", ["Get Out (2017)"]),
    ("Catch me if you can", ["Catch Me If You Can (2002)"]),
    ("Could you find Catch Me If You Can please", ["Catch Me If You Can (2002)"]),
    ("find me guilty", ["Find Me Guilty (2006)"]),
    ("Find Me Guilty", ["Find Me Guilty (2006)"]),
    ("https://letterboxd.com/film/dune-2021/", ["Dune (2021)"]),
    ("Quiero ver Roma", ["Roma (2018)"]),
    ("puedes descargar Coco por favor", ["Coco (2017)"]),
    ("ich möchte das leben der anderen sehen", ["The Lives of Others (2006)"]),
    ("kannst du bitte Das Leben der Anderen herunterladen", ["The Lives of Others (2006)"]),
    ("je veux voir Le fabuleux destin d'Amélie Poulain", ["Amélie (2001)"]),
    ("get the shawshenk redemption", ["The Shawshank Redemption (1994)"]),
    ("can you get jurasic park", ["Jurassic Park (1993)"]),
    ("watch wonder woman 1984", ["Wonder Woman 1984 (2020)"]),
    ("apocalypse now", ["Apocalypse Now (1979)"]),
    ("get apocalypse now", ["Apocalypse Now (1979)"]),
    ("I want to watch last night in soho tonight", ["Last Night in Soho (2021)"]),
    ("the day after tomorrow", ["The Day After Tomorrow (2004)"]),
    ("get the day after tomorrow tomorrow please", ["The Day After Tomorrow (2004)"]),
    ("green book", ["Green Book (2018)"]),
    ("can i get hotel transylvania", ["Hotel Transylvania (2012)"]),
    ("the hunger games", ["The Hunger Games (2012)"]),
    ("find the book thief", ["The Book Thief (2013)"]),
    ("scary movie", ["Scary Movie (2000)"]),
    ("get scary movie", ["Scary Movie (2000)"]),
    ("get tom and jerry", ["Tom and Jerry (2021)"]),
    ("heat and alien", ["Heat (1995)", "Alien (1979)"]),
    ("Heat, Alien, Jaws and Up", ["Heat (1995)", "Alien (1979)", "Jaws (1975)", "Up (2009)"]),
    ("Heat\nAlien\nJaws", ["Heat (1995)", "Alien (1979)", "Jaws (1975)"]),
    ("The good the bad and the ugly", ["The Good, the Bad and the Ugly (1966)"]),
    ("crouching tiger, hidden dragon", ["Crouching Tiger, Hidden Dragon (2000)"]),
    ("the third man", ["The Third Man (1949)"]),
    ("the new mutants", ["The New Mutants (2020)"]),
    ("the original halloween", ["Halloween (1978)"]),
    ("halloween from 1978", ["Halloween (1978)"]),
    ("Halloween (2018)", ["Halloween (2018)"]),
    ("the 1978 halloween", ["Halloween (1978)"]),
    ("frozen 2", ["Frozen II (2019)"]),
    ("don't look up", ["Don't Look Up (2021)"]),
    ("I want to watch don't look up", ["Don't Look Up (2021)"]),
    ("fargo", ["Fargo (1996)"]),
    ("wall-e", ["WALL·E (2008)"]),
    ("walle", ["WALL·E (2008)"]),
    ("harry potter and the goblet of fire", ["Harry Potter and the Goblet of Fire (2005)"]),
    ("Alien 3", ["Alien³ (1992)"]),
    (
        "is there any chance you could get The Prestige for me and dad this weekend?",
        ["The Prestige (2006)"],
    ),
    ("Dad wants to see The Thing from 1982 not the new one", ["The Thing (1982)"]),
    ("do you have inception", ["Inception (2010)"]),
    ("Inception sounds good, can you get it?", ["Inception (2010)"]),
    ("add inception to the list", ["Inception (2010)"]),
    (
        "add Inception, Interstellar and The Prestige to my list",
        ["Inception (2010)", "Interstellar (2014)", "The Prestige (2006)"],
    ),
    ("hey can we get mad max fury road for movie night", ["Mad Max: Fury Road (2015)"]),
    ("Let's watch Coco tonight!", ["Coco (2017)"]),
    ("wicked", ["Wicked (2024)"]),
    ("WICKED", ["Wicked (2024)"]),
    ("CAN YOU GET INCEPTION", ["Inception (2010)"]),
    ('Can you get "Knives Out" for me', ["Knives Out (2019)"]),
    ("get 'Knives Out'", ["Knives Out (2019)"]),
    ("get “Heat” and “Alien”", ["Heat (1995)", "Alien (1979)"]),
    ("Please find the movie 'Her'", ["Her (2013)"]),
    ("download it (2017)", ["It (2017)"]),
    ("It 2017", ["It (2017)"]),
    ("it chapter 2", ["It Chapter Two (2019)"]),
    ("I'd like Heat please", ["Heat (1995)"]),
    ("12 angry men the old one", ["12 Angry Men (1957)"]),
    ("Twelve Angry Men 1957", ["12 Angry Men (1957)"]),
    ("the 1957 12 angry men", ["12 Angry Men (1957)"]),
    ("2001 a space odyssey", ["2001: A Space Odyssey (1968)"]),
    ("2001: A Space Odyssey please", ["2001: A Space Odyssey (1968)"]),
    ("blade runner 2049", ["Blade Runner 2049 (2017)"]),
    ("Blade Runner", ["Blade Runner (1982)"]),
    ("se7en", ["Se7en (1995)"]),
    ("spiderman no way home", ["Spider-Man: No Way Home (2021)"]),
    ("spider man", ["Spider-Man (2002)"]),
    ("Spider-Man: No Way Home", ["Spider-Man: No Way Home (2021)"]),
    ("Avengers endgame", ["Avengers: Endgame (2019)"]),
    ("The Avengers 2012", ["The Avengers (2012)"]),
    ("mission impossible", ["Mission: Impossible (1996)"]),
    ("monsters inc", ["Monsters, Inc. (2001)"]),
    ("Everything everywhere all at once", ["Everything Everywhere All at Once (2022)"]),
    ("Spirited away", ["Spirited Away (2001)"]),
    ("千と千尋の神隠し", ["Spirited Away (2001)"]),
    ("la vita è bella", ["Life Is Beautiful (1997)"]),
    ("cidade de deus", ["City of God (2002)"]),
    ("City of God (2002)", ["City of God (2002)"]),
    ("Oh and Jaws too", ["Jaws (1975)"]),
    ("also get jaws", ["Jaws (1975)"]),
    ("And Jaws", ["Jaws (1975)"]),
    ("what about Jaws", ["Jaws (1975)"]),
    ("how about Jaws instead", ["Jaws (1975)"]),
    ("no I meant Jaws", ["Jaws (1975)"]),
    ("thank you! can you also get Coco?", ["Coco (2017)"]),
    ("Thanks!! Inception next please :)", ["Inception (2010)"]),
    ("inception 🎬", ["Inception (2010)"]),
    ("Ok thanks. Also The Shining.", ["The Shining (1980)"]),
    ("i want to see the shining... the old one", ["The Shining (1980)"]),
    ("Parasite (Korean)", ["Parasite (2019)"]),
    ("parasite 2019", ["Parasite (2019)"]),
    ("Toy Story 1, 2 and 3", ["Toy Story (1995)", "Toy Story 2 (1999)", "Toy Story 3 (2010)"]),
    ("toy story 1 & 2", ["Toy Story (1995)", "Toy Story 2 (1999)"]),
    (
        "the dark knight rises, batman begins",
        ["The Dark Knight Rises (2012)", "Batman Begins (2005)"],
    ),
    (
        "get the dark knight & the dark knight rises",
        ["The Dark Knight (2008)", "The Dark Knight Rises (2012)"],
    ),
    ("Hey, it's Dad. Can you find Casablanca?", ["Casablanca (1942)"]),
    ("pls add coraline", ["Coraline (2009)"]),
    ("we want to see encanto with the kids", ["Encanto (2021)"]),
    ("could we possibly get Ratatouille for Saturday", ["Ratatouille (2007)"]),
    ("my daughter wants to watch Frozen II", ["Frozen II (2019)"]),
    ("I've been wanting to see Oppenheimer", ["Oppenheimer (2023)"]),
    ("thinking of watching Whiplash tonight", ["Whiplash (2014)"]),
    ("in the mood for Jaws", ["Jaws (1975)"]),
    ("download Jaws.", ["Jaws (1975)"]),
    ("search for Fight Club", ["Fight Club (1999)"]),
    ("do you have Pulp Fiction?", ["Pulp Fiction (1994)"]),
    ("got Parasite?", ["Parasite (2019)"]),
    ("get me the movie called Wonka", ["Wonka (2023)"]),
    ("There's a movie called Prometheus. Can you get it?", ["Prometheus (2012)"]),
    ("Shrek 2 looks fun. Can we get it?", ["Shrek 2 (2004)"]),
    ("The movie I want is Coco", ["Coco (2017)"]),
    ("put on Home Alone", ["Home Alone (1990)"]),
    ("how about Home Alone", ["Home Alone (1990)"]),
    ("The Avengers (1998)", ["The Avengers (1998)"]),
    ("Titanic from 1953", ["Titanic (1953)"]),
    ("the 2010 karate kid", ["The Karate Kid (2010)"]),
    ("Karate Kid 1984", ["The Karate Kid (1984)"]),
    ("A Quiet Place Part 2", ["A Quiet Place Part II (2021)"]),
    ("quiet place 2", ["A Quiet Place Part II (2021)"]),
    ("quiet place part ii", ["A Quiet Place Part II (2021)"]),
    ("guardians of the galaxy vol 2", ["Guardians of the Galaxy Vol. 2 (2017)"]),
    ("Guardians of the Galaxy 3", ["Guardians of the Galaxy Volume 3 (2023)"]),
    ("Home Alone, Die Hard & Jaws", ["Home Alone (1990)", "Die Hard (1988)", "Jaws (1975)"]),
    ("Die Hard and Home Alone", ["Die Hard (1988)", "Home Alone (1990)"]),
    ("Deadpool plus Deadpool 2", ["Deadpool (2016)", "Deadpool 2 (2018)"]),
    ("get me Shrek and also Shrek 2 please", ["Shrek (2001)", "Shrek 2 (2004)"]),
    ("Kill Bill Vol 1", ["Kill Bill: Vol. 1 (2003)"]),
    ("the emperors new groove", ["The Emperor's New Groove (2000)"]),
    ("Monsters Inc.", ["Monsters, Inc. (2001)"]),
    ("la la land", ["La La Land (2016)"]),
    ("LA LA LAND!!!", ["La La Land (2016)"]),
    ("Amelie", ["Amélie (2001)"]),
    ("amélie", ["Amélie (2001)"]),
    ("Le Fabuleux Destin d'Amélie Poulain", ["Amélie (2001)"]),
    ("Get Amelie in french", ["Amélie (2001)"]),
    ("can you get forest gump", ["Forrest Gump (1994)"]),
    ("Get Metropolis (1927), please", ["Metropolis (1927)"]),
    ("Blade", ["Blade (1998)"]),
    ("get blade (1998)", ["Blade (1998)"]),
    ("Suspiria, the original", ["Suspiria (1977)"]),
    ("the remake of suspiria", ["Suspiria (2018)"]),
    ("old scarface", ["Scarface (1932)"]),
    ("Nosferatu 2024", ["Nosferatu (2024)"]),
    ("X", ["X (2022)"]),
    ("get x", ["X (2022)"]),
    ("true grit 2010", ["True Grit (2010)"]),
    ("Little Women 2019", ["Little Women (2019)"]),
    ("The Lion King the new one", ["The Lion King (2019)"]),
    ("the original Ghostbusters", ["Ghostbusters (1984)"]),
    (
        "lion king (1994) and the jungle book (2016)",
        ["The Lion King (1994)", "The Jungle Book (2016)"],
    ),
    ("Spider-Man: Into the Spider-Verse", ["Spider-Man: Into the Spider-Verse (2018)"]),
    ("Batman Begins for the boys", ["Batman Begins (2005)"]),
    ("evil dead 2", ["Evil Dead II (1987)"]),
    ("return of the jedi", ["Return of the Jedi (1983)"]),
    ("empire strikes back", ["The Empire Strikes Back (1980)"]),
    ("terminator", ["The Terminator (1984)"]),
]

ASKED: list[tuple[str, list[str], list[str]]] = [
    ("get both Dune movies and Alien", ["Alien (1979)"], ["Dune (2021)", "Dune (1984)"]),
    ("Dune", [], ["Dune (2021)", "Dune (1984)"]),
    ("the new dune", [], ["Dune: Part Two (2024)", "Dune (2021)", "Dune (1984)"]),
    (
        "the third lord of the rings",
        [],
        [
            "The Lord of the Rings: The Return of the King (2003)",
            "The Lord of the Rings: The Fellowship of the Ring (2001)",
            "The Lord of the Rings: The Two Towers (2002)",
        ],
    ),
    (
        "lord of the rings 3",
        [],
        [
            "The Lord of the Rings: The Return of the King (2003)",
            "The Lord of the Rings: The Fellowship of the Ring (2001)",
            "The Lord of the Rings: The Two Towers (2002)",
        ],
    ),
    ("up", [], ["Up (2009)"]),
    ("Up?", [], ["Up (2009)"]),
    ("it", [], ["It (2017)"]),
    ("Home", [], ["Home (2015)"]),
    ("get It", [], ["It (2017)"]),
    ("her", [], ["Her (2013)"]),
    ("us", [], ["Us (2019)"]),
    ("the dark night", [], ["The Dark Knight (2008)"]),
    ("get romeo and juliet", [], ["Romeo + Juliet (1996)"]),
    (
        "the latest mission impossible",
        [],
        ["Mission: Impossible - Dead Reckoning Part One (2023)", "Mission: Impossible (1996)"],
    ),
    ("the new batman", [], ["The Batman (2022)", "Batman Begins (2005)", "Batman (1989)"]),
    ("frozen", [], ["Frozen (2013)", "Frozen (2010)"]),
    ("the first frozen", [], ["Frozen (2013)", "Frozen (2010)"]),
    (
        "harry potter",
        [],
        [
            "Harry Potter and the Philosopher's Stone (2001)",
            "Harry Potter and the Chamber of Secrets (2002)",
            "Harry Potter and the Half-Blood Prince (2009)",
            "Harry Potter and the Goblet of Fire (2005)",
        ],
    ),
    (
        "all the harry potter movies",
        [],
        [
            "Harry Potter and the Philosopher's Stone (2001)",
            "Harry Potter and the Chamber of Secrets (2002)",
            "Harry Potter and the Half-Blood Prince (2009)",
            "Harry Potter and the Goblet of Fire (2005)",
        ],
    ),
    (
        "the second harry potter",
        [],
        [
            "Harry Potter and the Chamber of Secrets (2002)",
            "Harry Potter and the Philosopher's Stone (2001)",
            "Harry Potter and the Prisoner of Azkaban (2004)",
            "Harry Potter and the Goblet of Fire (2005)",
        ],
    ),
    ("kill bill", [], ["Kill Bill: Vol. 1 (2003)"]),
    ("home", [], ["Home (2015)"]),
    ("the movie her", [], ["Her (2013)"]),
    ("the movie up", [], ["Up (2009)"]),
    ("movie: up", [], ["Up (2009)"]),
    ("get up", [], ["Up (2009)"]),
    ("12 angry men", [], ["12 Angry Men (1957)", "12 Angry Men (1997)"]),
    ("twelve angry men", [], ["12 Angry Men (1957)", "12 Angry Men (1997)"]),
    ("avengers", [], ["The Avengers (2012)", "The Avengers (1998)"]),
    (
        "Could you add The Thing (the John Carpenter one)?",
        [],
        ["The Thing (1982)", "The Thing (2011)"],
    ),
    ("Get the thing", [], ["The Thing (1982)", "The Thing (2011)"]),
    ("the godfather trilogy", [], ["The Godfather (1972)"]),
    ("wonka would be great", [], ["Wonka (2023)"]),
    ("glass onion", [], ["Glass Onion: A Knives Out Mystery (2022)"]),
    ("the grand budapest hotell", [], ["The Grand Budapest Hotel (2014)"]),
    ("forest gump", [], ["Forrest Gump (1994)"]),
    ("The Evil Dead", [], ["The Evil Dead (1981)", "Evil Dead (2013)"]),
    ("jurassic parc", [], ["Jurassic Park (1993)"]),
]


@pytest.mark.parametrize(("text", "added"), ADDED)
def test_a_film_is_added(text: str, added: list[str]) -> None:
    found = found_for(text)
    assert names(found, sure=True) == added
    assert names(found, sure=False) == []


@pytest.mark.parametrize(("text", "added", "offered"), ASKED)
def test_what_nothing_decides_is_asked(text: str, added: list[str], offered: list[str]) -> None:
    found = found_for(text)
    assert names(found, sure=True) == added
    assert names(found, sure=False) == offered


@pytest.mark.parametrize(
    "text", ["get zzyzx", "can you download Qwertzu Asdf?", "find the movie Flurb"]
)
def test_a_film_that_does_not_exist_is_said_so(text: str) -> None:
    (found,) = found_for(text)
    assert found.matches == []
    assert found.title.title.casefold() in text.casefold()


@pytest.mark.parametrize(
    "text",
    [
        "get stranger things season 2",
        "the tv show fargo",
        "get the series breaking bad",
        "get the first season of The Crown",
        "find the show Severance",
        "I want to watch Friends season 3",
        "episodes of the office",
        "can you add the tv series chernobyl",
        "https://www.themoviedb.org/tv/1396-breaking-bad",
    ],
)
def test_television_is_recognised_and_never_a_film(text: str) -> None:
    (found,) = found_for(text)
    assert found.title.media == "tv"
    assert found.matches == []


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("https://www.imdb.com/title/tt0468569/?ref_=ext_shr_lnk", ["imdb:tt0468569"]),
        ("The Dark Knight (2008) https://m.imdb.com/title/tt0468569/", ["imdb:tt0468569"]),
        ("can you get imdb.com/de/title/tt1375666 ?", ["imdb:tt1375666"]),
        ("tt0111161", ["imdb:tt0111161"]),
        ("https://www.themoviedb.org/movie/155-the-dark-knight", ["tmdb:155"]),
        (
            "https://themoviedb.org/movie/155 and https://www.imdb.com/title/tt1375666/",
            ["tmdb:155", "imdb:tt1375666"],
        ),
        ("https://letterboxd.com/film/the-truman-show/", ["the truman show"]),
        ("https://www.rottentomatoes.com/m/the_dark_knight", ["the dark knight"]),
    ],
)
def test_a_pasted_link_names_its_film(text: str, titles: list[str]) -> None:
    reading = rules.read(text)
    assert reading.intent == "request"
    assert [want.title.title for want in rules.readings(text)[0].wants] == titles


def test_the_words_of_a_link_may_hold_a_year() -> None:
    (reading,) = rules.readings("https://en.wikipedia.org/wiki/Dune_(2021_film)")
    assert reading.wants[0].title == Title(title="Dune", year=2021)


# --- Talk ----------------------------------------------------------------------------------------

TALK = [
    "Stop",
    "get it",
    "can you get it?",
    "where are you",
    "I want pizza tonight",
    "you",
    "get me the hunger games book",
    "a funny movie",
    "I want to watch a scary movie",
    "can you get the kids something to eat",
    "has anyone seen my keys",
    "we loved Coco!",
    "Dune was great!",
    "what a great movie",
    "what should we watch tonight",
    "help me",
    "whats that movie with the spinning top",
    "the one with the blue people",
    "any good movies?",
    "recommend me something",
    "is parasite any good?",
    "have you seen parasite?",
    "who directed parasite",
    "how long is titanic",
    "rate inception 5 stars",
    "play some music",
    "order pizza",
    "book a table for 4",
    "remind me to buy milk",
    "what's the weather",
    "what time is it",
    "go home",
    "let's go",
    "wake up",
    "get in touch with mom",
    "find my phone",
    "play with me",
    "I want to break free",
    "I want to go home",
    "want to see a movie?",
    "wanna watch a movie tonight?",
    "I like it",
    "I like Heat",
    "we need to talk",
    "need anything from the store?",
    "can you pick up the kids",
    "can you call me",
    "can you get me a coffee",
    "could you help me with homework",
    "watch this",
    "look at this https://youtu.be/abcdef",
    "look up",
    "don't forget dinner",
    "I forgot the title",
    "not that one",
    "wrong movie",
    "the second one",
    "2",
    "the korean movie parasite",
    "i loved shrek",
    "is jaws scary?",
    "Jaws is my favourite",
    "no more movies",
    "no movies tonight",
    "What is Fargo about?",
    "Find the song Let It Go from Frozen",
    "play the Frozen soundtrack",
    "find the book Jaws",
    "the video game Alien",
    "get the album Up by Peter Gabriel",
    "book a restaurant at 7",
    "Add this song to my party playlist",
    "what's the weather tomorrow",
    "can you get me some rest",
    "want to grab lunch?",
    "want to see you",
    "can't wait to see you",
    "I need you to call grandma",
    "did you get my message",
    "did you get it?",
    "I have a question",
    "can I have a minute",
    "let's talk tomorrow",
    "what are you doing tonight",
    "I'll be late",
    "running 10 minutes late",
    "you're the best",
    "the best",
    "sounds great thank you",
    "sorry wrong number",
    "movie night?",
    "what movies do you have",
    "show me a list of movies",
    "find me a good thriller",
    "any comedies?",
    "something with Tom Hanks",
    "a movie directed by Greta Gerwig",
    "I like horror movies",
    "hi mom",
    "good morning",
    "what's for dinner",
    "i'm home",
    "on my way",
    "happy birthday!!",
    "I love you",
    "thanks so much",
    "call me",
    "ok",
    "lol",
    "I'm hungry",
    "i'm bored",
    "are you there",
    "who is this",
    "see you at home",
    "https://www.netflix.com/title/80057281",
    "no",
    "yes",
    "thats the wrong one",
    "😀",
    "👍",
    "got it",
    "happy new year",
    "that was fun",
    "sounds good",
    "nice one",
    "love it",
    "lol ok",
    "see you tomorrow",
]


@pytest.mark.parametrize("text", TALK)
def test_talk_adds_and_offers_nothing(text: str) -> None:
    assert found_for(text) == []


# --- Commands ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "status", "Status?", "STATUS!", "where's my movie", "where are my movies?", "any news",
        "is my movie ready", "what's the status", "progress?", "status update please",
        "how long will it take",
    ],
)  # fmt: skip
def test_status_needs_no_model(text: str) -> None:
    reading = rules.command(text)
    assert reading is not None
    assert reading.intent == "status"


@pytest.mark.parametrize(
    "text",
    [
        "when will dune be ready?", "how's dune coming along", "where is dune",
        "is dune ready yet?",
        "when is Dune available?", "why isn't Dune here yet", "any news on Dune",
    ],
)  # fmt: skip
def test_the_status_of_a_film(text: str) -> None:
    assert rules.command(text) is None
    assert rules.read(text).intent == "status"


@pytest.mark.parametrize("text", ["?", "??", "commands", "Commands!", "what can you do?", "menu"])
def test_help(text: str) -> None:
    assert rules.command(text) == Understanding(intent="help")


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("never mind", []),
        ("Nevermind!", []),
        ("nvm", []),
        ("cancel it", []),
        ("cancel dune", ["dune"]),
        ("please cancel Jaws", ["Jaws"]),
        ("never mind Jaws", ["Jaws"]),
        ("nevermind the alien movie", ["alien"]),
        ("forget about Jaws", ["Jaws"]),
        ("i don't want dune anymore", ["dune"]),
        ("I don't want to watch Jaws", ["Jaws"]),
        ("don't get Jaws", ["Jaws"]),
    ],
)
def test_cancel(text: str, titles: list[str]) -> None:
    reading = rules.read(text)
    assert reading.intent == "cancel"
    assert [title.title for title in reading.titles] == titles


@pytest.mark.parametrize("text", ["Dune", "get status update", "", "  ", "!", "hello", "Yes Man"])
def test_what_is_no_command(text: str) -> None:
    assert rules.command(text) is None


@pytest.mark.parametrize(
    ("text", "is_bare"),
    [("Dune", True), ("no country for old men", True), ("get dune", False), ("hi mom", True)],
)
def test_a_bare_text_says_nothing_of_wanting(text: str, is_bare: bool) -> None:
    assert rules.is_bare(text) is is_bare


# --- Choosing ------------------------------------------------------------------------------------

DUNES = [Offer("Dune", 2021), Offer("Dune", 1984), Offer("Dune: Part Two", 2024)]


@pytest.mark.parametrize(
    ("text", "chosen"),
    [
        ("1", 1), ("2.", 2), ("#2", 2), ("(3)", 3), ("number two", 2), ("option 3 please", 3),
        ("the first one", 1), ("2nd", 2), ("the third", 3), ("third one thanks", 3), ("last", 3),
        ("the last one", 3), ("1984", 2), ("the 2021 one", 1), ("the one from 1984", 2),
        ("Dune 2021", 1), ("yes the 1984 version please", 2), ("the old one", 2), ("oldest", 2),
        ("the newest", 3), ("new one please", 3), ("the original", 2), ("dune part two", 3),
        ("Dune: Part Two!", 3), ("no", NEITHER), ("none of them", NEITHER), ("neither", NEITHER),
        ("No thanks", NEITHER), ("nope", NEITHER), ("I want the second one", 2),
        ("it's the 1st", 1), ("4", None), ("0", None), ("dune", None), ("yes", None),
        ("1999", None), ("get Alien", None),
        ("Alien 1984", None), ("what?", None), ("", None), ("300", None), ("¹", None), ("②", None),
        ("no country for old men", None),
    ],
)  # fmt: skip
def test_a_choice(text: str, chosen: int | None) -> None:
    assert rules.choice(text, DUNES) == chosen


@pytest.mark.parametrize("text", ["yes", "Yes please", "yep", "that's it", "👍", "ok", "1"])
def test_yes_takes_the_only_offer(text: str) -> None:
    assert rules.choice(text, [Offer("Coco", 2017)]) == 1


def test_a_choice_among_undated_films_is_not_by_age() -> None:
    assert rules.choice("the old one", [Offer("Solaris", None), Offer("Stalker", None)]) is None


# --- With a model --------------------------------------------------------------------------------


def test_a_models_titles_are_looked_up_as_they_are() -> None:
    by_model = Understanding(
        intent="request", titles=[Title(title="Dune", year=1984), Title(title="Alien")]
    )
    found = found_for("the sandworm one with sting, and the chestburster", by_model)
    assert names(found, sure=True) == ["Dune (1984)", "Alien (1979)"]


def test_a_short_text_is_a_title_before_a_models_title_is() -> None:
    by_model = Understanding(intent="request", titles=[Title(title="out")])
    assert names(found_for("get out", by_model), sure=True) == ["Get Out (2017)"]


def test_a_models_television_is_not_looked_up() -> None:
    show = Title(title="Fargo", media="tv")
    (found,) = found_for("the fargo series", Understanding(intent="request", titles=[show]))
    assert found == finding.Found(show, [], sure=False)


# --- Any text at all -----------------------------------------------------------------------------

HOSTILE = [
    "i want to ", "can you please really just actually ", "the movie ", "called ", "and ", ",",
    "a b, ", "get ", '"', "'a ", "for me and dad ", "tonight ", "tonight. ", "is great ", "1984 ",
    "(", "http://imdb.com/title/", "en.", "tt1234567 ", "wikipedia.org/wiki/", "x", "\n", "😀",
    "never mind ", "cancel ", "i don't want ", "where is ", "when will ", "thanks ", "no, ",
    "the new ", "both of the two ", "don't not ", "with subtitles ", "two tickets to see ", "? ",
    "it now with ", "sounds good. ", "looks really very so ", "season ", "Mr. ", "...", "- ",
]  # fmt: skip


@pytest.mark.parametrize("unit", HOSTILE)
@pytest.mark.parametrize("start", ["", "get ", "can you get "])
def test_a_hostile_text_is_read_quickly(start: str, unit: str) -> None:
    text = (start + unit * 1600)[:1599] + "!"

    def seconds() -> float:
        before = process_time()
        rules.read(text)
        rules.choice(text, DUNES)
        return process_time() - before

    assert min(seconds() for _ in range(3)) < 0.05


@given(st.text(max_size=1600))
@settings(max_examples=150, deadline=None)
def test_any_text_is_read(text: str) -> None:
    reading = rules.read(text)
    rules.is_bare(text)
    rules.choice(text, DUNES)
    assert (reading.intent == "request") == bool(reading.titles and reading.intent != "cancel")
    for one in rules.readings(text):
        assert one.wants


WORDS = st.sampled_from(
    [*" ".join(HOSTILE).split(), "Dune", "2", "Alien", "please", "movie", "not"]
)


@given(st.lists(WORDS, max_size=40).map(" ".join))
@settings(max_examples=60, deadline=None)
def test_any_words_stay_within_their_searches(text: str) -> None:
    found_for(text)
