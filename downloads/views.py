"""The HTTP interface of the downloads: read, ask, cancel, retry, and steer the monitor."""

import hmac
import uuid
from base64 import b64decode
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.module_loading import import_string
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.exceptions import ParseError
from rest_framework.pagination import PageNumberPagination
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from downloads import serializers, services
from downloads.models import Download, MonitorState
from moviesms.errors import ApiError

ERROR = serializers.ErrorSerializer


def _download(request: Request, tmdb_id: int) -> Download:
    query = serializers.MediaQuerySerializer(data=request.query_params)
    query.is_valid(raise_exception=True)
    try:
        return services.download(tmdb_id, query.validated_data["media_type"])
    except services.UnknownFilm as error:
        raise ApiError("not_found", "Nobody has asked for this film.", 404) from error


def _unavailable(error: services.ServiceError) -> ApiError:
    return ApiError(f"{error.service.lower()}_unavailable", str(error), 503)


def _completed(error: services.AlreadyCompleted) -> ApiError:
    return ApiError("already_completed", f"{error} is in the library already.", 409)


class Pages(PageNumberPagination):
    """Fifty to a page, or as many as are asked for, up to 200."""

    page_size = 50
    page_size_query_param = "page_size"
    max_page_size = 200


def _request(match: services.Match, address: str) -> services.Taken:
    """Ask for a film on the terms of whom it is for. Raises NotAllowed."""
    now = timezone.now()
    rule = import_string(settings.DOWNLOADS_REQUESTER_RULE)(address, match, now)
    origin = f"{services.API_ORIGIN}{uuid.uuid4()}"
    return services.request_movie(match, address, origin=origin, now=now, rule=rule)


def _not_allowed(refusal: services.NotAllowed) -> ApiError:
    if refusal.free_at is None:
        return ApiError(refusal.code, "The owner does not want this film asked for.", 403)
    detail = "This person has asked for as many films as they may; see free_at."
    return ApiError(refusal.code, detail, 403, free_at=refusal.free_at.isoformat())


def _status_of(taken: services.Taken) -> int:
    if taken.outcome == services.Outcome.PENDING:
        return status.HTTP_202_ACCEPTED
    is_new = taken.outcome in (services.Outcome.ADDED, services.Outcome.SAVED)
    return status.HTTP_201_CREATED if taken.created and is_new else status.HTTP_200_OK


