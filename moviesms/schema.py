"""What every operation of the OpenAPI document shares: the errors that any of them may answer."""

from typing import Any

_ERROR = {"$ref": "#/components/schemas/Error"}
_ALWAYS = {
    "401": "No key, or one that is unknown or revoked.",
    "403": "The key may only read; or no staff; or no CSRF token.",
    "406": "Something other than JSON is asked for.",
    "429": "Too many calls within this minute; Retry-After says how long to wait.",
}
_WITH_BODY = {
    "413": "The body is too large.",
    "415": "The body is neither JSON nor a form.",
}


def add_common_errors(result: Any, generator: Any, request: Any, public: bool) -> Any:
    """Add to each operation the errors that come before its view is asked (drf-spectacular)."""
    for path in result["paths"].values():
        for operation in path.values():
            errors = _ALWAYS | (_WITH_BODY if "requestBody" in operation else {})
            for status, why in errors.items():
                answer = {"description": why, "content": {"application/json": {"schema": _ERROR}}}
                operation["responses"].setdefault(status, answer)
    return result
