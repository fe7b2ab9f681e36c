from django.apps import AppConfig


class DownloadsConfig(AppConfig):
    name = "downloads"
    verbose_name = "Films"

    def ready(self) -> None:
        from downloads import checks  # noqa: F401  (registers the system checks)
