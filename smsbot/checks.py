"""System checks of the bot: Twilio, OpenAI, who may ask, how we speak, and the order of waits."""

import re
from typing import Any
from urllib.parse import urlsplit

import phonenumbers
from django.conf import settings
from django.core.checks import Error, Info, Warning, register

from moviesms.checks import (
    CONFIGURATION,
    Messages,
    address_problem,
    has_more_than_a_host,
    is_key,
    is_public,
    too_short,
)
from smsbot.language import AUTOMATIC, languages

POLICIES = ("open", "allowlist", "ask-owner")
APPROVALS = ("none", "all")
STYLES = ("rich", "plain")
HELP_ANSWERS = ("twilio", "ours")

_ACCOUNT = ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_PHONE_NUMBER")
_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")


# --- Twilio -------------------------------------------------------------------------------------


@register(CONFIGURATION)
def twilio(**_: Any) -> Messages:
    """W001, E001: Twilio is configured, wholly or not at all."""
    missing = [name for name in _ACCOUNT if not getattr(settings, name)]
    if not missing:
        return []
    if len(missing) == len(_ACCOUNT):
        message = "Twilio is not configured: no text comes in and none is sent."
        return [Warning(message, hint=f"Set {', '.join(_ACCOUNT)}.", id="smsbot.W001")]
    message = f"Twilio is half configured: {' and '.join(missing)} missing."
    hint = f"Set {' and '.join(missing)} too; Twilio's console shows them."
    return [Error(message, hint=hint, id="smsbot.E001")]


@register(CONFIGURATION)
def twilio_account(**_: Any) -> Messages:
    """E002, E003: the account's SID and token have the shape of theirs."""
    sid, token = settings.TWILIO_ACCOUNT_SID, settings.TWILIO_AUTH_TOKEN
    found: Messages = []
    # A stand-in at another address may name its accounts as it likes.
    if sid and not settings.TWILIO_API_URL and not _ACCOUNT_SID.fullmatch(sid):
        message = "TWILIO_ACCOUNT_SID is not AC and 32 hexadecimal digits, in small letters."
        hint = "Copy the Account SID; an API key's (SK…) does not sign webhooks."
        found.append(Error(message, hint=hint, id="smsbot.E002"))
    if not is_key(token):
        hint = "Copy it again, without quotes, spaces or line breaks."
        message = "TWILIO_AUTH_TOKEN holds characters that no token has."
        found.append(Error(message, hint=hint, id="smsbot.E003"))
    return found


@register(CONFIGURATION)
def twilio_number(**_: Any) -> Messages:
    """E004: the number we text from is written as Twilio writes it."""
    number = settings.TWILIO_PHONE_NUMBER
    if not number or is_e164(number):
        return []
    hint = "Write + and the country code, without spaces: +12025550100."
    message = "TWILIO_PHONE_NUMBER is not a phone number in E.164 form."
    return [Error(message, hint=hint, id="smsbot.E004")]


@register(CONFIGURATION)
def twilio_url(**_: Any) -> Messages:
    """E005: TWILIO_API_URL is a server's root."""
    url = settings.TWILIO_API_URL
    problem = address_problem(url) if url else None
    if problem is None and url and has_more_than_a_host(url):
        problem = "must be scheme, host and port alone"
    if problem is None:
        return []
    hint = "Remove TWILIO_API_URL to use Twilio itself."
    return [Error(f"TWILIO_API_URL {problem}.", hint=hint, id="smsbot.E005")]


@register(CONFIGURATION)
def webhooks(**_: Any) -> Messages:
    """W002, W003: Twilio itself reaches us, over https."""
    if not _is_live() or not settings.PUBLIC_HOST:
        return []
    if not is_public(settings.PUBLIC_HOST):
        message = "Twilio cannot reach PUBLIC_URL: texts are fetched now and then, none at once."
        hint = "Set PUBLIC_URL to an https address that the internet reaches; a tunnel gives one."
        return [Warning(message, hint=hint, id="smsbot.W003")]
    if settings.PUBLIC_IS_HTTPS:
        return []
    message = "PUBLIC_URL is not https: texts can be read on their way from Twilio."
    hint = "Put a proxy that ends TLS before moviesms, and set PUBLIC_URL to its address."
    return [Warning(message, hint=hint, id="smsbot.W002")]


@register(CONFIGURATION)
def callback_host(**_: Any) -> Messages:
    """E008: the host that delivery reports go to is one that Twilio takes."""
    if not settings.TWILIO_ACCOUNT_SID or "_" not in settings.PUBLIC_HOST:
        return []
    message = "PUBLIC_URL has an underscore in its host name: Twilio refuses every text of ours."
    hint = "Use a host name of letters, digits, hyphens and dots."
    return [Error(message, hint=hint, id="smsbot.E008")]


