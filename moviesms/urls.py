"""All addresses of moviesms. Those under `api/` have no trailing slash."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from moviesms import health, metrics

urlpatterns: list[URLPattern | URLResolver] = [
    path("api/sms/", include("smsbot.urls")),  # first: no text waits while others are compared
    path("", RedirectView.as_view(pattern_name="admin:index"), name="home"),
    path("admin/", include("dashboard.urls")),
    path("admin/", admin.site.urls),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("api/sms/", include("downloads.urls")),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", metrics.Metrics.as_view(), name="metrics"),
]

handler404 = "moviesms.errors.not_found"
