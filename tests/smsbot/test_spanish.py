"""Spanish without a model: what people write, what they get, and in which language."""

import pytest
from django.utils import timezone

from smsbot import complaints
from smsbot.models import Contact, OutboundMessage
from tests.conftest import Household
from tests.fakes import FakeRadarr, FakeTmdb

SAM = "+12025550142"


@pytest.fixture(autouse=True)
def _films(tmdb: FakeTmdb) -> None:
    tmdb.add(354912, "Coco", "2017-10-27", vote_count=20000)
    tmdb.add(693134, "Dune: Part Two", "2024-02-27", vote_count=6000)
    tmdb.add(238, "The Godfather", "1972-03-14", vote_count=20000, elsewhere="El padrino")
    fauno = "El laberinto del fauno"
    tmdb.add(1417, "Pan's Labyrinth", "2006-10-10", elsewhere=fauno, original_title=fauno)
    tmdb.add(426426, "Roma", "2018-08-25", vote_count=4000)
    tmdb.add(219, "Volver", "2006-03-17", vote_count=1500)


REQUESTS = [
    ("quiero ver Coco", "Coco"),
    ("Quiero ver la película Coco por favor", "Coco"),
    ("quisiera ver Roma", "Roma"),
    ("hola, quiero ver Coco con los niños", "Coco"),
    ("¿me consigues Coco?", "Coco"),
    ("me puedes conseguir Coco para esta noche?", "Coco"),
    ("¿Puedes bajar The Matrix?", "The Matrix"),
    ("puedes descargar la peli Coco porfa", "Coco"),
    ("podrías poner Inception", "Inception"),
    ("pon Coco", "Coco"),
    ("ponme Coco", "Coco"),
    ("ponnos Coco", "Coco"),
    ("busca Coco", "Coco"),
    ("Búscame Coco, gracias", "Coco"),
    ("consígueme Inception", "Inception"),
    ("bájame The Dark Knight", "The Dark Knight"),
    ("descarga Coco en español", "Coco"),
    ("agrega Coco", "Coco"),
    ("necesito ver Coco mañana", "Coco"),
    ("Tengo ganas de ver Coco", "Coco"),
    ("nos gustaría ver Coco el viernes", "Coco"),
    ("¿tienes Coco?", "Coco"),
    ("Buenas tardes! me bajas Coco si puedes?", "Coco"),
    ("quiero ver Volver", "Volver"),
    ("quiero ver Dune de 1984", "Dune (1984)"),
    ("consígueme Dune del 2021", "Dune (2021)"),
    ("quiero la vieja de Dune", "Dune (1984)"),
    ("pon Coco y Inception", "Inception"),
    ("Quiero ver El laberinto del fauno", "Pan's Labyrinth"),
]


@pytest.mark.parametrize(("text", "film"), REQUESTS)
def test_a_request(household: Household, radarr: FakeRadarr, text: str, film: str) -> None:
    (answer,) = household.text(SAM, text)
    assert film in answer
    assert "ncontré" in answer  # Encontré, or "Encontré y agregué"
    assert radarr.adds >= 1


ASKED = [
    ("quiero ver Dune", ["Dune (2021)", "Dune (1984)"]),
    ("consígueme las dos de Dune", ["Dune (2021)", "Dune (1984)"]),
    ("¿me consigues El Padrino?", ["The Godfather (1972)"]),
    ("la nueva de Dune", ["Dune: Part Two (2024)"]),
]


@pytest.mark.parametrize(("text", "films"), ASKED)
def test_a_question(household: Household, radarr: FakeRadarr, text: str, films: list[str]) -> None:
    (answer,) = household.text(SAM, text)
    assert all(film in answer for film in films)
    assert radarr.adds == 0


CHOICES = [
    ("la primera", "2021"),
    ("la segunda", "1984"),
    ("la 2", "1984"),
    ("el dos por favor", "1984"),
    ("la última", "1984"),
    ("la vieja", "1984"),
    ("la más antigua", "1984"),
    ("la nueva", "2021"),
    ("quiero la nueva porfa", "2021"),
    ("la de 1984", "1984"),
    ("la del 2021, gracias", "2021"),
    ("la versión de 1984", "1984"),
]


