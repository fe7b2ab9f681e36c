"""`/healthz`: whether the parts are up, for the owner; `/readyz`: whether to send us traffic.

No secrets, no people.
"""

from django.db import Error as DatabaseFailure
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from downloads import services
from moviesms import live
from moviesms.incidents import open_faults
from moviesms.machines import for_machines


@for_machines
@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 while texts can be taken, 503 when the database is down.

    `redis` and `monitor` tell what is slow or silent without it; `incidents` counts what is wrong
    with moviesms itself and what it needs.
    """
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        monitor = services.monitor_status(timezone.now())
        incidents = open_faults().count()
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


_migrated = False


@for_machines
@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when the database answers and has every migration, else 503 with the reason.

    Redis, the monitor and the services are left out on purpose: texts are taken without them, and
    a restart mends none of them.
    """
    global _migrated  # once applied they stay so, and looking takes a while
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
        _migrated = _migrated or not unapplied_migrations()
    except DatabaseFailure:
        return JsonResponse({"ready": False, "reason": "the database is down"}, status=503)
    if not _migrated:
        reason = "migrations are not applied: run manage.py migrate"
        return JsonResponse({"ready": False, "reason": reason}, status=503)
    return JsonResponse({"ready": True})


def unapplied_migrations() -> list[str]:
    """Return the names of migrations that the database lacks."""
    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [str(migration) for migration, _ in plan]
