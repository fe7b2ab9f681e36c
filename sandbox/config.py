"""What the sandbox is told at its start, read from the environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Self

ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
E164 = re.compile(r"\+[1-9]\d{6,14}")


class ConfigError(ValueError):
    """A setting has a value that the sandbox cannot work with."""


@dataclass(frozen=True)
class Config:
    """Every setting of the sandbox; the defaults are a complete set that works on one machine."""

    app_url: str = "http://127.0.0.1:8000"
    account_sid: str = "AC" + "5a" * 16
    auth_token: str = "sandbox-auth-token"  # noqa: S105 (a stand-in's, worth nothing)
    phone_number: str = "+15005550006"
    radarr_api_key: str = "sandbox-radarr-key"
    radarr_webhook_secret: str = "sandbox-webhook-secret"  # noqa: S105
    tmdb_api_key: str = "sandbox-tmdb-key"
    openai_api_key: str = "sandbox-openai-key"
    step: float = 6.0
    host: str = "127.0.0.1"
    port: int = 8900

    def __post_init__(self) -> None:
        if not ACCOUNT_SID.fullmatch(self.account_sid):
            raise ConfigError("The account SID must be AC and 32 hexadecimal digits.")
        if not E164.fullmatch(self.phone_number):
            raise ConfigError("The phone number must be in E.164 form, such as +15005550006.")
        if not self.app_url.startswith(("http://", "https://")):
            raise ConfigError("The app URL must start with http:// or https://.")
        if not 0.05 <= self.step <= 3600:
            raise ConfigError("The step must be between 0.05 and 3600 seconds.")
        if not 0 < self.port < 65536:
            raise ConfigError("The port must be between 1 and 65535.")

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Self:
        """Settings from variables named as in ``ENVIRONMENT``; absent or empty ones keep defaults.

        Raises ConfigError when a value cannot be used.
        """
        given = {name: environment.get(variable, "") for name, variable in ENVIRONMENT.items()}
        known = {name: value for name, value in given.items() if value}
        app_url = known.pop("app_url", cls.app_url).rstrip("/")
        try:
            step = float(known.pop("step", cls.step))
            port = int(known.pop("port", cls.port))
        except ValueError as error:
            raise ConfigError(f"Not a number: {error}.") from error
        return cls(app_url=app_url, step=step, port=port, **known)

    def environment(self) -> dict[str, str]:
        """The variables that make `from_environment` give an equal Config."""
        return {ENVIRONMENT[f.name]: str(getattr(self, f.name)) for f in fields(self)}

    def product_environment(self) -> dict[str, str]:
        """The variables that point the product at this sandbox."""
        here = f"http://{self.host}:{self.port}"
        return {
            "PUBLIC_URL": self.app_url,
            "TWILIO_API_URL": here,
            "TWILIO_ACCOUNT_SID": self.account_sid,
            "TWILIO_AUTH_TOKEN": self.auth_token,
            "TWILIO_PHONE_NUMBER": self.phone_number,
            "RADARR_URL": f"{here}/radarr",
            "RADARR_API_KEY": self.radarr_api_key,
            "RADARR_WEBHOOK_SECRET": self.radarr_webhook_secret,
            "TMDB_URL": f"{here}/tmdb",
            "TMDB_API_KEY": self.tmdb_api_key,
            "OPENAI_BASE_URL": f"{here}/openai/v1",
            "OPENAI_API_KEY": self.openai_api_key,
        }


ENVIRONMENT = {
    "app_url": "SANDBOX_APP_URL",
    "account_sid": "TWILIO_ACCOUNT_SID",
    "auth_token": "TWILIO_AUTH_TOKEN",
    "phone_number": "TWILIO_PHONE_NUMBER",
    "radarr_api_key": "RADARR_API_KEY",
    "radarr_webhook_secret": "RADARR_WEBHOOK_SECRET",
    "tmdb_api_key": "TMDB_API_KEY",
    "openai_api_key": "OPENAI_API_KEY",
    "step": "SANDBOX_STEP",
    "host": "SANDBOX_HOST",
    "port": "SANDBOX_PORT",
}
