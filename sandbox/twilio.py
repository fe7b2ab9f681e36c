"""The stand-in for Twilio's REST API: messages, the account and its one number."""

import base64
import binascii
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import urlencode, urlsplit

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path

from sandbox.exchange import Message, Refusal, segments
from sandbox.http import Json, Stop, by_method, number, stand_in
from sandbox.state import Sandbox, Service

API = "2010-04-01"
NUMBER_SID = "PN" + "5a" * 16
LARGEST_PAGE = 1000
DAY = "YYYY-MM-DD"


def error(status: int, code: int, message: str) -> HttpResponse:
    """Twilio's answer to a request that it does not serve."""
    more = f"https://www.twilio.com/docs/errors/{code}"
    body = {"code": code, "message": message, "more_info": more, "status": status}
    return JsonResponse(body, status=status)


def not_found(request: HttpRequest) -> HttpResponse:
    """Twilio's 404."""
    return error(404, 20404, f"The requested resource {request.path} was not found")


def _refuse(request: HttpRequest, box: Sandbox) -> HttpResponse | None:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    try:
        given = base64.b64decode(encoded, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        given = ""
    right = f"{box.config.account_sid}:{box.config.auth_token}"
    if scheme.casefold() == "basic" and given == right:
        return None
    response = error(401, 20003, "Authenticate")
    response["WWW-Authenticate"] = 'Basic realm="Twilio API"'
    return response


def _down() -> HttpResponse:
    return error(503, 20503, "Service unavailable")


api = stand_in(Service.TWILIO, _down, _refuse)


def _date(moment: datetime) -> str:
    return format_datetime(moment.replace(microsecond=0))


def _account(request: HttpRequest, box: Sandbox, account: str) -> None:
    if account != box.config.account_sid:
        raise Stop(not_found(request))


def message_json(message: Message, box: Sandbox) -> Json:
    """A message as Twilio shows it."""
    now, account = box.clock(), box.config.account_sid
    uri = f"/{API}/Accounts/{account}/Messages/{message.sid}"
    status = message.status(now)
    return {
        "account_sid": account,
        "api_version": API,
        "body": message.body,
        "date_created": _date(message.created),
        "date_sent": None if status == "queued" else _date(message.created),
        "date_updated": _date(message.created),
        "direction": "inbound" if message.inbound else "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": message.sender,
        "messaging_service_sid": None,
        "num_media": "0",
        "num_segments": str(segments(message.body)),
        "price": None,
        "price_unit": "USD",
        "sid": message.sid,
        "status": status,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": message.recipient,
        "uri": f"{uri}.json",
    }


@api
def send(request: HttpRequest, box: Sandbox, account: str) -> HttpResponse:
    """POST Messages.json: 201 and the queued message, or Twilio's refusal."""
    _account(request, box, account)
    form = request.POST
    sender = form.get("From") or (box.config.phone_number if "MessagingServiceSid" in form else "")
    callback = form.get("StatusCallback", "")
    if callback and not _usable(callback):
        return error(400, 21609, f"The StatusCallback URL {callback} is not a valid URL.")
    try:
        message = box.exchange.send(
            form.get("To", ""), sender, form.get("Body", ""), now=box.clock()
        )
    except Refusal as refusal:
        return error(refusal.status, refusal.code, refusal.message)
    if callback:
        box.follow(message, callback)
    return JsonResponse(message_json(message, box), status=201)


def _usable(url: str) -> bool:
    parts = urlsplit(url)
    host = parts.hostname or ""
    return parts.scheme in {"http", "https"} and bool(host) and "_" not in host


@api
def messages(request: HttpRequest, box: Sandbox, account: str) -> HttpResponse:
    """GET Messages.json?To=&From=&DateSent=&DateSent>=&DateSent<=&PageSize=&Page=: newest first."""
    _account(request, box, account)
    query = request.GET
    wanted = _sent_within(query.get("DateSent"), query.get("DateSent>"), query.get("DateSent<"))
    found = [
        message
        for message in reversed(box.exchange.messages)
        if query.get("To", message.recipient) == message.recipient
        and query.get("From", message.sender) == message.sender
        and wanted(message.created)
    ]
    size = min(max(number(query.get("PageSize"), 50), 1), LARGEST_PAGE)
    page = max(number(query.get("Page"), 0), 0)
    shown = found[page * size : (page + 1) * size]
    more = len(found) > (page + 1) * size
    for message in shown:
        # A text that could not be posted reaches the product in this list, too.
        if message.handed_over is False:
            message.handed_over = True

    def uri(which: int) -> str:
        kept = {name: query[name] for name in ("To", "From") if name in query}
        kept |= {name: query[name] for name in query if name.startswith("DateSent")}
        return f"{request.path}?{urlencode(kept | {'PageSize': size, 'Page': which})}"

    return JsonResponse(
        {
            "messages": [message_json(message, box) for message in shown],
            "page": page,
            "page_size": size,
            "start": page * size,
            "end": page * size + max(len(shown) - 1, 0),
            "uri": uri(page),
            "first_page_uri": uri(0),
            "previous_page_uri": uri(page - 1) if page else None,
            "next_page_uri": uri(page + 1) if more else None,
        }
    )


def _sent_within(
    on: str | None, since: str | None, until: str | None
) -> Callable[[datetime], bool]:
    """A test for a message's moment, out of Twilio's three filters (dates or moments, in UTC)."""
    # A plain DateSent names a day, even where a client adds midnight to it.
    on = on and on[: len(DAY)]
    spans = []
    for text, first, last in ((on, True, True), (since, True, False), (until, False, True)):
        if text:
            start, end = _span(text)
            spans.append((start if first else None, end if last else None))

    def within(moment: datetime) -> bool:
        moment = moment.replace(microsecond=0)
        return all(
            (start is None or start <= moment) and (end is None or moment <= end)
            for start, end in spans
        )

    return within


def _span(text: str) -> tuple[datetime, datetime]:
    """From the first to the last second of what `text` names: a day, or one moment."""
    try:
        moment = datetime.fromisoformat(text.strip().replace(" ", "+"))
    except ValueError as problem:
        message = f"Invalid date: {text}"
        raise Stop(error(400, 20001, message)) from problem
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    is_day = len(text.strip()) == len(DAY)
    return moment, moment + timedelta(days=1, seconds=-1) if is_day else moment


@api
def message(request: HttpRequest, box: Sandbox, account: str, sid: str) -> HttpResponse:
    """GET Messages/{sid}.json."""
    _account(request, box, account)
    found = box.exchange.find(sid)
    return JsonResponse(message_json(found, box)) if found else not_found(request)


@api
def account(request: HttpRequest, box: Sandbox, account: str) -> HttpResponse:
    """GET Accounts/{sid}.json."""
    _account(request, box, account)
    facts = {"sid": account, "friendly_name": "Sandbox", "status": "active", "type": "Full"}
    return JsonResponse(facts | {"uri": f"/{API}/Accounts/{account}.json"})


def _number(box: Sandbox) -> Json:
    account = box.config.account_sid
    return {
        "account_sid": account,
        "api_version": API,
        "capabilities": {"voice": False, "sms": True, "mms": False, "fax": False},
        "friendly_name": "Movies",
        "phone_number": box.config.phone_number,
        "sid": NUMBER_SID,
        **box.exchange.setup,
        "status_callback": "",
        "uri": f"/{API}/Accounts/{account}/IncomingPhoneNumbers/{NUMBER_SID}.json",
    }


@api
def numbers(request: HttpRequest, box: Sandbox, account: str) -> HttpResponse:
    """GET IncomingPhoneNumbers.json?PhoneNumber=."""
    _account(request, box, account)
    ours = request.GET.get("PhoneNumber", box.config.phone_number) == box.config.phone_number
    return JsonResponse(
        {
            "incoming_phone_numbers": [_number(box)] if ours else [],
            "page": 0,
            "page_size": 50,
            "start": 0,
            "end": 0,
            "uri": request.get_full_path(),
            "first_page_uri": request.get_full_path(),
            "next_page_uri": None,
            "previous_page_uri": None,
        }
    )


@api
def one_number(request: HttpRequest, box: Sandbox, account: str, sid: str) -> HttpResponse:
    """GET and POST IncomingPhoneNumbers/{sid}.json: a POST may change where texts go."""
    _account(request, box, account)
    if sid != NUMBER_SID:
        return not_found(request)
    if request.method == "POST":
        for name in box.exchange.setup:
            field = name.title().replace("_", "")
            box.exchange.setup[name] = request.POST.get(field, box.exchange.setup[name])
    return JsonResponse(_number(box))


OURS = f"{API}/Accounts/<str:account>"
urlpatterns = [
    path(f"{OURS}.json", by_method(GET=account)),
    path(f"{OURS}/Messages.json", by_method(GET=messages, POST=send)),
    path(f"{OURS}/Messages/<str:sid>.json", by_method(GET=message)),
    path(f"{OURS}/IncomingPhoneNumbers.json", by_method(GET=numbers)),
    path(f"{OURS}/IncomingPhoneNumbers/<str:sid>.json", by_method(GET=one_number, POST=one_number)),
]
