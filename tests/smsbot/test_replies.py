"""The words: the design's texts, segments, the plain style, and titles of every shape."""

import re
from pathlib import Path
from typing import Any

import pytest
import smsutil
from hypothesis import example, given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

import smsbot
from smsbot.replies import fold, render, segments

FILM = "The Dark Knight (2008)"
TEMPLATES = sorted(
    path.stem
    for path in (Path(smsbot.__file__).parent / "templates" / "smsbot" / "sms").glob("*.txt")
)
DESIGNED = [
    (
        "added",
        "🎬 Great! I found 'The Dark Knight (2008)' and added it to your download queue. I'll send "
        "you updates as the download progresses!",
    ),
    (
        "started",
        "🎬 Great! I'm getting The Dark Knight (2008) ready for you. I'll text you when it's ready "
        "to watch!",
    ),
    ("completed", "🎉 The Dark Knight (2008) is ready to watch! Enjoy your movie!"),
    (
        "failed",
        "😔 Sorry, I couldn't get The Dark Knight (2008) ready for you. The copy is incomplete.",
    ),
]


def whole_context(title: str, films: int = 3) -> dict[str, Any]:
    """Everything that any template speaks of, with this title wherever there is one."""
    return {
        "film": title,
        "films": [title] * films,
        "title": title,
        "lines": [{"film": title, "words": "on its way, 40% done"}] * films,
        "summary": title,
        "text": title,
        "reason": "The copy that was found is locked with a password.",
        "date": "12 December 2026",
        "percent": 40,
        "phone": "+1…0142",
        "owner_is_told": True,
        "language": "English",
        "other_languages": ["español"],
        "name": title,
    }


# What a list may hold: a question offers four films, a person may wait for ten.
LISTS = {"ask": 4, "did_you_mean": 4, "choose_again": 4}
LISTS |= {"status": 10, "welcome_back": 10, "which_to_cancel": 10}


@pytest.mark.parametrize(("template", "text"), DESIGNED)
def test_the_designs_texts_word_for_word(template: str, text: str) -> None:
    assert render(template, film=FILM, reason="The copy is incomplete.") == text


@pytest.mark.parametrize(
    ("template", "words"),
    [
        ("not_found", ["couldn't find", '"Zorbatron"']),
        ("saved", ["saved your request", FILM, "as soon as it's back"]),
        ("holding", ["went wrong", "I'll try again"]),
    ],
)
def test_the_rest_of_the_designs_texts(template: str, words: list[str]) -> None:
    text = render(template, film=FILM, title="Zorbatron")
    for part in words:
        assert part in text


@pytest.mark.parametrize("template", TEMPLATES)
def test_no_system_words(template: str) -> None:
    text = render(template, **whole_context(FILM))
    words = "radarr|tmdb|twilio|openai|redis|api|http|error|exception|id|null|none"
    assert not re.search(rf"\b({words})\b", text, re.I)
    assert "{" not in text
    assert "  " not in text
    assert text == text.strip()


TITLES = {
    "usual": FILM,
    "endless": "x" * 500,
    "endless words": "The Very Long Film " * 26,
    "emoji": "🎬" * 500,
    "families": "👨‍👩‍👧‍👦" * 70,
    "accents": "Amélie à Zürich " * 31,
    "Chinese": "臥虎藏龍" * 125,
    "extension": "^{}[]~|€\\" * 55,
    "quotes": "“Curly” — ‘dashes’… " * 25,
}


@pytest.mark.parametrize("style", ["rich", "plain"])
@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_no_text_has_too_many_segments(settings: Settings, style: str, title: str) -> None:
    settings.SMS_STYLE = style
    most = {"rich": 3, "plain": 2}[style]
    cases = [(template, whole_context(title, 1)) for template in TEMPLATES]
    cases += [(template, whole_context(title[:120], films)) for template, films in LISTS.items()]
    texts = [render(template, **context) for template, context in cases]
    assert [text for text in texts if segments(text) > most] == []


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 1),
        ("x" * 160, 1),
        ("x" * 161, 2),
        ("x" * 306, 2),
        ("x" * 307, 3),
        ("🎬" + "x" * 68, 1),
        ("🎬" + "x" * 69, 2),
        ("é" * 160, 1),
        ("€" * 80, 1),
        ("€" * 81, 2),
        ("’" + "x" * 69, 1),
        ("’" + "x" * 70, 2),
    ],
)
def test_segments_are_what_a_carrier_bills(text: str, count: int) -> None:
    assert segments(text) == count


