"""The HTTP interface against its own OpenAPI document: calls made up by schemathesis.

No call ends in a 5xx, and each answer is one that the document has, of the shape it says.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from downloads import control
from moviesms.models import ApiToken
from moviesms.wsgi import application
from tests.conftest import SAM, Household

pytestmark = pytest.mark.django_db

OPERATIONS = [
    ("GET", "/api/sms/downloads"),
    ("POST", "/api/sms/downloads"),
    ("GET", "/api/sms/downloads/{tmdb_id}"),
    ("POST", "/api/sms/downloads/{tmdb_id}/cancel"),
    ("POST", "/api/sms/downloads/{tmdb_id}/retry"),
    ("GET", "/api/sms/events"),
    ("GET", "/api/sms/download-monitor/status"),
    ("POST", "/api/sms/download-monitor/start"),
    ("POST", "/api/sms/download-monitor/stop"),
]
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@pytest.fixture
def fuzzed(
    household: Household, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Iterator[dict[str, str]]:
    """A household with a film on its way and a monitor; return the headers of a key that writes."""
    settings.API_READS_PER_MINUTE = settings.API_WRITES_PER_MINUTE = 0
    settings.ALLOWED_HOSTS = ["*"]
    household.text(SAM, "get the dark knight")
    call_command("run_download_monitor", "--once")
    # Nobody acknowledges here, and the clock stands still.
    monkeypatch.setattr(control, "wait_for_acknowledgement", lambda version, seconds: True)
    with connection_kept():
        yield {"Authorization": f"Token {ApiToken.issue('fuzz', 'write')[1]}"}


@contextmanager
def connection_kept() -> Iterator[None]:
    """Let no request close the connection of the test's transaction, as Django's client does."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def document(headers: dict[str, str]) -> Any:
    """Read the document as a client does."""
    return schemathesis.openapi.from_wsgi("/api/schema?format=json", application, headers=headers)


def known(case: Any, film: bool, person: bool) -> None:
    """Let some made-up calls be about the film and the person that there are."""
    if film and "tmdb_id" in (case.path_parameters or {}):
        case.path_parameters["tmdb_id"] = 155
    if isinstance(case.body, dict) and person:
        case.body["phone_number"] = SAM
        if film:
            case.body["tmdb_id"] = 155


def test_every_operation_of_the_document_is_tried(fuzzed: dict[str, str]) -> None:
    found = {(op.ok().method.upper(), op.ok().path) for op in document(fuzzed).get_all_operations()}
    assert found == set(OPERATIONS)


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_made_up_calls_are_answered_as_the_document_says(
    fuzzed: dict[str, str], method: str, path: str
) -> None:
    operation = document(fuzzed)[path][method]
    # What breaks the document's rules; some operations have none that can be broken.
    takes = operation.query or operation.path_parameters or operation.body
    wrong = operation.as_strategy(GenerationMode.NEGATIVE) if takes else st.nothing()

    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy() | wrong, film=st.booleans(), person=st.booleans())
    def every(case: Any, film: bool, person: bool) -> None:
        known(case, film, person)
        response = case.call(headers=fuzzed)
        case.validate_response(response, checks=CHECKS)

    every()
