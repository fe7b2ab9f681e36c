"""`/metrics`: what Prometheus reads, counted in SQL when it asks.

Nothing is counted in a process: there are several, they come and go, and a counter must be right.
What only a moment knows (the monitor's heartbeat, which services are left alone) is in Redis.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, DurationField, ExpressionWrapper, F, Min, Q, QuerySet, Sum
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import Metric
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.request import Request
from rest_framework.views import APIView

from downloads import services
from downloads.models import Download, DownloadEvent, DownloadRequest
from moviesms import live, quotas
from moviesms.models import Incident
from smsbot.models import InboundMessage, OutboundAttempt, OutboundMessage

SERVICES = ("radarr", "tmdb", "twilio", "openai")
_SECONDS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300)
_LONG = (60, 300, 900, 1800, 3600, 3 * 3600, 6 * 3600, 86400, 7 * 86400)

Rows = QuerySet[Any]


class OneFormat(BaseContentNegotiation):
    """Prometheus names formats that the interface does not know; we choose among its own."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: Any = None) -> Any:
        return renderers[0], renderers[0].media_type


class Metrics(APIView):
    """What Prometheus reads, with any key to the interface."""

    content_negotiation_class = OneFormat

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Collector())
        encode, content_type = choose_encoder(request.headers.get("Accept", ""))
        return HttpResponse(encode(registry), content_type=content_type)


class Collector:
    """Yields every metric as it is now (prometheus_client's way)."""

    def collect(self) -> Iterator[Metric]:
        now = timezone.now()
        yield from _texts(now)
        yield from _downloads(now)
        yield from _monitor(now)
        yield from _costs(now)
        yield from _parts()


def _texts(now: datetime) -> Iterator[Metric]:
    inbound, outbound = InboundMessage.objects, OutboundMessage.objects
    counts = {("in", state): n for (state,), n in _by(inbound, "state").items()}
    counts |= {("out", status): n for (status,), n in _by(outbound, "status").items()}
    yield _gauge("moviesms_texts", "Texts by direction and state.", counts, "direction", "status")
    yield _counter("moviesms_texts_received", "Texts that came in.", {(): inbound.count()})
    made = _by(outbound, "purpose")
    yield _counter("moviesms_texts_made", "Texts to people, by purpose.", made, "purpose")
    tries = _by(OutboundAttempt.objects, "outcome")
    help_ = "Calls to hand a text to Twilio, by outcome."
    yield _counter("moviesms_send_attempts", help_, tries, "outcome")
    waiting = {
        ("in",): _age(inbound.filter(state__in=["received", "processing"]), "received_at", now),
        ("out",): _age(outbound.filter(status__in=["queued", "sending"]), "created_at", now),
        ("unknown",): _age(outbound.filter(status="unknown"), "created_at", now),
    }
    help_ = "Age of the oldest text that waits to be answered, sent or cleared up; 0 for none."
    yield _gauge("moviesms_oldest_waiting_text_seconds", help_, waiting, "queue")
    answered = inbound.filter(state="handled")
    help_ = "From a text's arrival to its answer being written."
    yield _histogram("moviesms_answer_seconds", help_, answered, "received_at", "handled_at")
    sent = outbound.filter(sent_at__isnull=False)
    help_ = "From a text being written to Twilio having it."
    yield _histogram("moviesms_send_seconds", help_, sent, "created_at", "sent_at")


def _downloads(now: datetime) -> Iterator[Metric]:
    yield _gauge("moviesms_downloads", "By status.", _by(Download.objects, "status"), "status")
    requests = _by(DownloadRequest.objects, "state")
    yield _gauge("moviesms_requests", "What people asked for, by state.", requests, "state")
    events = _by(DownloadEvent.objects, "kind")
    yield _counter("moviesms_events", "What happened to downloads, by kind.", events, "kind")
    untold = DownloadEvent.objects.filter(processed_at=None)
    yield _gauge("moviesms_events_untold", "Events not handed out yet.", {(): untold.count()})
    oldest = {(): _age(untold, "created_at", now)}
    yield _gauge("moviesms_oldest_untold_event_seconds", "Its age; 0 for none.", oldest)
    done = Download.objects.filter(status="completed", completed_at__isnull=False)
    yield _histogram(
        "moviesms_download_seconds",
        "From the ask to the film being there.",
        done,
        "generation_started_at",
        "completed_at",
        _LONG,
    )


