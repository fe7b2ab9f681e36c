"""Twilio's webhook into us: the number's address and its fallback, set by Twilio's own API."""

from collections.abc import Mapping
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from moviesms.checks import is_public
from moviesms.connected import CannotConnect, Change, Connected
from smsbot import gateway

_NAMES = {
    "sms_url": "texts went to",
    "sms_method": "they came by",
    "sms_fallback_url": "when that fails, they went to",
    "sms_fallback_method": "these came by",
    "sms_application_sid": "a TwiML application took the texts:",
}


def webhook_url(address: str = "") -> str:
    """Return where Twilio posts texts, as its signature knows it: without a fragment."""
    return (address or settings.PUBLIC_URL).rstrip("/") + reverse("sms-webhook")


def connect_twilio(address: str = "", *, dry_run: bool = False) -> Connected:
    """Have Twilio post our number's texts to us, again when that fails; return what was done.

    The fallback is our own address once more: a text that could not be stored a moment ago can be
    now, and its SID makes it one text. `address` is PUBLIC_URL unless given.
    Raises CannotConnect (`not_configured`, `not_public`, `not_ours`, `twilio`).
    """
    number = _number()
    url = webhook_url(address)
    _check_reachable(url)
    wanted = {
        "sms_url": url + gateway.RETRIES,
        "sms_method": "POST",
        "sms_fallback_url": url + gateway.RETRIES,
        "sms_fallback_method": "POST",
        # With one set, Twilio would ignore the addresses above.
        "sms_application_sid": "",
    }
    wrong = {name: value for name, value in wanted.items() if number.get(name, "") != value}
    if not wrong:
        return Connected("Twilio", url, Change.UNCHANGED)
    if not dry_run:
        _change(number["sid"], wrong)
    made = Change.CHANGED if number.get("sms_url") else Change.MADE
    return Connected("Twilio", url, made, _before(number, wrong))


def disconnect_twilio(address: str = "", *, dry_run: bool = False) -> Connected:
    """Have Twilio post no more texts to us; what leads elsewhere stays. Raises CannotConnect."""
    number = _number()
    url = webhook_url(address)
    ours = [
        name
        for name in ("sms_url", "sms_fallback_url")
        if number.get(name, "").partition("#")[0] == url
    ]
    if not ours:
        return Connected("Twilio", url, Change.ABSENT)
    if not dry_run:
        _change(number["sid"], dict.fromkeys(ours, ""))
    return Connected("Twilio", url, Change.REMOVED, _before(number, ours))


def _number() -> Mapping[str, str]:
    if not gateway.is_configured():
        raise CannotConnect(
            "not_configured",
            "Twilio is not configured.",
            "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_PHONE_NUMBER.",
        )
    try:
        number = gateway.number_settings()
    except gateway.Unanswered as error:
        raise _failure(error) from error
    if number is None:
        raise CannotConnect(
            "not_ours",
            "The account does not own TWILIO_PHONE_NUMBER.",
            "Set it to a number of this account (Twilio, Phone Numbers, Active numbers).",
        )
    return number


def _check_reachable(url: str) -> None:
    host = urlsplit(url).hostname or ""
    if not settings.TWILIO_API_URL and not (url.startswith("https://") and is_public(host)):
        raise CannotConnect(
            "not_public",
            f"Twilio cannot reach {url}, or not safely.",
            "Set PUBLIC_URL to an https address that the internet reaches; a tunnel gives one.",
        )


def _change(sid: str, fields: Mapping[str, str]) -> None:
    try:
        gateway.change_number(sid, fields)
    except gateway.Unanswered as error:
        raise _failure(error) from error


def _failure(error: gateway.Unanswered) -> CannotConnect:
    if error.status in (401, 403, 404):
        fix = "Copy Account SID and Auth Token from Twilio's console; a test account has no number."
        return CannotConnect("twilio", f"Twilio does not let us in ({error}).", fix)
    if error.status is not None and 400 <= error.status < 500 and error.status != 429:
        fix = "Look at the address in PUBLIC_URL; Twilio's console may say more."
        return CannotConnect("twilio", f"Twilio refuses the change ({error}).", fix)
    fix = "Try again in a minute; it is safe to run this twice."
    return CannotConnect("twilio", f"Twilio cannot be asked: {error}.", fix)


def _before(number: Mapping[str, str], names: Mapping[str, str] | list[str]) -> tuple[str, ...]:
    """Tell what stood there, for who wants it back; a login in an address stays unsaid."""
    said = ((_NAMES[name], _without_login(number.get(name, ""))) for name in names)
    return tuple(f"Until now, {what} {value}." for what, value in said if value)


def _without_login(url: str) -> str:
    parts = urlsplit(url)
    return (
        url.replace(parts.netloc, parts.netloc.rpartition("@")[2]) if "@" in parts.netloc else url
    )
