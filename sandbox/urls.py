"""Every path of the sandbox: Twilio at the root, the other services each under their name."""

from django.urls import include, path

urlpatterns = [
    path("", include("sandbox.twilio")),
    path("radarr/", include("sandbox.radarr")),
    path("tmdb/", include("sandbox.tmdb")),
    path("openai/v1/", include("sandbox.openai")),
    path("", include("sandbox.phone")),
]
