"""Logs: `movie_api.log` for the application, `server.log` for the web server, and the console.

Phone numbers are masked to their last four digits wherever they stand, keys never appear, and the
bodies of messages are logged at DEBUG only, by those who have them.
"""

import logging.config
import re
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog

_PHONE = re.compile(r"\+\d{3,11}(?=\d{4}\b)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MEGABYTE = 1024 * 1024


def mask_phone(text: str) -> str:
    """Return `text` with every E.164 number reduced to its last four digits: `+…0142`."""
    return _PHONE.sub("+…", text)


def _mask(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if isinstance(value, str) and "+" in value:
            event[key] = mask_phone(value)
    return event


def _no_trace_of_refusals(_: Any, __: str, event: MutableMapping[str, Any]) -> Any:
    """Drop the traceback of what a stranger sent and we refused: it would fill the log."""
    name, level = str(event.get("logger", "")), event.get("level")
    if name.startswith("django.security") or (name == "django.request" and level == "warning"):
        event.pop("exc_info", None)
    return event


def _one_line(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Escape control characters: nobody writes a log line of their own through a URL."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = _CONTROL.sub(lambda found: ascii(found[0])[1:-1], value)
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.PositionalArgumentsFormatter(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _no_trace_of_refusals,
    structlog.processors.format_exc_info,
    _mask,
    _one_line,
]


_TEXT = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
_RENDERERS = {"json": structlog.processors.JSONRenderer(ensure_ascii=False)}


def _file(path: Path) -> dict[str, Any]:
    return {
        # Several processes write the same file, so rotating it takes a lock between them.
        "class": "concurrent_log_handler.ConcurrentRotatingFileHandler",
        "filename": str(path),
        "maxBytes": 5 * _MEGABYTE,
        "backupCount": 5,
        "formatter": "line",
    }


def configure(options: dict[str, Any]) -> None:
    """Set up logging.

    `options`: `log_dir` (a folder, made when missing), `level` (a name), and `format`: `text`, or
    `json` for one object a line.
    """
    folder = Path(options["log_dir"])
    folder.mkdir(parents=True, exist_ok=True)
    structlog.configure(
        processors=[*_SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    line = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _RENDERERS.get(options.get("format", ""), _TEXT),
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": line},
            "handlers": {
                "console": {"class": "logging.StreamHandler", "formatter": "line"},
                "application": _file(folder / "movie_api.log"),
                "server": _file(folder / "server.log"),
            },
            "root": {"handlers": ["console", "application"], "level": options["level"]},
            "loggers": {
                "django.server": {"handlers": ["console", "server"], "propagate": False},
                "_granian": {"handlers": ["console", "server"], "propagate": False},
                "granian.access": {"handlers": ["server"], "propagate": False},
                # These write phone numbers or whole requests at INFO.
                "twilio.http_client": {"level": "WARNING"},
                "httpx2": {"level": "WARNING"},
                "openai": {"level": "WARNING"},
                "celery": {"level": "WARNING"},
            },
        }
    )
