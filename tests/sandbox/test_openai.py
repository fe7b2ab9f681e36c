"""The stand-in for a language model: what it reads, and that it keeps to the schema."""

import json
from typing import Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict

from sandbox.catalogue import Catalogue, load
from sandbox.openai import conform, last_text
from sandbox.reading import read
from sandbox.state import Service

from .conftest import World

CATALOGUE = Catalogue(load())


class Title(BaseModel):
    model_config = ConfigDict(extra="forbid")
    title: str
    year: int | None
    media: Literal["movie", "tv", "unknown"]


class Understanding(BaseModel):
    model_config = ConfigDict(extra="forbid")
    intent: Literal["request", "status", "cancel", "choose", "help", "chat"]
    titles: list[Title]
    choice: int | None
    language: str
    season: int | None
    note: str
    certain: bool


def ask(world: World, text: str, key: str | None = None, **extra: Any) -> Any:
    """Ask for a completion about `text`."""
    body = {"model": "m", "messages": [{"role": "user", "content": text}], **extra}
    headers = {"Authorization": f"Bearer {key or world.config.openai_api_key}"}
    return world.client.post(
        "/openai/v1/chat/completions", body, content_type="application/json", headers=headers
    )


@pytest.mark.parametrize(
    ("text", "titles"),
    [
        ("Can you get The Dark Knight for me?", [("The Dark Knight", None)]),
        ("get Dune", [("Dune", None)]),
        ("quiero ver Coco", [("Coco", None)]),
        ("can you find The Matrix (1999)?", [("The Matrix", 1999)]),
        ("i want dune part two please", [("Dune: Part Two", None)]),
        ("download It", [("It", None)]),
        ("can you get it for me", [("It", None)]),
        ("get me up and her", [("Up", None), ("Her", None)]),
        ("Add the 1984 Dune", [("Dune", 1984)]),
        ("2001: a space odyssey", [("2001: A Space Odyssey", None)]),
        (
            "could you grab amelie and spirited away tonight?",
            [("Amélie", None), ("Spirited Away", None)],
        ),
        ("get Some Film Nobody Knows (1987)", [("Some Film Nobody Knows", 1987)]),
        ("find Zzyzx Road", [("Zzyzx Road", None)]),
    ],
)
def test_requests(text: str, titles: list[tuple[str, int | None]]) -> None:
    answer = read(text, CATALOGUE)
    assert answer["intent"] == "request"
    assert [(title["title"], title["year"]) for title in answer["titles"]] == titles


@pytest.mark.parametrize(
    ("text", "intent", "titles"),
    [
        ("status?", "status", []),
        ("where is dune", "status", ["Dune"]),
        ("is the matrix ready yet?", "status", ["The Matrix"]),
        ("never mind The Matrix", "cancel", ["The Matrix"]),
        ("forget about dune", "cancel", ["Dune"]),
        ("help", "help", []),
        ("?", "help", []),
        ("hi there!", "chat", []),
        ("thanks, you're great", "chat", []),
        ("what's up", "chat", []),
    ],
)
def test_other_intents(text: str, intent: str, titles: list[str]) -> None:
    answer = read(text, CATALOGUE)
    assert (answer["intent"], [title["title"] for title in answer["titles"]]) == (intent, titles)


@pytest.mark.parametrize(("text", "choice"), [("2", 2), ("number 3", 3), ("the first one", 1)])
def test_choices(text: str, choice: int) -> None:
    answer = read(text, CATALOGUE)
    assert (answer["intent"], answer["choice"]) == ("choose", choice)


def test_a_show_is_a_show() -> None:
    (title,) = read("get breaking bad", CATALOGUE)["titles"]
    assert title == {"title": "Breaking Bad", "year": None, "media": "tv"}


def test_the_answer_is_valid_under_a_wider_schema(world: World) -> None:
    schema = Understanding.model_json_schema()
    wanted = {"type": "json_schema", "json_schema": {"name": "u", "schema": schema, "strict": True}}
    body = ask(world, "get Dune (1984)", response_format=wanted).json()
    (choice,) = body["choices"]
    content = json.loads(choice["message"]["content"])
    understanding = Understanding.model_validate(content)
    assert understanding.titles == [Title(title="Dune", year=1984, media="movie")]
    assert (understanding.season, understanding.note, understanding.certain) == (None, "", False)
    assert choice["finish_reason"] == "stop"
    assert body["usage"]["total_tokens"] > 0


def test_a_bad_key_in_the_shape_of_openai(world: World) -> None:
    response = ask(world, "hi", key="wrong")
    assert (response.status_code, response.json()["error"]["code"]) == (401, "invalid_api_key")


def test_without_a_schema_it_talks(world: World) -> None:
    content = ask(world, "hi").json()["choices"][0]["message"]["content"]
    assert "films" in content


def test_down(world: World) -> None:
    world.box.down.add(Service.OPENAI)
    assert ask(world, "hi").status_code == 503


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("get Dune", "get Dune"),
        ("2", "2"),
        ([{"type": "text", "text": "get Dune"}], "get Dune"),
        ('{"history": ["get Alien"], "text": "get Dune"}', "get Dune"),
        ('[{"from": "person", "text": "hi"}, {"from": "person", "text": "get Dune"}]', "get Dune"),
        ("true", "true"),
    ],
)
def test_the_last_text_of_the_person_is_read(content: Any, text: str) -> None:
    messages = [
        {"role": "user", "content": "get Alien"},
        {"role": "user", "content": content},
        {"role": "assistant", "content": "x"},
    ]
    assert last_text(messages) == text


def test_conform_fills_what_it_does_not_know() -> None:
    schema: dict[str, Any] = {
        "properties": {
            "a": {"type": "string"},
            "b": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "c": {"type": ["number", "null"]},
            "d": {"enum": ["x", "y"]},
            "e": {"type": "array", "items": {"type": "string"}},
            "f": {"const": 1},
        }
    }
    filled: dict[str, Any] = {"a": "", "b": None, "c": None, "d": "x", "e": [], "f": 1}
    assert conform({}, schema, schema) == filled
