"""`manage.py create_api_token`: the key is shown once, and a name has one valid key."""

from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from moviesms.models import ApiToken

pytestmark = pytest.mark.django_db


def run(*arguments: str) -> tuple[str, str]:
    """Return what the command writes on standard output and on standard error."""
    out, err = StringIO(), StringIO()
    call_command("create_api_token", *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


def key_of(*arguments: str) -> str:
    """Return the key that the command prints: all of its standard output."""
    return run(*arguments)[0].strip()


def status_with(key: str, client: Client) -> int:
    """Return the HTTP status of reading the API with `key`."""
    answer: Any = client.get("/api/sms/downloads", headers={"Authorization": f"Token {key}"})
    return int(answer.status_code)


def test_the_key_opens_the_api(client: Client) -> None:
    assert status_with(key_of("phone", "--scope", "read"), client) == 200
    assert status_with("another", client) == 401


@pytest.mark.parametrize("scope", ["read", "write"])
def test_the_scope_is_kept_and_the_key_is_not(scope: str) -> None:
    key = key_of("phone", "--scope", scope)
    token = ApiToken.objects.get(name="phone")
    assert token.scope == scope
    assert token.digest == ApiToken.digest_of(key)
    assert len(key) >= 32


def test_a_key_reads_only_unless_told_otherwise() -> None:
    run("phone")
    assert ApiToken.objects.get().scope == "read"


def test_the_words_around_the_key_go_to_standard_error() -> None:
    out, err = run("phone")
    assert len(out.split()) == 1
    assert out.strip() not in err
    assert "shown this once" in err


def test_a_name_that_is_taken_is_refused() -> None:
    run("phone")
    with pytest.raises(CommandError, match=r"'phone' already, and it is valid.*--replace"):
        run("phone")
    run("--revoke", "phone")
    with pytest.raises(CommandError, match="it is revoked"):
        run("phone")
    assert ApiToken.objects.count() == 1


def test_replacing_revokes_the_old_key(client: Client) -> None:
    old = key_of("phone", "--scope", "write")
    new = key_of("phone", "--replace")
    assert [status_with(key, client) for key in (old, new)] == [401, 200]
    assert ApiToken.objects.get(name="phone").scope == "write", "the scope stays, unless it is said"
    assert status_with(key_of("phone", "--replace", "--scope", "read"), client) == 200
    assert ApiToken.objects.get(name="phone").scope == "read"
    assert ApiToken.objects.exclude(revoked_at=None).count() == 2


def test_replacing_what_is_not_there_just_makes_it(client: Client) -> None:
    assert status_with(key_of("phone", "--replace"), client) == 200


def test_revoking_ends_a_key_and_may_be_repeated(client: Client) -> None:
    key = key_of("phone")
    assert "revoked" in run("--revoke", "phone")[0]
    before = ApiToken.objects.get().revoked_at
    run("--revoke", "phone")
    assert ApiToken.objects.get().revoked_at == before
    assert status_with(key, client) == 401


def test_revoking_an_unknown_name_is_an_error() -> None:
    with pytest.raises(CommandError, match="no key of the name 'nobody'"):
        run("--revoke", "nobody")


def test_the_list_shows_names_and_states_and_no_key() -> None:
    key = key_of("phone", "--scope", "write")
    run("old")
    run("--revoke", "old")
    shown = run("--list")[0]
    assert [line.split()[:2] for line in shown.splitlines()] == [
        ["old", "read"],
        ["phone", "write"],
    ]
    assert "valid" in shown
    assert "revoked" in shown
    assert key not in shown
    assert ApiToken.digest_of(key) not in shown


@pytest.mark.parametrize("arguments", [[], ["phone", "--list"], ["phone", "--revoke", "old"]])
def test_it_does_one_thing_at_a_time(arguments: list[str]) -> None:
    with pytest.raises(CommandError, match="Give a NAME"):
        run(*arguments)


@pytest.mark.parametrize("name", [" ", "a" * 81, "two\nlines"])
def test_a_name_is_one_that_can_be_shown(name: str) -> None:
    with pytest.raises(CommandError, match="printable"):
        run(name)


def test_help_tells_the_header(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        run("--help")
    assert ended.value.code == 0
    assert "Authorization: Token" in capsys.readouterr().out
