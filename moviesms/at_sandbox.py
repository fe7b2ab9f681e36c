"""Where the sandbox's stand-ins are: how `up` points us at them, and how commands find them."""

import json
import secrets
from pathlib import Path

# Graces of minutes are right for a real Radarr; in the sandbox a person waits for each text.
RHYTHM = {
    "MONITOR_INTERVAL": "5",
    "SEARCH_GRACE": "20",
    "STUCK_GRACE": "20",
    "FAILED_GRACE": "15",
}
ACCOUNT = "AC" + "5a" * 16
PHONE_NUMBER = "+15005550006"


def point_at_sandbox(
    environment: dict[str, str], *, sandbox_port: int, port: int, override: bool
) -> dict[str, str]:
    """Change `environment` so that the product speaks to the sandbox and to nothing else.

    Keys that are there already stay, unless `override`: then none of the real ones is handed on.
    Returns what the sandbox is reached with.
    """
    sandbox = f"http://127.0.0.1:{sandbox_port}"
    keys = {
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": secrets.token_hex(16),
        "TWILIO_PHONE_NUMBER": PHONE_NUMBER,
        "RADARR_API_KEY": secrets.token_hex(16),
        "RADARR_WEBHOOK_SECRET": secrets.token_hex(16),
        "TMDB_API_KEY": secrets.token_hex(16),
        "OPENAI_API_KEY": secrets.token_hex(16),
    }
    addresses = {
        "TWILIO_API_URL": sandbox,
        "RADARR_URL": f"{sandbox}/radarr",
        "TMDB_URL": f"{sandbox}/tmdb",
        "OPENAI_BASE_URL": f"{sandbox}/openai/v1",
        "PUBLIC_URL": f"http://127.0.0.1:{port}",
    }
    for name, value in keys.items():
        if override or not (environment.get(name) or environment.get(f"{name}_FILE")):
            environment.pop(f"{name}_FILE", None)
            environment[name] = value
    for name, value in addresses.items():
        environment.pop(f"{name}_FILE", None)
        environment[name] = value
    for name, value in RHYTHM.items():
        environment.setdefault(name, value)
    return {n: environment[n] for n in (*keys, *addresses, *RHYTHM) if n in environment}


def mark(data_dir: Path, kind: str) -> None:
    """Note whose the data of a folder are: `sandbox` or `live`."""
    (data_dir / "kind").write_text(f"{kind}\n")


def kind_of(data_dir: Path) -> str:
    """Return whose the data of a folder are: `sandbox`, `live`, or "" before the first start."""
    path = data_dir / "kind"
    return path.read_text().strip() if path.exists() else ""


def remember(data_dir: Path, environment: dict[str, str]) -> None:
    """Keep what the running sandbox is reached with, for commands beside it."""
    (data_dir / "sandbox.json").write_text(json.dumps(environment))


def remembered(data_dir: Path) -> dict[str, str]:
    """Return what `remember` kept; {} when it kept nothing."""
    path = data_dir / "sandbox.json"
    found: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}
    return found
