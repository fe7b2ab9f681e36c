"""What Radarr tells of itself: profiles, folders, indexers, notifications and its state."""

from django.http import HttpRequest, HttpResponse, JsonResponse

from sandbox import radarr_json as wire
from sandbox.courier import deliver
from sandbox.http import Json, json_body, world
from sandbox.library import QUALITY_PROFILES
from sandbox.outbox import Post
from sandbox.radarr_rules import answer, api, invalid, malformed, not_found, unavailable
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
    """POST notification: tried, kept and given back; the sandbox tells its own app URL anyway."""
    body = json_body(request, malformed)
    if any(kept["name"] == body.get("name") for kept in box.library.notifications):
        raise invalid("Name", "Should be unique", body.get("name"), "UniqueNameValidator")
    _try_out(body)
    taken = [kept["id"] for kept in box.library.notifications]
    body |= {"id": max(taken, default=0) + 1}
    box.library.notifications.append(body)
    return answer(body, 201)


@api
def one_notification(request: HttpRequest, box: Sandbox, notification_id: int) -> HttpResponse:
    """GET, PUT and DELETE notification/{id}; what changes is tried before it is kept."""
    kept = next((k for k in box.library.notifications if k["id"] == notification_id), None)
    if kept is None:
        return not_found()
    if request.method == "DELETE":
        box.library.notifications.remove(kept)
        return answer({})
    if request.method == "PUT":
        changed = json_body(request, malformed) | {"id": notification_id}
        _try_out(changed)
        kept.clear()
        kept.update(changed)
        return answer(kept, 202)
    return answer(kept)


def _try_out(body: Json) -> None:
    """Post a Test event as the connection says; Radarr keeps none that is not taken."""
    fields = {field["name"]: field.get("value") for field in body.get("fields") or []}
    headers = {header["key"]: header["value"] for header in fields.get("headers") or []}
    url = str(fields.get("url") or "")
    movie = {"id": 1, "title": "Test Title", "year": 1970, "folderPath": "C:\\testpath"}
    event = {"eventType": "Test", "instanceName": "Radarr", "movie": movie}
    if not url.startswith("http") or not deliver(Post(url, headers, json=event)):
        message = "Unable to send test message: Unable to post to webhook"
        raise invalid("Url", message, url, None)


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
