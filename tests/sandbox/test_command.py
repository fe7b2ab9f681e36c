"""The command: its settings, and one run of the real process."""

import signal
import socket
import subprocess
import sys
import time

import pytest
import requests

from sandbox.__main__ import main
from sandbox.config import Config, ConfigError


def test_settings_survive_the_environment() -> None:
    config = Config(app_url="https://a.test", step=0.5, port=8123)
    assert Config.from_environment(config.environment()) == config
    assert Config.from_environment({"SANDBOX_APP_URL": "http://a.test/"}).app_url == "http://a.test"
    assert Config.from_environment({"TWILIO_AUTH_TOKEN": ""}) == Config()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TWILIO_ACCOUNT_SID", "AC1"),
        ("TWILIO_PHONE_NUMBER", "555"),
        ("SANDBOX_STEP", "0"),
        ("SANDBOX_STEP", "soon"),
        ("SANDBOX_PORT", "99999"),
        ("SANDBOX_APP_URL", "app.test"),
    ],
)
def test_settings_that_cannot_work(name: str, value: str) -> None:
    with pytest.raises(ConfigError):
        Config.from_environment({name: value})


def test_the_command_prints_the_products_settings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "from-the-environment")
    assert main(["--port", "8123", "--print-env"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert "RADARR_URL=http://127.0.0.1:8123/radarr" in lines
    assert "TWILIO_AUTH_TOKEN=from-the-environment" in lines
    assert main(["--step", "soon"]) == 2


def test_help_shows_no_secret_of_the_environment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "s3cr3t-t0ken")
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "s3cr3t" not in capsys.readouterr().out


@pytest.mark.processes
@pytest.mark.enable_socket
def test_the_process_serves_and_ends_cleanly() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen([sys.executable, "-m", "sandbox", "--port", str(port)])
    try:
        assert _answers(f"http://127.0.0.1:{port}/radarr/ping", process)
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=10) == 0


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline and process.poll() is None:
        try:
            return requests.get(url, timeout=2).ok
        except requests.ConnectionError:
            time.sleep(0.05)
    return False