def _is_live() -> bool:
    """Whether it is Twilio itself that we speak to, not a stand-in."""
    return bool(settings.TWILIO_ACCOUNT_SID and not settings.TWILIO_API_URL)


# --- OpenAI -------------------------------------------------------------------------------------


@register(CONFIGURATION)
def openai(**_: Any) -> Messages:
    """I001, W004: there is a model to ask."""
    if settings.OPENAI_API_KEY:
        return []
    if settings.OPENAI_BASE_URL:
        message = "OPENAI_BASE_URL is set and OPENAI_API_KEY is not: the model is not asked."
        hint = "Set OPENAI_API_KEY; for a server that wants none, to any word."
        return [Warning(message, hint=hint, id="smsbot.W004")]
    message = "OpenAI is not configured: texts are read by simple rules."
    return [Info(message, hint="Set OPENAI_API_KEY.", id="smsbot.I001")]


@register(CONFIGURATION)
def openai_address(**_: Any) -> Messages:
    """E009, W005, E016: the model's address and key look like ones."""
    found: Messages = []
    url = settings.OPENAI_BASE_URL
    if not is_key(settings.OPENAI_API_KEY):
        hint = "Copy it again, without quotes, spaces or line breaks."
        message = "OPENAI_API_KEY holds characters that no key has."
        found.append(Error(message, hint=hint, id="smsbot.E016"))
    if url and (problem := address_problem(url)):
        hint = "Remove OPENAI_BASE_URL to use OpenAI itself."
        found.append(Error(f"OPENAI_BASE_URL {problem}.", hint=hint, id="smsbot.E009"))
    elif url and not urlsplit(url).path.rstrip("/").endswith("/v1"):
        hint = "Most servers want it: http://127.0.0.1:11434/v1 for Ollama."
        message = "OPENAI_BASE_URL does not end in /v1."
        found.append(Warning(message, hint=hint, id="smsbot.W005"))
    return found


# --- Who may ask, and how we speak --------------------------------------------------------------


@register(CONFIGURATION)
def policy(**_: Any) -> Messages:
    """E010, E011, W006, W007: REQUEST_POLICY is one we know, and has the numbers it needs."""
    word = settings.REQUEST_POLICY
    owners, allowed = settings.OWNER_PHONE_NUMBERS, settings.ALLOWED_PHONE_NUMBERS
    if word not in POLICIES:
        return _not_one_of("REQUEST_POLICY", POLICIES, "smsbot.E010")
    if word == "ask-owner" and not owners:
        message = "REQUEST_POLICY is ask-owner, and there is no owner to ask."
        return [Error(message, hint="Set OWNER_PHONE_NUMBERS.", id="smsbot.E011")]
    if word == "allowlist" and not (owners or allowed):
        message = "REQUEST_POLICY is allowlist, and no number is on the list."
        hint = "Set ALLOWED_PHONE_NUMBERS, or allow contacts in the admin."
        return [Warning(message, hint=hint, id="smsbot.W007")]
    # Nobody can text a stand-in for Twilio but who sits before it.
    return _open_to_all() if word == "open" and not settings.TWILIO_API_URL else []


def _open_to_all() -> Messages:
    message = "REQUEST_POLICY is open: anybody who knows the phone number may ask for films."
    hint = "Set OWNER_PHONE_NUMBERS (strangers are then asked about) or ALLOWED_PHONE_NUMBERS."
    return [Warning(message, hint=hint, id="smsbot.W006")]


@register(CONFIGURATION)
def approval(**_: Any) -> Messages:
    """E024, W008: REQUEST_APPROVAL is a word we know, and there is somebody to ask."""
    if wrong := _not_one_of("REQUEST_APPROVAL", APPROVALS, "smsbot.E024"):
        return wrong
    if settings.REQUEST_APPROVAL == "none" or settings.OWNER_PHONE_NUMBERS:
        return []
    message = "REQUEST_APPROVAL is all, and no owner's phone can be asked."
    hint = "Set OWNER_PHONE_NUMBERS, or decide each request in the admin."
    return [Warning(message, hint=hint, id="smsbot.W008")]


@register(CONFIGURATION)
def limits(**_: Any) -> Messages:
    """E025: what is counted is counted from 0, which means no limit."""
    return [
        Error(
            f"{name} is {getattr(settings, name)}, and must be 0 (no limit) or more.",
            hint=f"Remove {name} to get its default.",
            id="smsbot.E025",
        )
        for name in ("REQUEST_LIMIT", "LOOP_LIMIT")
        if getattr(settings, name) < 0
    ]


