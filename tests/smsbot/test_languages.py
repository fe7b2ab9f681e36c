"""The languages: each is complete, told apart, and spoken to whoever writes or has chosen it."""

import re
from collections.abc import Sequence
from datetime import date

import pytest
from django.utils import timezone, translation
from pytest_django import Settings

from smsbot import inbound, language, reasons
from smsbot.models import Contact
from smsbot.replies import readable_date, render, segments
from tests import messages
from tests.conftest import Household
from tests.fakes import FakeRadarr, FakeTmdb
from tests.smsbot.test_replies import FILM, LISTS, TEMPLATES, TITLES, whole_context

SAM = "+12025550142"
OTHERS = messages.languages()
SAME_IN_SPANISH = {"owner_incident"}  # the summary alone

ENGLISH_ADDED = "🎬 Great! I found 'Inception (2010)'"
SPANISH_ADDED = "🎬 ¡Genial! Encontré 'Inception (2010)'"


# --- Each language is complete --------------------------------------------------------------------


def placeholders(text: str) -> list[str]:
    """Return what a text leaves open: `%(film)s`."""
    return sorted(re.findall(r"%\((\w+)\)", text.replace("%%", "")))


def _each(text: str | Sequence[str] | None) -> list[str]:
    """Return the forms of a message: one, or one for each number."""
    return [text] if isinstance(text, str) else list(text or [""])


@pytest.mark.parametrize("code", OTHERS)
def test_no_text_is_missing(code: str) -> None:
    wanted = {(message.context, message.id) for message in messages.gathered() if message.id}
    catalog = messages.read(code)
    held = {(message.context, message.id): message for message in catalog if message.id}
    assert set(held) == wanted, "run script/messages"
    assert [m.id for m in held.values() if not all(_each(m.string))] == []
    assert [message.id for message in held.values() if message.fuzzy] == []


@pytest.mark.parametrize("code", OTHERS)
def test_a_translation_leaves_the_same_places_open(code: str) -> None:
    for message in messages.read(code):
        if message.id and message.python_format:
            ids, strings = _each(message.id), _each(message.string)
            assert [placeholders(string) for string in strings] == [placeholders(i) for i in ids]


@pytest.mark.parametrize("code", OTHERS)
def test_the_compiled_file_is_that_of_the_texts(code: str) -> None:
    catalog = messages.read(code)
    held = messages.path_of(code).with_suffix(".mo").read_bytes()
    assert held == messages.compiled(catalog), "run script/messages"


@pytest.mark.parametrize("code", OTHERS)
def test_no_other_apps_words_get_before_ours(code: str) -> None:
    """Django has one catalogue for all apps: the same English may be somebody else's too."""
    with translation.override(code):
        for message in messages.read(code):
            if message.id and not message.context:
                assert translation.gettext(_each(message.id)[0]) == _each(message.string)[0]


@pytest.mark.parametrize("code", language.languages())
def test_a_language_has_a_name_and_words_of_its_own(code: str) -> None:
    assert language.named(language.name_of(code)) == code
    assert language.named(code) != code or code == language.name_of(code)


# --- Every text in every language -----------------------------------------------------------------


@pytest.mark.parametrize("template", [name for name in TEMPLATES if name not in SAME_IN_SPANISH])
def test_no_two_languages_have_the_same_text(template: str) -> None:
    texts = set()
    for code in language.languages():
        with translation.override(code):
            texts.add(render(template, **whole_context(FILM), added=[FILM], stopped=[FILM]))
    assert len(texts) == len(language.languages())


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("style", ["rich", "plain"])
@pytest.mark.parametrize("title", ["usual", "endless words", "emoji", "accents"])
def test_no_text_has_too_many_segments(
    settings: Settings, code: str, style: str, title: str
) -> None:
    settings.SMS_STYLE = style
    most = {"rich": 3, "plain": 2}[style]
    film = TITLES[title]
    cases = [(template, whole_context(film, 1)) for template in TEMPLATES]
    cases += [(template, whole_context(film[:120], films)) for template, films in LISTS.items()]
    with translation.override(code):
        texts = [render(template, **context) for template, context in cases]
    assert [text for text in texts if segments(text) > most] == []


@pytest.mark.parametrize("code", OTHERS)
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_text_names_what_it_is_about(code: str, template: str) -> None:
    context = whole_context(FILM)
    english = render(template, **context)
    with translation.override(code):
        other = render(template, **context)
    for value in (FILM, "+1…0142", "40%"):
        assert (value in english) is (value in other)


@pytest.mark.parametrize("reason", ["excluded", "removed", "disk full", "par2", "whatever"])
def test_reasons_are_told_in_the_persons_language(reason: str) -> None:
    english = reasons.in_plain_words(reason)
    with translation.override("es"):
        assert reasons.in_plain_words(reason) != english


def test_dates() -> None:
    day = date(2026, 12, 12)
    assert readable_date(day) == "12 December 2026"
    with translation.override("es"):
        assert readable_date(day) == "12 de diciembre de 2026"


# --- What a text is written in --------------------------------------------------------------------

WRITTEN = [
    ("quiero ver Coco", "es"),
    ("¿me consigues The Lord of the Rings?", "es"),
    ("donde esta mi pelicula", "es"),
    ("gracias", "es"),
    ("olvídalo", "es"),
    ("la primera", "es"),
    ("hola", "es"),
    ("pon Dune por favor", "es"),
    ("can you get Dune?", "en"),
    ("I want to watch The Matrix tonight", "en"),
    ("thanks!", "en"),
    ("where's my movie", "en"),
    ("never mind", "en"),
    ("the first one", "en"),
    ("Coco", ""),
    ("Amélie", ""),
    ("2", ""),
    ("ok", ""),
    ("no", ""),
    ("Dune 1984", ""),
    ("La La Land", ""),
    ("El Camino", ""),
    ("The Matrix", ""),
    ("status", ""),
    ("👍", ""),
    ("", ""),
]


