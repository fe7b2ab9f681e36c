"""`/healthz`: whether the parts are up, for a probe and for the owner. No secrets, no people."""

from django.db import Error as DatabaseFailure
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from downloads import services
from moviesms import live
from moviesms.models import Incident


@csrf_exempt
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while texts can be taken, 503 when the database is down.

    `redis` and `monitor` tell what is slow or silent without it; `incidents` counts what the owner
    must act on.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        monitor = services.monitor_status(timezone.now())
        incidents = Incident.objects.filter(closed_at=None).count()
    except DatabaseFailure:
        return JsonResponse({"status": "down", "database": "down"}, status=503)
    redis = live.try_call(lambda client: client.ping())
    return JsonResponse(
        {
            "status": "ok" if redis and monitor["alive"] and not incidents else "degraded",
            "database": "up",
            "redis": "up" if redis else "down",
            "monitor": {
                "alive": monitor["alive"],
                "wanted": monitor["wanted"],
                "last_tick": monitor["last_tick"],
            },
            "incidents": incidents,
        }
    )
