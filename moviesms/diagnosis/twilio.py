"""Twilio: that it takes our SID and token, that the number is ours, and where its texts go."""

from django.conf import settings
from django.urls import reverse

from moviesms.checks import is_public
from moviesms.diagnosis.result import Check, Result, address
from smsbot import gateway


def twilio_account() -> Result:
    """Twilio takes our SID and token, and the account is in use."""
    if not gateway.is_configured():
        fix = "Set TWILIO_ACCOUNT_SID, TWILIO_AUTH_TOKEN and TWILIO_PHONE_NUMBER."
        return Result("failed", "Twilio is not configured", fix)
    try:
        status = gateway.account_status()
    except gateway.Unanswered as error:
        return _twilio_failure(error)
    if status != "active":
        fix = "Open Twilio's console: the account must be paid for and in order."
        return Result("failed", f"the account is {status}", fix)
    return Result("ok", "the account is active")


def twilio_number() -> Result:
    """The account owns TWILIO_PHONE_NUMBER."""
    try:
        number = gateway.number_settings()
    except gateway.Unanswered as error:
        return _twilio_failure(error)
    if number is None:
        fix = "Set TWILIO_PHONE_NUMBER to a number of this account (Twilio, Phone Numbers, Active)."
        return Result("failed", "the account does not own TWILIO_PHONE_NUMBER", fix)
    return Result("ok", f"{settings.TWILIO_PHONE_NUMBER} is the account's")


def twilio_webhook() -> Result:
    """Twilio hands the number's texts to us: to PUBLIC_URL, by POST."""
    try:
        number = gateway.number_settings() or {}
    except gateway.Unanswered as error:
        return _twilio_failure(error)
    ours = settings.PUBLIC_URL + reverse("sms-webhook")
    fix = f"Run manage.py connect twilio; by hand: “A message comes in”: Webhook, {ours}, POST."
    url, method = number.get("sms_url", ""), number.get("sms_method", "")
    if not settings.TWILIO_API_URL and not is_public(settings.PUBLIC_HOST):
        fix = "Set PUBLIC_URL to an https address that the internet reaches; a tunnel gives one."
        return Result("warning", f"Twilio cannot reach {settings.PUBLIC_URL}", fix)
    if address(url) != ours:
        return Result("failed", f"Twilio posts texts to {address(url) or 'nowhere'}", fix)
    if method.upper() != "POST":
        return Result("failed", f"Twilio uses {method or 'no method'}, not POST", fix)
    if number.get("sms_application_sid"):
        return Result("failed", "a TwiML application takes the number's texts", fix)
    return Result("ok", f"POST {ours}")


def _twilio_failure(error: gateway.Unanswered) -> Result:
    said = f"code {error.code}" if error.code else str(error)
    if error.status in (401, 403, 404):
        fix = "Copy Account SID and Auth Token from Twilio's console; a test account cannot text."
        return Result("failed", f"Twilio does not accept the SID and the token ({said})", fix)
    if error.status is None or error.status < 400:
        fix = "Check this machine's network (and TWILIO_API_URL, if you set it)."
        return Result("failed", f"Twilio cannot be asked: {said}", fix)
    fix = "Wait a minute and try again; https://status.twilio.com tells of outages."
    return Result("failed", f"Twilio has a problem (HTTP {error.status}, {said})", fix)


CHECKS = (
    Check("twilio", "Twilio's account", twilio_account, "TWILIO_DEADLINE", gate=True),
    Check("twilio", "Twilio's number", twilio_number, "TWILIO_DEADLINE", gate=True),
    Check("twilio", "Twilio's webhook", twilio_webhook, "TWILIO_DEADLINE"),
)
