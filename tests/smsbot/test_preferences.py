"""What a person may choose by text: language, style, which news, and how they are called."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from smsbot.models import Contact, OutboundMessage
from smsbot.preferences import MUTABLE
from smsbot.replies import segments
from tests.conftest import Household
from tests.fakes import FakeRadarr, FakeTmdb

SAM = "+12025550142"

SETTINGS = """\
⚙️ Your settings
Language: English (text "español")
Style: with emoji (text "plain texts")
My texts: all (text "only when ready")
Name: not known yet (text "name: …")"""
CHANGED = """\
Tus ajustes
Idioma: español (escribe "English")
Estilo: sin emojis (escribe "con emojis")
Mis mensajes: solo cuando esté lista (escribe "todos los mensajes")
Nombre: Sam (escribe "nombre: ...")"""


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.mark.parametrize(
    "text", ["settings", "Settings", "my settings", "Settings please", "show my preferences"]
)
def test_the_settings_are_shown(household: Household, text: str) -> None:
    assert household.text(SAM, text) == [SETTINGS]


def test_the_settings_show_what_was_changed(household: Household) -> None:
    for text in ("name: Sam", "plain texts", "only when ready", "español"):
        household.text(SAM, text)
    (shown,) = household.text(SAM, "ajustes")
    assert shown.translate(str.maketrans("é", "e")) == CHANGED.translate(str.maketrans("é", "e"))
    assert segments(shown) <= 2


CHANGES = [
    ("plain texts", "style", "plain"),
    ("no emoji", "style", "plain"),
    ("sin emojis", "style", "plain"),
    ("emoji", "style", "rich"),
    ("With emojis please", "style", "rich"),
    ("con emojis", "style", "rich"),
    ("Spanish", "language", "es"),
    ("in Spanish please", "language", "es"),
    ("español", "language", "es"),
    ("en español por favor", "language", "es"),
    ("English", "language", "en"),
    ("inglés", "language", "en"),
    ("only when ready", "muted", list(MUTABLE)),
    ("Only when it's ready.", "muted", list(MUTABLE)),
    ("solo cuando esté lista", "muted", list(MUTABLE)),
    ("all texts", "muted", []),
    ("todos los mensajes", "muted", []),
    ("name: Sam", "name", "Sam"),
    ("Nombre: Ana María", "name", "Ana María"),
]


@pytest.mark.parametrize(("text", "field", "value"), CHANGES)
def test_a_change_holds_and_is_answered(
    household: Household, text: str, field: str, value: object
) -> None:
    (answer,) = household.text(SAM, text)
    assert getattr(Contact.objects.get(), field) == value
    assert answer.strip()
    template = OutboundMessage.objects.get().template
    assert template in ("now_style", "now_language", "now_texts", "nice_to_meet_you")


@pytest.mark.parametrize(
    ("there", "back", "field"),
    [
        ("plain texts", "emoji", "style"),
        ("Spanish", "English", "language"),
        ("only when ready", "all texts", "muted"),
    ],
)
def test_the_opposite_undoes_it(household: Household, there: str, back: str, field: str) -> None:
    household.text(SAM, back)
    before = getattr(Contact.objects.get(), field)
    household.text(SAM, there)
    assert getattr(Contact.objects.get(), field) != before
    household.text(SAM, back)
    assert getattr(Contact.objects.get(), field) == before


def test_each_change_is_answered_in_the_way_that_now_holds(household: Household) -> None:
    assert household.text(SAM, "plain texts") == [
        'From now on my texts are plain, without emoji. Text "emoji" to have them back.'
    ]
    assert household.text(SAM, "español") == ["De ahora en adelante te escribo en español."]
    assert household.text(SAM, "con emojis")[0].startswith("👍 De ahora en adelante")
    assert household.text(SAM, "English") == ["👍 From now on I'll text you in English."]


@pytest.mark.parametrize(
    "text",
    ["Plain Clothes", "get Plain Clothes", "The Emoji Movie", "Spanglish",
     "get The English Teacher", "The Name of the Rose", "Call Me by Your Name"],
)  # fmt: skip
def test_a_title_that_looks_like_a_preference_is_a_title(
    household: Household, tmdb: FakeTmdb, radarr: FakeRadarr, text: str
) -> None:
    title = text.removeprefix("get ")
    tmdb.add(7, title, "2015-01-01", vote_count=5000)
    (answer,) = household.text(SAM, text)
    assert f"{title} (2015)" in answer  # found, or asked about


def test_a_stranger_has_no_settings(household: Household, settings: Settings) -> None:
    settings.REQUEST_POLICY = "allowlist"
    (answer,) = household.text(SAM, "settings")
    assert answer.startswith("👋 Hi! This number")
    assert household.text(SAM, "plain texts") == []
    assert Contact.objects.get().style == ""


# --- Only when ready ------------------------------------------------------------------------------


def test_muted_news_is_not_sent_and_the_end_is(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "only when ready")
    household.text(SAM, "get Inception")
    radarr.grab(27205, timezone.now())
    household.tick(minutes=3)
    assert "ready for you" not in household.texts_to(SAM)[-1]
    muted = OutboundMessage.objects.get(template="started")
    assert (muted.status, muted.failure) == ("suppressed", "the person does not want such texts")
    radarr.finish(27205, timezone.now())
    household.tick(minutes=3)
    assert household.texts_to(SAM)[-1] == "🎉 Inception (2010) is ready to watch! Enjoy your movie!"


def test_nothing_found_is_muted_and_told_to_who_wants_it(household: Household) -> None:
    other = "+12025550143"
    household.text(SAM, "only when ready")
    for address in (SAM, other):
        household.text(address, "get Inception")
    for _ in range(3):
        household.tick(hours=4)
    assert household.texts_to(other)[-1].startswith("🔎 I'm still looking for Inception")
    assert not any("still looking" in text for text in household.texts_to(SAM))


def test_failures_and_answers_cannot_be_muted(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "hello")
    every = ["started", "waiting", "nothing_found", "stuck", "completed", "failed", "cancelled"]
    Contact.objects.update(muted=every)
    assert household.text(SAM, "get Inception") != []
    radarr.grab(27205, timezone.now())
    household.tick(minutes=3)
    radarr.fail(27205, timezone.now())
    for _ in range(3):
        household.tick(minutes=10)
    assert household.texts_to(SAM)[-1].startswith("😔 Sorry, I couldn't get Inception")


def test_muted_news_is_not_told_later(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "only when ready")
    household.text(SAM, "get Inception")
    radarr.grab(27205, timezone.now())
    household.tick(minutes=3)
    household.text(SAM, "all texts")
    before = household.texts_to(SAM)
    household.clock.shift(timedelta(minutes=5))
    household.tick(minutes=3)
    assert household.texts_to(SAM) == before


# --- In the admin ---------------------------------------------------------------------------------


def test_the_owner_edits_a_persons_preferences(household: Household, admin_client: Client) -> None:
    household.text(SAM, "hello")
    contact = Contact.objects.get()
    page = reverse("admin:smsbot_contact_change", args=[contact.pk])
    shown = admin_client.get(page).content.decode()
    for words in ("español", "with emoji", "The download has begun"):
        assert words in shown
    form = {"name": "Sam", "language": "es", "style": "plain", "muted": ["started", "stuck"]}
    assert admin_client.post(page, form).status_code == 302
    contact.refresh_from_db()
    assert (contact.name, contact.language, contact.style) == ("Sam", "es", "plain")
    assert contact.muted == ["started", "stuck"]
    assert household.text(SAM, "thanks")[0] == "¡De nada!"


def test_saving_the_page_keeps_what_the_person_changed_meanwhile(
    household: Household, admin_client: Client
) -> None:
    household.text(SAM, "hello")
    contact = Contact.objects.get()
    page = reverse("admin:smsbot_contact_change", args=[contact.pk])
    # Opened before the text, saved after it, with the name alone changed.
    form = {"name": "Sam", "language": "", "style": "", "muted": []}
    household.text(SAM, "STOP")
    admin_client.post(page, form)
    contact.refresh_from_db()
    assert contact.opted_out_at is not None
    assert contact.name == "Sam"
