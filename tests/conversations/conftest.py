"""The household of the scripts: its own TMDB and Radarr in place of the fixtures of all tests."""

import pytest
import responses
from pytest_django.fixtures import Settings

from tests.conftest import Household
from tests.conversations.services import ScriptedRadarr, ScriptedTmdb
from tests.conversations.stage import Stage
from tests.smsbot.test_understanding import FakeModel


@pytest.fixture
def radarr(mock: responses.RequestsMock) -> ScriptedRadarr:
    fake = ScriptedRadarr()
    fake.install(mock)
    return fake


@pytest.fixture
def tmdb(mock: responses.RequestsMock) -> ScriptedTmdb:
    fake = ScriptedTmdb()
    fake.install(mock)
    return fake


@pytest.fixture
def stage(
    household: Household,
    radarr: ScriptedRadarr,
    tmdb: ScriptedTmdb,
    monkeypatch: pytest.MonkeyPatch,
    settings: Settings,
) -> Stage:
    model = FakeModel().install(monkeypatch, settings)
    return Stage(household, radarr, tmdb, model, settings)
