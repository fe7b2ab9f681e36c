"""Logs: `movie_api.log` for the application, the console, and what the web server prints.

The web server's own lines, one for each request, go to its standard output: `manage.py up` writes
them to `server.log`.

Phone numbers are masked to their last four digits wherever they stand, keys never appear, and the
bodies of messages are logged at DEBUG only, by those who have them.
"""

import logging.config
import re
import time
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import structlog
from concurrent_log_handler import ConcurrentRotatingFileHandler

_PHONE = re.compile(r"\+\d{3,11}(?=\d{4}\b)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_MEGABYTE = 1024 * 1024
_LONGEST = 4000
"""Characters of a value that are logged; a line stays far below what the runner takes at once."""


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
    """Escape control characters, cut what is long: no URL writes a line of its own."""
    for key, value in event.items():
        if isinstance(value, str) and key != "exception":
            event[key] = _escape(value)
    return event


def _escape(text: str) -> str:
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text[:_LONGEST])


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


class _RequestLine(logging.Formatter):
    """A request's line, which looks like the others; there are so many that it goes a short way."""

    converter = staticmethod(time.gmtime)

    def __init__(self) -> None:
        super().__init__(
            "%(asctime)s [info     ] %(message)s [%(name)s]", datefmt="%Y-%m-%dT%H:%M:%SZ"
        )

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        record.message = _escape(mask_phone(record.message))
        return super().formatMessage(record)


_TEXT = structlog.dev.ConsoleRenderer(colors=False, pad_event_to=0)
_JSON = structlog.processors.JSONRenderer(ensure_ascii=False)


def rotating_file(path: Path) -> ConcurrentRotatingFileHandler:
    """Return the handler of a log file, which is rotated at 5 MB; five old ones are kept.

    Several processes write the same file, so rotating it takes a lock between them.
    """
    return ConcurrentRotatingFileHandler(str(path), maxBytes=5 * _MEGABYTE, backupCount=5)


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
    is_json = options.get("format") == "json"
    line = {
        "()": structlog.stdlib.ProcessorFormatter,
        "foreign_pre_chain": _SHARED,
        "processors": [
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            _JSON if is_json else _TEXT,
        ],
    }
    logging.config.dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": line, "request": line if is_json else {"()": _RequestLine}},
            "handlers": _handlers(folder),
            "root": {"handlers": ["console", "application"], "level": options["level"]},
            "loggers": _LOGGERS,
        }
    )


def _handlers(folder: Path) -> dict[str, Any]:
    application = {"()": rotating_file, "path": folder / "movie_api.log"}
    stdout = {"class": "logging.StreamHandler", "stream": "ext://sys.stdout"}
    return {
        "console": {"class": "logging.StreamHandler", "formatter": "line"},
        "application": {**application, "formatter": "line"},
        "server": {**stdout, "formatter": "line"},
        "requests": {**stdout, "formatter": "request"},
    }


_LOGGERS = {
    "django.server": {"handlers": ["server"], "propagate": False},
    "_granian": {"handlers": ["server"], "propagate": False},
    "granian.access": {"handlers": ["requests"], "propagate": False},
    # These write phone numbers or whole requests at INFO, or what tells an owner nothing.
    "twilio.http_client": {"level": "WARNING"},
    "httpx2": {"level": "WARNING"},
    "openai": {"level": "WARNING"},
    "celery": {"level": "WARNING"},
    "axes": {"level": "WARNING"},
}
