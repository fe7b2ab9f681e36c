from django.apps import AppConfig


class SmsbotConfig(AppConfig):
    name = "smsbot"
    verbose_name = "Text messages"

    def ready(self) -> None:
        from smsbot import checks  # noqa: F401  (registers the system checks)
