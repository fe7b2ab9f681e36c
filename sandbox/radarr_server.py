"""What Radarr tells of itself: profiles, folders, indexers, notifications and its state."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import radarr_json as wire
from sandbox.http import Json, json_body, world
from sandbox.library import QUALITY_PROFILES
from sandbox.radarr_rules import answer, api, malformed, unavailable
from sandbox.state import Sandbox, Service


@api
def quality_profiles(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET qualityprofile."""
    return answer([wire.quality_profile(profile_id) for profile_id in QUALITY_PROFILES])


@api
def root_folders(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET rootfolder."""
    return answer([wire.root_folder()])


@api
def nothing(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET tag, health: nothing to report."""
    return answer([])


@api
def indexers(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET indexer: one, enabled for every use."""
    uses = dict.fromkeys(
        (
            "enableRss",
            "enableAutomaticSearch",
            "enableInteractiveSearch",
            "supportsRss",
            "supportsSearch",
        ),
        True,
    )
    facts = {"name": "Sandbox", "implementation": "Torznab", "implementationName": "Torznab"}
    lists: Json = {"fields": [], "tags": []}
    return answer([facts | uses | lists | {"protocol": "torrent", "priority": 25, "id": 1}])


@api
def notifications(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET notification: the Connect webhooks that were made."""
    return answer(box.library.notifications)


@api
def add_notification(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """POST notification: kept and given back; the sandbox tells its own app URL anyway."""
    body = json_body(request, malformed) | {"id": len(box.library.notifications) + 1}
    box.library.notifications.append(body)
    return answer(body, 201)


@api
def system_status(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET system/status."""
    return answer(
        {
            "appName": "Radarr",
            "instanceName": "Radarr",
            "version": wire.VERSION,
            "buildTime": "2025-11-01T00:00:00Z",
            "isProduction": True,
            "isDocker": False,
            "isLinux": True,
            "mode": "console",
            "branch": "master",
            "databaseType": "sqLite",
            "authentication": "forms",
            "urlBase": "/radarr",
            "runtimeName": ".NET",
        }
    )


@world
def ping(request: HttpRequest, box: Sandbox) -> HttpResponse:
    """GET ping: no key needed."""
    return unavailable() if Service.RADARR in box.down else JsonResponse({"status": "OK"})
