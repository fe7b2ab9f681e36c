"""`manage.py up --only` and `manage.py prepare`: what they refuse, and what they do first."""

from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from django.contrib.auth import get_user_model
from django.core.management import CommandError, call_command
from pytest_django import Settings

from moviesms.management.commands import up


@pytest.mark.parametrize("parts", ["web,cook", "", "all"])
def test_only_knows_three_parts(parts: str) -> None:
    with pytest.raises(CommandError, match="web, worker, monitor"):
        call_command("up", f"--only={parts}")


def test_the_parts_share_a_redis() -> None:
    with pytest.raises(CommandError, match="REDIS_HOST"):
        call_command("up", "--only=web")


def test_the_sandbox_is_not_a_part(settings: Settings) -> None:
    settings.REDIS_HOST = "127.0.0.1"
    with pytest.raises(CommandError, match="sandbox"):
        call_command("up", "--only=web", "--sandbox")


@pytest.mark.django_db
def test_a_part_does_not_migrate(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    settings.REDIS_HOST, settings.DATA_DIR = "127.0.0.1", tmp_path
    monkeypatch.setattr(up, "unapplied_migrations", lambda: ["downloads.0002_more"])
    with pytest.raises(CommandError, match=r"lacks 1 migrations: run manage.py prepare"):
        call_command("up", "--only=worker")


@pytest.mark.django_db
def test_preparing_twice_makes_one_admin() -> None:
    first, second = StringIO(), StringIO()
    call_command("prepare", stdout=first)
    call_command("prepare", stdout=second)
    assert "password" in first.getvalue()
    assert "password" not in second.getvalue()
    assert get_user_model()._default_manager.filter(is_superuser=True).count() == 1


def test_the_image_runs_what_is_there() -> None:
    """What the Dockerfile copies is all that the product consists of."""
    root: Path = django_settings.BASE_DIR
    text = (root / "Dockerfile").read_text()
    apps = {path.parent.name for path in root.glob("*/apps.py")}
    assert {"moviesms", "downloads", "smsbot", "dashboard"} <= apps
    for app in apps | {"sandbox"}:
        assert f"COPY {app} {app}\n" in text
