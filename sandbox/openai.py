"""The stand-in for OpenAI's chat completions, which answers in the schema that it is given."""

import hmac
import json
import secrets
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from sandbox.http import Json, by_method, json_body, stand_in
from sandbox.reading import read
from sandbox.state import Sandbox, Service

MODEL = "gpt-5-mini"


def error(status: int, message: str, kind: str, code: str | None = None) -> HttpResponse:
    """OpenAI's answer to a request that it does not serve."""
    body = {"error": {"message": message, "type": kind, "param": None, "code": code}}
    return JsonResponse(body, status=status)


def _refuse(request: HttpRequest, box: Sandbox) -> HttpResponse | None:
    key = request.headers.get("Authorization", "").removeprefix("Bearer ")
    if hmac.compare_digest(key.encode(), box.config.openai_api_key.encode()):
        return None
    message = "Incorrect API key provided."
    return error(401, message, "invalid_request_error", "invalid_api_key")


def _down() -> HttpResponse:
    return error(503, "The server is currently overloaded.", "server_error")


def _malformed() -> HttpResponse:
    return error(400, "We could not parse the JSON body.", "invalid_request_error")


api = stand_in(Service.OPENAI, _down, _refuse)


def last_text(messages: Any) -> str:
    """The text of the last message of the user.

    A message may be a list of parts, or JSON (callers who mark texts as data write it so): then
    it is the last string in it.
    """
    contents = [
        message.get("content")
        for message in messages or []
        if isinstance(message, dict) and message.get("role") == "user"
    ]
    content = contents[-1] if contents else ""
    try:
        data = json.loads(content) if isinstance(content, str) else content
    except ValueError:
        data = content
    return (list(_strings(data)) or [str(content)])[-1]


def _strings(value: Any) -> Iterator[str]:
    """Every text in a JSON value, in order; a number alone is a text, too."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)
    elif isinstance(value, dict):
        parts = [value["text"]] if isinstance(value.get("text"), str) else list(value.values())
        for part in parts:
            yield from _strings(part)
    elif isinstance(value, list):
        for part in value:
            yield from _strings(part)


def conform(value: Any, schema: Json, root: Json) -> Any:
    """`value` made valid under `schema`: what it lacks is null, empty or the first choice."""
    if "$ref" in schema:
        definition: Any = root
        for name in schema["$ref"].removeprefix("#/").split("/"):
            definition = definition[name]
        return conform(value, definition, root)
    for options in (schema.get("anyOf"), schema.get("oneOf")):
        if options:
            fitting = [option for option in options if _fits(value, option, root)]
            return conform(value, (fitting or options)[0], root)
    if "const" in schema:
        return schema["const"]
    if "enum" in schema:
        choices = schema["enum"]
        return value if value in choices else None if None in choices else choices[0]
    return _typed(value, schema, root) if {"type", "properties"} & set(schema) else value


def _typed(value: Any, schema: Json, root: Json) -> Any:
    kinds = _kinds(schema)
    if value is None and "null" in kinds:
        return None
    if "object" in kinds:
        given = value if isinstance(value, dict) else {}
        properties = schema.get("properties", {})
        return {name: conform(given.get(name), sub, root) for name, sub in properties.items()}
    if "array" in kinds:
        items = value if isinstance(value, list) else []
        return [conform(item, schema.get("items", {}), root) for item in items]
    if any(_is(value, kind) for kind in kinds):
        return value
    return {"null": None, "string": "", "boolean": False}.get(kinds[0], 0)


def _kinds(schema: Json) -> list[str]:
    """The types a schema allows, null first: the best answer where nothing is known."""
    given = schema.get("type", "object" if "properties" in schema else "null")
    kinds = [given] if isinstance(given, str) else list(given)
    return sorted(kinds, key=lambda kind: kind != "null")


def _fits(value: Any, schema: Json, root: Json) -> bool:
    if "$ref" in schema:
        return not isinstance(value, str | int | None)
    if "enum" in schema:
        return value in schema["enum"]
    return any(_is(value, kind) for kind in _kinds(schema))


def _is(value: Any, kind: str) -> bool:
    types: dict[str, tuple[type, ...]] = {
        "string": (str,),
        "integer": (int,),
        "number": (int, float),
        "boolean": (bool,),
        "array": (list,),
        "object": (dict,),
    }
    if kind == "null":
        return value is None
    return isinstance(value, types[kind]) and (kind == "boolean" or not isinstance(value, bool))


@api
def complete(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """POST chat/completions: JSON where `response_format` asks for it, else a sentence."""
    body = json_body(request, _malformed)
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        return error(400, "Missing required parameter: 'messages'.", "invalid_request_error")
    content = _content(last_text(messages), body.get("response_format") or {}, box)
    prompt_tokens = len(json.dumps(messages)) // 4
    answer_tokens = len(content) // 4 + 1
    message: Json = {"role": "assistant", "content": content, "refusal": None, "annotations": []}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}
    return JsonResponse(
        {
            "id": f"chatcmpl-{secrets.token_hex(12)}",
            "object": "chat.completion",
            "created": int(box.clock().timestamp()),
            "model": body.get("model") or MODEL,
            "choices": [choice],
            "usage": {
                "prompt_tokens": prompt_tokens,
                "completion_tokens": answer_tokens,
                "total_tokens": prompt_tokens + answer_tokens,
            },
            "service_tier": "default",
            "system_fingerprint": None,
        }
    )


def _content(text: str, wanted: Json, box: Sandbox) -> str:
    if wanted.get("type") not in {"json_schema", "json_object"}:
        return "I can find films for you. Which one would you like?"
    understanding: Any = read(text, box.catalogue)
    schema = (wanted.get("json_schema") or {}).get("schema")
    if schema:
        understanding = conform(understanding, schema, schema)
    return json.dumps(understanding, ensure_ascii=False)


@api
def models(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET models: one."""
    model = {"id": MODEL, "object": "model", "created": 1754000000, "owned_by": "sandbox"}
    return JsonResponse({"object": "list", "data": [model]})


urlpatterns = [
    path("chat/completions", by_method(POST=complete)),
    path("models", by_method(GET=models)),
]