@register(CONFIGURATION)
def people(**_: Any) -> Messages:
    """E006, E007: the owner's and the allowed numbers are in E.164 form, and none is our own."""
    hint = "Write + and the country code, without spaces: +12025550142."
    found: Messages = []
    for name in ("OWNER_PHONE_NUMBERS", "ALLOWED_PHONE_NUMBERS"):
        for place, number in enumerate(getattr(settings, name), start=1):
            if not is_e164(number):
                message = f"{name}: number {place} (…{number[-4:]}) is not in E.164 form."
                found.append(Error(message, hint=hint, id="smsbot.E006"))
            elif number == settings.TWILIO_PHONE_NUMBER:
                message = f"{name}: number {place} is TWILIO_PHONE_NUMBER, our own."
                found.append(Error(message, hint="Give a person's number.", id="smsbot.E007"))
    return found


@register(CONFIGURATION)
def words(**_: Any) -> Messages:
    """E012, E013, E020: SMS_STYLE, TWILIO_HELP and SMS_LANGUAGE are words we know."""
    return [
        *_not_one_of("SMS_LANGUAGE", (AUTOMATIC, *languages()), "smsbot.E020"),
        *_not_one_of("SMS_STYLE", STYLES, "smsbot.E012"),
        *_not_one_of("TWILIO_HELP", HELP_ANSWERS, "smsbot.E013"),
    ]


@register(CONFIGURATION)
def segment_cost(**_: Any) -> Messages:
    """E019: SMS_SEGMENT_COST is a price: a number that is not negative."""
    cost = settings.SMS_SEGMENT_COST
    if cost.is_finite() and cost >= 0:
        return []
    message = f"SMS_SEGMENT_COST is {cost}, which is no price."
    return [Error(message, hint="Set it to a number such as 0.0108, or to 0.", id="smsbot.E019")]


def _not_one_of(name: str, words: tuple[str, ...], check_id: str) -> Messages:
    if getattr(settings, name) in words:
        return []
    message = f"{name} is {getattr(settings, name)!r}, which is none of {', '.join(words)}."
    return [Error(message, hint=f"Set {name} to one of them.", id=check_id)]


def is_e164(number: str) -> bool:
    """Whether a phone number is written in E.164 form, and can exist."""
    try:
        parsed = phonenumbers.parse(number, None)
    except phonenumbers.NumberParseException:
        return False
    written = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return bool(written == number and phonenumbers.is_possible_number(parsed))


# --- The order of waits -------------------------------------------------------------------------


@register(CONFIGURATION)
def unknown_first_check(**_: Any) -> Messages:
    """E014: who asks whether a text went out asks when it must be listed, had it gone."""
    wait = settings.UNKNOWN_FIRST_CHECK
    needed = settings.SEND_START_LIMIT + settings.TWILIO_DEADLINE + settings.UNKNOWN_TAIL
    if wait >= needed:
        return []
    message = (
        f"UNKNOWN_FIRST_CHECK is {wait:g} s, and must be at least {needed:g} s (SEND_START_LIMIT + "
        f"TWILIO_DEADLINE + UNKNOWN_TAIL): else a text could go out twice."
    )
    return [Error(message, hint="Raise UNKNOWN_FIRST_CHECK.", id="smsbot.E014")]


@register(CONFIGURATION)
def unknown_resend(**_: Any) -> Messages:
    """E015: the second look, after which a text is sent again, comes after the first."""
    why = "UNKNOWN_FIRST_CHECK comes before it"
    needed = settings.UNKNOWN_FIRST_CHECK
    return too_short("UNKNOWN_RESEND_AFTER", needed, why, "smsbot.E015")


@register(CONFIGURATION)
def send_lease(**_: Any) -> Messages:
    """E017: a text is not taken from who may still be sending it."""
    why = "a send may start after SEND_START_LIMIT and last TWILIO_DEADLINE"
    needed = settings.SEND_START_LIMIT + settings.TWILIO_DEADLINE
    return too_short("SEND_LEASE", needed, why, "smsbot.E017")


@register(CONFIGURATION)
def inbound_lease(**_: Any) -> Messages:
    """E018: a text is not taken from who still answers it; renewed between steps."""
    why = "OPENAI_DEADLINE twice, TMDB_DEADLINE twice and RADARR_DEADLINE may pass under it"
    needed = 2 * settings.OPENAI_DEADLINE + 2 * settings.TMDB_DEADLINE + settings.RADARR_DEADLINE
    return too_short("INBOUND_LEASE", needed, why, "smsbot.E018")
