from django.urls import path

from downloads import views

urlpatterns = [
    path("radarr/webhook", views.RadarrWebhook.as_view(), name="radarr-webhook"),
    path("downloads", views.DownloadList.as_view(), name="downloads"),
    path("downloads/<int:tmdb_id>", views.DownloadDetail.as_view(), name="download"),
    path("downloads/<int:tmdb_id>/cancel", views.CancelDownload.as_view(), name="download-cancel"),
    path("downloads/<int:tmdb_id>/retry", views.RetryDownload.as_view(), name="download-retry"),
    path("events", views.Events.as_view(), name="events"),
    path("download-monitor/status", views.MonitorStatus.as_view(), name="monitor-status"),
    path("download-monitor/start", views.StartMonitor.as_view(), name="monitor-start"),
    path("download-monitor/stop", views.StopMonitor.as_view(), name="monitor-stop"),
]
