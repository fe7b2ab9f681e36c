"""Errors of the HTTP interface: always `{"code": …, "detail": …}`, the codes being stable."""

from typing import Any

from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.defaults import page_not_found
from rest_framework import exceptions, status
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler


class ApiError(exceptions.APIException):
    """An answer with a stable `code`, a sentence, and further fields beside them."""

    def __init__(self, code: str, detail: str, http_status: int, **extra: Any) -> None:
        super().__init__(detail, code)
        self.status_code = http_status
        self.extra = extra


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """Turn any DRF error into the one shape; field errors stand under `errors`."""
    error = _of_body(error)
    response = drf_exception_handler(error, context)
    if response is None:
        return None
    if isinstance(error, exceptions.ValidationError):
        response.data = {
            "code": "invalid",
            "detail": "Some fields are missing or wrong; see errors.",
            "errors": _field_errors(error.get_full_details()),
        }
    elif isinstance(error, ApiError):
        response.data = {"code": error.get_codes(), "detail": str(error.detail), **error.extra}
    else:
        response.data = {"code": _code(error, response), "detail": str(response.data.get("detail"))}
    return response


def _of_body(error: Exception) -> Exception:
    """Return what Django says of a body that it will not read as an error of the API."""
    if isinstance(error, RequestDataTooBig):
        return ApiError(
            "too_large", "The body is too large.", status.HTTP_413_REQUEST_ENTITY_TOO_LARGE
        )
    if isinstance(error, TooManyFieldsSent):
        return exceptions.ParseError("The body has too many fields.")
    return error


def _code(error: Exception, response: Response) -> str:
    if isinstance(error, exceptions.APIException):
        return str(error.get_codes())
    return "not_found" if response.status_code == status.HTTP_404_NOT_FOUND else "permission_denied"


def _field_errors(details: Any) -> dict[str, Any]:
    if isinstance(details, dict):
        return {
            field: [{"code": str(e["code"]), "detail": str(e["message"])} for e in errors]
            for field, errors in details.items()
        }
    return {
        "non_field_errors": [{"code": str(e["code"]), "detail": str(e["message"])} for e in details]
    }


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what leads nowhere: in the API's one shape below `/api/`, else as a page."""
    if request.path.startswith("/api/"):
        return JsonResponse({"code": "not_found", "detail": "There is nothing here."}, status=404)
    return page_not_found(request, exception)