@pytest.mark.parametrize("style", ["rich", "plain"])
@pytest.mark.parametrize(("template", "text"), DESIGNED)
def test_titles_are_shortened_before_words(
    settings: Settings, style: str, template: str, text: str
) -> None:
    settings.SMS_STYLE = style
    reason = "The copy is incomplete."
    words = render(template, film="", reason=reason).split()
    shown = render(template, film="x" * 500, reason=reason)
    assert [word for word in re.sub("x+(…|[.]{3})", "", shown).split() if word] == words
    assert re.search("x{10}", shown)


@pytest.mark.parametrize("style", ["rich", "plain"])
def test_a_status_line_keeps_its_words(settings: Settings, style: str) -> None:
    settings.SMS_STYLE = style
    text = render("status", lines=[{"film": "x" * 600, "words": "on its way, 40% done"}])
    assert "on its way, 40% done" in text


@pytest.mark.parametrize("template", ["ask", "did_you_mean"])
def test_long_namesakes_can_still_be_told_apart(template: str) -> None:
    title = "The Assassination of Jesse James by the Coward Robert Ford " * 3
    text = render(template, films=[f"{title}(2007)", f"{title}(1962)"])
    assert "2007" in text
    assert "1962" in text


def test_what_the_owner_must_know_is_not_cut() -> None:
    summary = "Radarr refuses new films: " + "its root folder is gone, so " * 4 + "look at it now."
    assert summary in render("owner_incident", summary=summary)


@pytest.mark.parametrize("title", ["Fast & Furious", "<b>", 'It\'s "9" > 8', "{{ film }}", "%s %d"])
def test_nothing_is_escaped_or_read_as_markup(title: str) -> None:
    assert render("completed", film=title) == f"🎉 {title} is ready to watch! Enjoy your movie!"


# --- Plain: GSM-7 and nothing else ----------------------------------------------------------------


def is_gsm(text: str) -> bool:
    return all(smsutil.is_valid_gsm(character) for character in text)


@pytest.mark.parametrize("title", TITLES.values(), ids=TITLES)
def test_plain_texts_are_gsm(settings: Settings, title: str) -> None:
    settings.SMS_STYLE = "plain"
    for template in TEMPLATES:
        assert is_gsm(render(template, **whole_context(title, films=1)))


@pytest.mark.parametrize("template", [name for name, _ in DESIGNED])
def test_plain_texts_keep_their_words(settings: Settings, template: str) -> None:
    rich = render(template, film=FILM, reason="It is gone.")
    settings.SMS_STYLE = "plain"
    assert render(template, film=FILM, reason="It is gone.") == rich[1:].strip()


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("Amélie", "Amélie"),
        ("Čapek", "Capek"),
        ("“Dune” — it’s…", '"Dune" - it\'s...'),
        ("🎬 Dune", "Dune"),
        ("WALL·E", "WALLE"),
        ("50 €", "50 €"),
        ("½", "12"),
    ],
)
def test_folding(text: str, folded: str) -> None:
    assert fold(text) == folded


@given(st.text())
@example("臥虎藏龍 Crouching Tiger")
@example("ﬁlm ①②③ ℌ")
def test_whatever_is_folded_is_gsm(text: str) -> None:
    assert is_gsm(fold(text))
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize("text", ["`", "a\tb", "a\x00b", "\x7f", "\u1fef", "Tick`Tock"])
def test_ascii_that_is_no_gsm_is_folded_too(text: str) -> None:
    assert is_gsm(fold(text))
