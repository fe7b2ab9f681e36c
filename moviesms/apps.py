from django.apps import AppConfig


class MoviesmsConfig(AppConfig):
    name = "moviesms"
    verbose_name = "System"

    def ready(self) -> None:
        from moviesms import checks  # noqa: F401  (registers the system checks)