class ShallowJSONParser(JSONParser):
    """JSON whose nesting Python can follow; deeper is a bad request like any other."""

    def parse(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().parse(*args, **kwargs)
        except RecursionError as error:
            raise ParseError("JSON parse error - nested too deeply") from error


class DownloadList(generics.GenericAPIView[Download]):
    """All downloads, and asking for one."""

    queryset = Download.objects.all()
    serializer_class = serializers.DownloadSerializer
    pagination_class = Pages
    parser_classes = [ShallowJSONParser, FormParser, MultiPartParser]

    @extend_schema(
        parameters=[serializers.ListQuerySerializer],
        responses={200: serializers.DownloadSerializer(many=True), 400: ERROR, 404: ERROR},
    )
    def get(self, request: Request) -> Response:
        """List downloads, the latest change first; filter by status, requester and title."""
        query = serializers.ListQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        page = self.paginate_queryset(services.find_downloads(**query.validated_data))
        return self.get_paginated_response(serializers.DownloadSerializer(page, many=True).data)

    @extend_schema(
        request=serializers.CreateDownloadSerializer,
        responses={
            **dict.fromkeys((200, 201, 202), serializers.AskedSerializer),
            **dict.fromkeys((400, 403, 404, 409, 503), ERROR),
        },
    )
    def post(self, request: Request) -> Response:
        """Ask for a film on somebody's behalf; they are told by SMS, as if they had asked."""
        form = serializers.CreateDownloadSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        refusal = import_string(settings.DOWNLOADS_REQUESTER_POLICY)(asked["phone_number"])
        if refusal is not None:
            raise ApiError(refusal, "This phone number may not ask, or is not written to.", 403)
        try:
            match = self._match(asked)
        except services.ServiceError as error:
            raise _unavailable(error) from error
        try:
            taken = _request(match, asked["phone_number"])
        except services.NotAllowed as why:
            raise _not_allowed(why) from why
        import_string(settings.DOWNLOADS_ON_EVENTS)()
        state = services.request(taken.request_id).state
        data = serializers.AskedSerializer(taken.download, context={"state": state}).data
        return Response(data, status=_status_of(taken))

    def _match(self, asked: dict[str, Any]) -> services.Match:
        if "tmdb_id" in asked:
            try:
                return services.film(asked["tmdb_id"])
            except services.UnknownFilm as error:
                raise ApiError("unknown_film", "TMDB has no film of this id.", 404) from error
        found = services.resolve(asked["title"], asked.get("year"))
        if not found.matches:
            raise ApiError("unknown_film", "TMDB has no film of this title.", 404)
        if not found.sure:
            raise ApiError(
                "ambiguous",
                "Several films may be meant; ask again with a tmdb_id.",
                409,
                matches=[match.as_dict() for match in found.matches],
            )
        return found.matches[0]


class DownloadDetail(APIView):
    """One download."""

    @extend_schema(
        parameters=[serializers.MediaQuerySerializer],
        responses={200: serializers.DownloadDetailSerializer, 404: ERROR},
    )
    def get(self, request: Request, tmdb_id: int) -> Response:
        """Return a download with its live progress, requesters (masked) and timeline."""
        return Response(serializers.DownloadDetailSerializer(_download(request, tmdb_id)).data)


class CancelDownload(APIView):
    """Cancelling."""

    @extend_schema(
        request=None,
        parameters=[serializers.MediaQuerySerializer],
        responses={200: serializers.DownloadDetailSerializer, 404: ERROR, 409: ERROR},
    )
    def post(self, request: Request, tmdb_id: int) -> Response:
        """End a download for all who asked, and tell them."""
        download = _download(request, tmdb_id)
        try:
            services.cancel_download(download, now=timezone.now())
        except services.AlreadyCompleted as error:
            raise _completed(error) from error
        return Response(serializers.DownloadDetailSerializer(download).data)


class RetryDownload(APIView):
    """Trying again."""

    @extend_schema(
        request=None,
        parameters=[serializers.MediaQuerySerializer],
        responses={
            200: serializers.DownloadDetailSerializer,
            **dict.fromkeys((404, 409, 503), ERROR),
        },
    )
    def post(self, request: Request, tmdb_id: int) -> Response:
        """Ask again for what failed or was cancelled; search anew for what is on its way."""
        download = _download(request, tmdb_id)
        try:
            services.retry_download(download, now=timezone.now())
        except services.AlreadyCompleted as error:
            raise _completed(error) from error
        except services.ServiceError as error:
            raise _unavailable(error) from error
        return Response(serializers.DownloadDetailSerializer(download).data)


class Events(APIView):
    """The feed of what happens."""

    @extend_schema(
        parameters=[serializers.FeedQuerySerializer],
        responses={200: serializers.FeedSerializer, 400: ERROR},
    )
    def get(self, request: Request) -> Response:
        """Return the events behind a cursor, oldest first; `next_after` is the next cursor."""
        query = serializers.FeedQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        after = query.validated_data["after"]
        found = services.happenings(after, query.validated_data["limit"], now=timezone.now())
        last = found[-1].event.pk if found else after
        return Response(serializers.FeedSerializer({"events": found, "next_after": last}).data)


class MonitorStatus(APIView):
    """The monitor's state."""

    @extend_schema(responses=serializers.MonitorSerializer)
    def get(self, request: Request) -> Response:
        """Return the wanted state, who leads, the last and the next tick, counts and errors."""
        return Response(serializers.MonitorSerializer(services.monitor_status(timezone.now())).data)


class _SetMonitor(APIView):
    wanted: str

    @extend_schema(request=None, responses={200: serializers.MonitorSerializer, 503: ERROR})
    def post(self, request: Request) -> Response:
        try:
            state = services.set_monitor(self.wanted, now=timezone.now())
        except services.MonitorNotRunning as error:
            raise ApiError(
                "monitor_not_running",
                "No monitor process is alive; the wish is kept. Start one with: "
                "python manage.py run_download_monitor",
                503,
            ) from error
        return Response(serializers.MonitorSerializer(state).data)


class StartMonitor(_SetMonitor):
    """Have the monitor tick."""

    wanted = MonitorState.Wanted.RUNNING


class StopMonitor(_SetMonitor):
    """Have the monitor stop ticking; texts go on."""

    wanted = MonitorState.Wanted.STOPPED


class RadarrWebhook(APIView):
    """Radarr's Connect webhook: a hint to look now. It changes nothing by itself."""

    authentication_classes: list[type] = []
    permission_classes = [AllowAny]
    throttle_classes: list[type] = []

    @extend_schema(exclude=True)
    def post(self, request: Request) -> Response:
        if not _knows_secret(request):
            raise ApiError("forbidden", "The secret is missing or wrong.", 403)
        services.wake_monitor()
        return Response({"status": "noted"})

    put = post


def _knows_secret(request: Request) -> bool:
    """Whether the header X-Webhook-Secret, or the Basic password, is RADARR_WEBHOOK_SECRET."""
    expected = settings.RADARR_WEBHOOK_SECRET.encode()
    given = request.headers.get("X-Webhook-Secret", "").encode() or _basic_password(request)
    return bool(expected) and hmac.compare_digest(given, expected)


def _basic_password(request: Request) -> bytes:
    scheme, _, encoded = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return b""
    try:
        return b64decode(encoded, validate=True).partition(b":")[2]
    except ValueError:
        return b""
