"""How Radarr answers and refuses: its header, its keys, and its four kinds of error body."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import radarr_json as wire
from sandbox.http import Stop, stand_in
from sandbox.state import Sandbox, Service


def answer(body: Any, status: int = 200) -> HttpResponse:
    """JSON with the header that every answer of Radarr's API carries."""
    response = HttpResponse() if body is None else JsonResponse(body, safe=False)
    response.status_code = status
    response["X-Application-Version"] = wire.VERSION
    return response


def unavailable() -> HttpResponse:
    """What a proxy says for a Radarr that is not there."""
    return HttpResponse("Service Unavailable", status=503, content_type="text/plain")


def _refuse(request: HttpRequest, box: Sandbox) -> HttpResponse | None:
    """An empty 401 unless the first key that is given, even a wrong one, is the right one."""
    bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
    keys = (request.GET.get("apikey"), request.headers.get("X-Api-Key"), bearer)
    given = next((key for key in keys if key), None)
    return None if given == box.config.radarr_api_key else answer(None, 401)


api = stand_in(Service.RADARR, unavailable, _refuse)


def not_found() -> HttpResponse:
    """Radarr's 404."""
    return answer({"message": "NotFound", "description": "NzbDrone.Core: NotFound"}, 404)


def malformed(field: str = "$") -> HttpResponse:
    """The ProblemDetails of a request that cannot be read."""
    problem = {
        "title": "One or more validation errors occurred.",
        "status": 400,
        "errors": {field: ["The JSON value could not be converted."]},
    }
    return answer(problem, 400)


def invalid(name: str, message: str, value: Any, code: str | None) -> Stop:
    """The answer of a validator that is not content."""
    failure = {
        "propertyName": name,
        "errorMessage": message,
        "attemptedValue": value,
        "severity": "error",
        "errorCode": code,
        "formattedMessageArguments": [],
        "formattedMessagePlaceholderValues": {"propertyName": name, "propertyValue": value},
    }
    return Stop(answer([wire.without_nulls(failure)], 400))