def _monitor(now: datetime) -> Iterator[Metric]:
    state = services.monitor_status(now)
    yield _gauge("moviesms_monitor_up", "1 while a monitor is at work.", {(): state["alive"]})
    wanted = {(): state["wanted"] == "running"}
    yield _gauge("moviesms_monitor_wanted", "1 while ticks are wanted.", wanted)
    failed = {(): bool(state["error"])}
    yield _gauge("moviesms_monitor_last_tick_failed", "1 if the last tick failed.", failed)
    if state["last_tick"]:
        age = {(): (now - datetime.fromisoformat(state["last_tick"])).total_seconds()}
        yield _gauge("moviesms_monitor_tick_age_seconds", "Since the last tick began.", age)
    if state["tick_seconds"] is not None:
        took = {(): state["tick_seconds"]}
        yield _gauge("moviesms_monitor_tick_seconds", "How long the last tick took.", took)


def _costs(now: datetime) -> Iterator[Metric]:
    caps = {
        "sms": settings.SMS_DAILY_CAP,
        "openai:calls": settings.OPENAI_DAILY_CALLS,
        "openai:tokens": settings.OPENAI_DAILY_TOKENS,
    }
    used = {(key,): quotas.used(key, now=now) for key in caps}
    yield _gauge("moviesms_spent_today", "Texts, model calls and tokens today.", used, "what")
    allowed = {(key,): cap for key, cap in caps.items()}
    yield _gauge("moviesms_daily_cap", "How many a day may have; 0 for no cap.", allowed, "what")


def _parts() -> Iterator[Metric]:
    incidents = {(): Incident.objects.filter(closed_at=None).count()}
    yield _gauge("moviesms_incidents_open", "What the owner must act on.", incidents)
    left_alone = live.left_alone(SERVICES)
    yield _gauge("moviesms_redis_up", "1 while Redis answers.", {(): left_alone is not None})
    if left_alone is not None:
        help_ = "1 while some process leaves a service alone, since it has just failed."
        states = {(name,): is_open for name, is_open in left_alone.items()}
        yield _gauge("moviesms_breaker_open", help_, states, "service")


# --- From rows to metrics -----------------------------------------------------------------------

Values = Mapping[Any, float]
# By label values, a tuple; `Any` since () and (str,) are types of their own.


def _by(rows: Any, field: str) -> Values:
    """Count rows by the value of a field."""
    found = rows.order_by().values_list(field).annotate(n=Count("pk")).values_list(field, "n")
    return {(value,): n for value, n in found}


def _age(rows: Rows, field: str, now: datetime) -> float:
    oldest = rows.aggregate(oldest=Min(field))["oldest"]
    return max(0.0, (now - oldest).total_seconds()) if oldest else 0.0


def _filled(metric: Any, values: Values) -> Any:
    for labels, value in values.items():
        metric.add_metric(labels, value)
    return metric


def _gauge(name: str, help_: str, values: Values, *labels: str) -> Metric:
    gauge: Metric = _filled(GaugeMetricFamily(name, help_, labels=labels), values)
    return gauge


def _counter(name: str, help_: str, values: Values, *labels: str) -> Metric:
    counter: Metric = _filled(CounterMetricFamily(name, help_, labels=labels), values)
    return counter


def _histogram(
    name: str, help_: str, rows: Rows, start: str, end: str, bounds: Iterable[float] = _SECONDS
) -> Metric:
    """Make a histogram of the time between two fields, in one query."""
    took = ExpressionWrapper(F(end) - F(start), output_field=DurationField())
    counts = {
        f"le_{number}": Count("pk", filter=Q(took__lte=timedelta(seconds=bound)))
        for number, bound in enumerate(bounds)
    }
    found = rows.annotate(took=took).aggregate(n=Count("pk"), total=Sum("took"), **counts)
    buckets = [(str(float(bound)), found[f"le_{number}"]) for number, bound in enumerate(bounds)]
    total = found["total"].total_seconds() if found["total"] else 0.0
    return HistogramMetricFamily(
        name, help_, buckets=[*buckets, ("+Inf", found["n"])], sum_value=total
    )