@pytest.mark.parametrize(("text", "code"), WRITTEN)
def test_what_a_text_is_written_in(text: str, code: str) -> None:
    assert language.recognise(text) == code


@pytest.mark.parametrize(
    ("text", "titles", "by_model", "code"),
    [
        ("can you get Quiero ver por favor", ["Quiero ver por favor"], "", "en"),
        ("can you get La vida es bella", ["La vida es bella"], "es", "en"),
        ("mostrame Coco che", ["Coco"], "es", "es"),
        ("mostrame Coco che", ["Coco"], "", ""),
        ("get La casa de las flores", ["La casa de las flores"], "es", "en"),
        ("Gracias a Dios", ["Gracias a Dios"], "", ""),
        ("Gracias a Dios", ["Gracias a Dios"], "es", ""),
        ("Amélie", ["Amélie"], "fr", ""),
        ("je veux voir Amélie", ["Amélie"], "fr", ""),
        ("quiero ver Where Are You", ["Where Are You"], "es-MX", "es"),
        ("quiero ver Where Are You", ["Where Are You"], "", "es"),
    ],
)
def test_a_title_is_written_in_no_language(
    text: str, titles: list[str], by_model: str, code: str
) -> None:
    assert language.of_reading(text, titles, by_model) == code


# --- Who is spoken to in which --------------------------------------------------------------------


def test_each_is_answered_as_they_write(household: Household) -> None:
    (english,) = household.text(SAM, "can you get Inception?")
    (spanish,) = household.text("+12025550143", "¿me consigues Inception?")
    assert english.startswith(ENGLISH_ADDED)
    assert spanish.startswith("👍 Inception (2010) ya viene en camino")


def test_what_tells_no_language_keeps_the_last(household: Household, tmdb: FakeTmdb) -> None:
    household.text(SAM, "hola")
    (answer,) = household.text(SAM, "Inception")
    assert answer.startswith(SPANISH_ADDED)
    (answer,) = household.text(SAM, "thanks a lot!")
    assert answer == "👍 You're welcome!"
    assert Contact.objects.get().heard_language == "en"


def test_a_spanish_title_in_an_english_sentence_stays_english(
    household: Household, tmdb: FakeTmdb
) -> None:
    tmdb.add(1, "La Vida Es Bella", "1997-12-20", vote_count=500)
    (answer,) = household.text(SAM, "can you get La Vida Es Bella")
    assert answer.startswith("🎬 Great!")
    (answer,) = household.text("+12025550143", "La Vida Es Bella")
    assert answer.startswith("👍 La Vida Es Bella (1997) is already on its way")


def test_what_a_person_chose_holds_whatever_they_write(household: Household) -> None:
    household.text(SAM, "Spanish")
    (answer,) = household.text(SAM, "can you get Inception?")
    assert answer.startswith(SPANISH_ADDED)


def test_the_setting_is_for_who_has_not_chosen(household: Household, settings: Settings) -> None:
    settings.SMS_LANGUAGE = "es"
    (answer,) = household.text(SAM, "can you get Inception?")
    assert answer.startswith(SPANISH_ADDED)
    household.text(SAM, "English")
    (answer,) = household.text(SAM, "Inception")
    assert answer.startswith("👍 Inception (2010) is already on its way")
    settings.SMS_LANGUAGE = "en"
    (answer,) = household.text("+12025550143", "quiero ver Inception")
    assert answer.startswith("👍 Inception (2010) is already on its way")


def test_a_stranger_too_is_answered_as_they_write(household: Household, settings: Settings) -> None:
    settings.REQUEST_POLICY = "allowlist"
    (answer,) = household.text(SAM, "hola, quiero ver Coco")
    assert answer.startswith("👋 ¡Hola! Este número")


def test_news_comes_in_the_persons_language(household: Household, radarr: FakeRadarr) -> None:
    other = "+12025550143"
    household.text(SAM, "¿me consigues Inception?")
    household.text(other, "can you get Inception?")
    radarr.grab(27205, timezone.now())
    household.tick(minutes=3)
    assert household.texts_to(SAM)[-1].startswith("🎬 ¡Genial! Ya estoy preparando Inception")
    assert household.texts_to(other)[-1].startswith("🎬 Great! I'm getting Inception")


def test_a_fault_is_told_in_the_language_of_the_text(household: Household, tmdb: FakeTmdb) -> None:
    tmdb.fail_with(ConnectionError("down"))
    assert household.text(SAM, "quiero ver Inception") == [
        "⏳ Algo salió mal al buscarla. ¡Lo intento de nuevo y te escribo en un ratito!"
    ]


def test_an_opt_out_word_that_twilio_knows_in_spanish_opts_out(household: Household) -> None:
    assert household.text(SAM, "ALTO", OptOutType="STOP") == []
    assert Contact.objects.get().opted_out_at is not None
    household.text(SAM, "quiero ver Inception")
    assert household.texts_to(SAM) == []
    (back,) = household.text(SAM, "COMENZAR", OptOutType="START")
    assert back.startswith("👋")
    assert household.text(SAM, "INFO", OptOutType="HELP") == []


@pytest.mark.parametrize("word", ["ayuda", "estado", "olvida", "ajustes", "ninguna", "sí", "busca"])
def test_no_spanish_word_of_ours_is_one_that_twilio_takes(word: str) -> None:
    assert word not in inbound.STOP_WORDS | inbound.START_WORDS | {"yes", "help", "info"}