@pytest.mark.parametrize(("text", "year"), CHOICES)
def test_a_choice(household: Household, tmdb: FakeTmdb, text: str, year: str) -> None:
    tmdb.films = [film for film in tmdb.films if film["title"] == "Dune"]
    household.text(SAM, "quiero ver Dune")
    (answer,) = household.text(SAM, text)
    assert f"Dune ({year})" in answer
    assert "Encontré" in answer


@pytest.mark.parametrize("text", ["ninguna", "No, ninguna de esas", "ninguna de las dos"])
def test_neither(household: Household, radarr: FakeRadarr, text: str) -> None:
    household.text(SAM, "quiero ver Dune")
    assert household.text(SAM, text) == ["👌 ¡Listo, no pasa nada!"]
    assert radarr.adds == 0


@pytest.mark.parametrize("text", ["sí", "Si por favor", "esa", "claro"])
def test_yes_to_the_only_one(household: Household, text: str) -> None:
    household.text(SAM, "quiero ver El Padrino")
    (answer,) = household.text(SAM, text)
    assert "Encontré 'The Godfather (1972)'" in answer


COMMANDS = [
    ("ayuda", "help"),
    ("¿Qué puedes hacer?", "help"),
    ("estado", "status_empty"),
    ("¿dónde está mi película?", "status_empty"),
    ("donde esta mi peli", "status_empty"),
    ("¿ya está mi película?", "status_empty"),
    ("¿Cuánto falta?", "status_empty"),
    ("olvídalo", "nothing_to_cancel"),
    ("No importa", "nothing_to_cancel"),
    ("cancela Dune", "nothing_to_cancel"),
    ("ya no quiero ver Dune", "nothing_to_cancel"),
    ("no quiero ver Dune", "nothing_to_cancel"),
    ("olvida Dune", "nothing_to_cancel"),
]


@pytest.mark.parametrize(("text", "template"), COMMANDS)
def test_a_command(household: Household, text: str, template: str) -> None:
    household.text(SAM, text)
    assert OutboundMessage.objects.get().template == template


@pytest.mark.parametrize(
    "text",
    ["hola", "Muchas gracias!", "buenas noches", "¿Cómo estás?", "jajaja", "te quiero mucho",
     "qué bien, gracias", "voy en camino", "perfecto, gracias", "no gracias"],
)  # fmt: skip
def test_talk(household: Household, radarr: FakeRadarr, text: str) -> None:
    household.text(SAM, text)
    assert OutboundMessage.objects.get().template == "chat"
    assert radarr.adds == 0


def test_never_mind_leaves_the_request(household: Household) -> None:
    household.text(SAM, "quiero ver Coco")
    assert household.text(SAM, "olvida Coco") == [
        "👌 Listo, Coco (2017) ya no está en la lista. Nadie más la esperaba, así que dejé de "
        "buscarla."
    ]


def test_the_news_comes_in_spanish_too(household: Household, radarr: FakeRadarr) -> None:
    household.text(SAM, "quiero ver Coco")
    radarr.grab(354912, timezone.now())
    household.tick(minutes=3)
    radarr.finish(354912, timezone.now())
    household.tick(minutes=3)
    assert household.texts_to(SAM)[-1] == "🎉 ¡Coco (2017) está lista para ver! ¡Que la disfrutes!"
    assert Contact.objects.get().heard_language == "es"


@pytest.mark.parametrize(
    ("text", "kind", "title"),
    [
        ("Dune sin sonido", "broken", "Dune"),
        ("la película no tiene sonido", "broken", ""),
        ("no tiene audio", "broken", ""),
        ("no se oye nada en Coco", "broken", "Coco"),
        ("Coco está dañada", "broken", "Coco"),
        ("los subtítulos de Coco están mal", "broken", "Coco"),
        ("es otra película", "wrong_film", ""),
        ("¡la película equivocada!", "wrong_film", ""),
    ],
)
def test_a_complaint_is_no_request(text: str, kind: str, title: str) -> None:
    found = complaints.read(text)
    assert found is not None
    assert (found.kind, found.title) == (kind, title)


@pytest.mark.parametrize(
    "text", ["quiero ver Coco", "sin city", "¿dónde está mi película?", "estado"]
)
def test_what_is_no_complaint(text: str) -> None:
    assert complaints.read(text) is None
