"""Settings, all from the environment (or `.env`); `docs/configuration.md` explains each name.

The environment's name is the setting's name. Every duration is in seconds.
"""

import os
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import environ

from moviesms.environment import (
    database_options,
    embedded_redis_socket,
    generated_secret,
    own_hosts,
    redis_urls,
)

BASE_DIR = Path(__file__).resolve().parent.parent

# FileAwareEnv also reads <NAME>_FILE, so that a secret can live in a file of its own.
env = environ.FileAwareEnv()
env.read_env(os.environ.get("ENV_FILE", BASE_DIR / ".env"))

# --- Where things are ---------------------------------------------------------------------------
DATA_DIR = Path(env.str("DATA_DIR", default=str(BASE_DIR / "data"))).expanduser().resolve()
LOG_DIR = Path(env.str("LOG_DIR", default=str(DATA_DIR / "logs"))).expanduser().resolve()
LOG_LEVEL = env.str("LOG_LEVEL", default="INFO").upper()
LOG_FORMAT = env.str("LOG_FORMAT", default="text").lower()
PORT = env.int("PORT", default=8000)
PUBLIC_URL = env.str("PUBLIC_URL", default="").rstrip("/") or f"http://127.0.0.1:{PORT}"
try:
    PUBLIC_HOST = urlsplit(PUBLIC_URL).hostname or ""
except ValueError:  # a system check says what is wrong with it
    PUBLIC_HOST = ""
PUBLIC_IS_HTTPS = PUBLIC_URL.startswith("https://")

# --- Radarr, TMDB, Twilio, OpenAI ---------------------------------------------------------------
RADARR_URL = env.str("RADARR_URL", default="").rstrip("/")
RADARR_API_KEY = env.str("RADARR_API_KEY", default="")
RADARR_ROOT_FOLDER = env.str("RADARR_ROOT_FOLDER", default="")
RADARR_QUALITY_PROFILE = env.str("RADARR_QUALITY_PROFILE", default="")
RADARR_WEBHOOK_SECRET = env.str("RADARR_WEBHOOK_SECRET", default="")
# How long a service that failed is left alone before it is asked for a new request or text.
RADARR_RETRY_AFTER = env.float("RADARR_RETRY_AFTER", default=10)
RADARR_DEADLINE = env.float("RADARR_DEADLINE", default=20)

TMDB_URL = env.str("TMDB_URL", default="https://api.themoviedb.org").rstrip("/")
TMDB_API_KEY = env.str("TMDB_API_KEY", default="")
TMDB_RETRY_AFTER = env.float("TMDB_RETRY_AFTER", default=10)
TMDB_DEADLINE = env.float("TMDB_DEADLINE", default=5)

TWILIO_API_URL = env.str("TWILIO_API_URL", default="").rstrip("/")
TWILIO_ACCOUNT_SID = env.str("TWILIO_ACCOUNT_SID", default="")
TWILIO_AUTH_TOKEN = env.str("TWILIO_AUTH_TOKEN", default="")
TWILIO_PHONE_NUMBER = env.str("TWILIO_PHONE_NUMBER", default="")
TWILIO_DEADLINE = env.float("TWILIO_DEADLINE", default=10)
TWILIO_HELP = env.str("TWILIO_HELP", default="twilio")

OPENAI_API_KEY = env.str("OPENAI_API_KEY", default="")
OPENAI_BASE_URL = env.str("OPENAI_BASE_URL", default="")
OPENAI_MODEL = env.str("OPENAI_MODEL", default="gpt-4o-mini")
# What the model's server calls the cap on its answer; some local ones know `max_tokens` alone.
OPENAI_MAX_TOKENS_FIELD = env.str("OPENAI_MAX_TOKENS_FIELD", default="max_completion_tokens")
OPENAI_RETRY_AFTER = env.float("OPENAI_RETRY_AFTER", default=30)
OPENAI_DEADLINE = env.float("OPENAI_DEADLINE", default=10)

# --- Who may ask, and how we speak --------------------------------------------------------------
OWNER_PHONE_NUMBERS = env.list("OWNER_PHONE_NUMBERS", default=[])
ALLOWED_PHONE_NUMBERS = env.list("ALLOWED_PHONE_NUMBERS", default=[])
REQUEST_POLICY = env.str("REQUEST_POLICY", default="") or (
    "ask-owner" if OWNER_PHONE_NUMBERS else "allowlist" if ALLOWED_PHONE_NUMBERS else "open"
)
# Which requests wait for the owner's word, and how many films one person may ask for (0: any).
REQUEST_APPROVAL = env.str("REQUEST_APPROVAL", default="none")
REQUEST_LIMIT = env.int("REQUEST_LIMIT", default=0)
REQUEST_WINDOW = env.float("REQUEST_WINDOW", default=7 * 24 * 3600)
# How long a one-time code, sent to the owner with a question, counts.
CODE_TTL = env.float("CODE_TTL", default=3 * 24 * 3600)
SMS_STYLE = env.str("SMS_STYLE", default="rich")
# auto: each person is answered as they write; a language's code speaks to all who have not chosen.
SMS_LANGUAGE = env.str("SMS_LANGUAGE", default="auto")
# What Twilio and the carriers take for one segment sent, for the estimate of the bill (0: none).
SMS_SEGMENT_COST = Decimal(env.str("SMS_SEGMENT_COST", default="0"))
SMS_CURRENCY = env.str("SMS_CURRENCY", default="USD")
# When the last person who asked for a film leaves, and nothing of it is downloaded yet.
CANCEL_WHEN_NOBODY_WAITS = env.bool("CANCEL_WHEN_NOBODY_WAITS", default=True)
# Two machines that answer each other: so many answers in so short a time, and then silence.
LOOP_LIMIT = env.int("LOOP_LIMIT", default=5)
LOOP_WINDOW = env.float("LOOP_WINDOW", default=120)
LOOP_PAUSE = env.float("LOOP_PAUSE", default=900)

# Daily caps on what costs money (0: none), and where alerts go beside SMS (Apprise URLs).
SMS_DAILY_CAP = env.int("SMS_DAILY_CAP", default=500)
SMS_DAILY_CAP_PER_CONTACT = env.int("SMS_DAILY_CAP_PER_CONTACT", default=100)
OPENAI_DAILY_CALLS = env.int("OPENAI_DAILY_CALLS", default=500)
OPENAI_DAILY_TOKENS = env.int("OPENAI_DAILY_TOKENS", default=500_000)
ALERT_URLS = env.list("ALERT_URLS", default=[])

# --- Rhythms and graces -------------------------------------------------------------------------
MONITOR_INTERVAL = env.float("MONITOR_INTERVAL", default=30)
SWEEP_INTERVAL = env.float("SWEEP_INTERVAL", default=10)
BACKFILL_INTERVAL = env.float("BACKFILL_INTERVAL", default=60)
SEARCH_GRACE = env.float("SEARCH_GRACE", default=120)
STUCK_GRACE = env.float("STUCK_GRACE", default=600)
FAILED_GRACE = env.float("FAILED_GRACE", default=900)
MISSING_GRACE = env.float("MISSING_GRACE", default=300)
NOTHING_FOUND_AFTER = env.float("NOTHING_FOUND_AFTER", default=6 * 3600)
FAILED_WATCH = env.float("FAILED_WATCH", default=14 * 24 * 3600)
STALE_NOTICE_AFTER = env.float("STALE_NOTICE_AFTER", default=6 * 3600)
QUESTION_TTL = env.float("QUESTION_TTL", default=900)
SEND_START_LIMIT = env.float("SEND_START_LIMIT", default=10)
UNKNOWN_FIRST_CHECK = env.float("UNKNOWN_FIRST_CHECK", default=90)
# How long after its deadline a call may still have made a text at Twilio.
UNKNOWN_TAIL = env.float("UNKNOWN_TAIL", default=60)
UNKNOWN_RESEND_AFTER = env.float("UNKNOWN_RESEND_AFTER", default=180)
# Leases are longer than the steps they cover; a system check compares.
ADD_LEASE = env.float("ADD_LEASE", default=50)
INBOUND_LEASE = env.float("INBOUND_LEASE", default=60)
SEND_LEASE = env.float("SEND_LEASE", default=30)

# On a small box web server, worker and monitor are one process: `manage.py up --small`.
WORK_IN_THREADS = os.environ.get("MOVIESMS_ROLE") == "small"
# Processes of the web server; one is enough for a household.
WEB_WORKERS = env.int("WEB_WORKERS", default=1)

# --- Redis: cache, broker and live state; losing it costs time, never data -----------------------
REDIS_HOST = env.str("REDIS_HOST", default="")
REDIS_PORT = env.int("REDIS_PORT", default=6379)
REDIS_DB = env.int("REDIS_DB", default=0)
REDIS_USERNAME = env.str("REDIS_USERNAME", default="")
REDIS_PASSWORD = env.str("REDIS_PASSWORD", default="") or (
    "" if REDIS_HOST else generated_secret(DATA_DIR / "redis" / "password")
)
REDIS_SOCKET = embedded_redis_socket(DATA_DIR)
REDIS_TIMEOUT = env.float("REDIS_TIMEOUT", default=0.25)
REDIS_RETRY_AFTER = env.float("REDIS_RETRY_AFTER", default=10)
REDIS_URL, CELERY_BROKER_URL = redis_urls(
    host=REDIS_HOST,
    port=REDIS_PORT,
    db=REDIS_DB,
    username=REDIS_USERNAME,
    password=REDIS_PASSWORD,
    socket=REDIS_SOCKET,
)
LIVE_ACTIVE_TTL = env.int("LIVE_ACTIVE_TTL", default=7 * 24 * 3600)
LIVE_FINISHED_TTL = env.int("LIVE_FINISHED_TTL", default=30 * 24 * 3600)
TMDB_CACHE_TTL = env.int("TMDB_CACHE_TTL", default=6 * 3600)
RADARR_CACHE_TTL = env.int("RADARR_CACHE_TTL", default=300)

_REDIS_OPTIONS = {
    "socket_timeout": REDIS_TIMEOUT,
    "socket_connect_timeout": REDIS_TIMEOUT,
}
CACHES = {
    # A pure cache: a Redis that is down reads as a miss. Nothing that must be true goes here.
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "cache",
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_TIMEOUT": REDIS_TIMEOUT,
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT,
            "IGNORE_EXCEPTIONS": True,
        },
    },
    # Leases, heartbeats, live views: here an error is an error (see moviesms/live.py).
    "live": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "OPTIONS": {
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
            "SOCKET_TIMEOUT": REDIS_TIMEOUT,
            "SOCKET_CONNECT_TIMEOUT": REDIS_TIMEOUT,
        },
    },
}

# --- Database: the record -----------------------------------------------------------------------
DATABASE_URL = env.str("DATABASE_URL", default="")
DATABASES = {"default": env.db_url_config(DATABASE_URL or f"sqlite:///{DATA_DIR}/db.sqlite3")}
DATABASES["default"].update(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True)
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["ENGINE"] = "moviesms.sqlite"
    DATABASES["default"]["TEST"] = {"NAME": ":memory:"}
DATABASE_URL_OPTIONS = DATABASES["default"].get("OPTIONS", {})
DATABASES["default"]["OPTIONS"] = database_options(
    DATABASES["default"]["ENGINE"], DATABASE_URL_OPTIONS, os.environ.get("MOVIESMS_ROLE", "")
)
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# --- Django -------------------------------------------------------------------------------------
SECRET_KEY = env.str("SECRET_KEY", default="") or generated_secret(DATA_DIR / "secret_key")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[]) or [
    *own_hosts(),
    *filter(None, [PUBLIC_HOST]),
]
TIME_ZONE = env.str("TZ", default="UTC") or "UTC"
USE_TZ = True
LANGUAGE_CODE = "en"
USE_I18N = True
FORMAT_MODULE_PATH = "moviesms.formats"  # one way to write a time, on every page

INSTALLED_APPS = [
    "moviesms",
    "downloads",
    "smsbot",
    "django.contrib.auth",
    "django.contrib.contenttypes",
]
# The worker and the monitor show no pages, and need not hold what makes them.
if os.environ.get("MOVIESMS_ROLE") not in ("worker", "monitor"):
    INSTALLED_APPS = [
        "unfold",
        *INSTALLED_APPS,
        "dashboard",
        "django.contrib.admin",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "rest_framework",
        "drf_spectacular",
        "drf_spectacular_sidecar",
        "axes",
    ]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "moviesms.machines.MachinesFirst",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]
ROOT_URLCONF = "moviesms.urls"
WSGI_APPLICATION = "moviesms.wsgi.application"
APPEND_SLASH = True
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "moviesms" / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]
# The texts of SMS: no HTML, so no escaping.
TEMPLATES.append(
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "NAME": "text",
        "APP_DIRS": True,
        "OPTIONS": {"autoescape": False, "builtins": ["django.templatetags.i18n"]},
    }
)
STATIC_URL = "/static/"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
# Served from where they are installed: nothing to collect, nothing to build.
WHITENOISE_USE_FINDERS = True
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "admin:login"
LOGIN_REDIRECT_URL = "admin:index"

# --- Security -----------------------------------------------------------------------------------
# Behind a reverse proxy that ends TLS: how many to trust for the client's address and scheme.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=0)
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=False)
# Radarr, a health probe and Prometheus come from the home network, past the proxy.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$", r"^api/sms/radarr/webhook$"]
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=0)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = bool(SECURE_HSTS_SECONDS)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = PUBLIC_IS_HTTPS
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL] if PUBLIC_IS_HTTPS else []
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
AXES_FAILURE_LIMIT = 8
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_IPWARE_PROXY_COUNT = TRUSTED_PROXIES or None
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'self'"],
        # Alpine, which Unfold's admin carries, compiles its attributes.
        "script-src": ["'self'", "'unsafe-eval'"],
        "style-src": ["'self'", "'unsafe-inline'"],
        "img-src": ["'self'", "data:", "https://image.tmdb.org"],
        "frame-ancestors": ["'none'"],
        "form-action": ["'self'"],
        "base-uri": ["'self'"],
        "object-src": ["'none'"],
    },
}

# --- API ----------------------------------------------------------------------------------------
# How often one caller may call (0: no limit).
API_READS_PER_MINUTE = env.int("API_READS_PER_MINUTE", default=600)
API_WRITES_PER_MINUTE = env.int("API_WRITES_PER_MINUTE", default=60)
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "moviesms.auth.ApiTokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["moviesms.auth.TokenScopeOrStaff"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_THROTTLE_CLASSES": ["moviesms.throttling.CallerThrottle"],
    "EXCEPTION_HANDLER": "moviesms.errors.exception_handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "moviesms",
    "DESCRIPTION": "Downloads asked for by SMS, and the monitor that follows them.",
    "VERSION": "1",
    "SERVE_PERMISSIONS": ["moviesms.auth.TokenScopeOrStaff"],
    "SERVE_INCLUDE_SCHEMA": False,
    # drf-spectacular knows the session; our token is described here instead.
    "AUTHENTICATION_WHITELIST": ["rest_framework.authentication.SessionAuthentication"],
    "SECURITY": [{"apiToken": []}],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "apiToken": {
                "type": "apiKey",
                "in": "header",
                "name": "Authorization",
                "description": "Token and a key: `Authorization: Token <key>`. "
                "`manage.py create_api_token` makes one.",
            }
        }
    },
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "moviesms.schema.add_common_errors",
    ],
    "ENUM_NAME_OVERRIDES": {"DownloadStatusEnum": "downloads.models.Status"},
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

# --- Celery: hands a row's id to a worker; the row decides what there is to do --------------------
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 180,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
    "global_keyprefix": "celery:",
    "max_retries": 0,
    **_REDIS_OPTIONS,
}
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_PUBLISH_RETRY = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# On SIGTERM a worker finishes what it has begun; what takes longer is handed back.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 7.0
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_DB_REUSE_MAX = 1_000_000_000  # Celery's own way is a new connection for each task
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]

# --- Seams: what one app offers another, by dotted path, so that neither imports the other --------
DOWNLOADS_ON_EVENTS = "smsbot.handover.events"
DOWNLOADS_REQUESTER_POLICY = "smsbot.policy.admit_address"
DOWNLOADS_REQUESTER_RULE = "smsbot.policy.rule_for_address"
MONITOR_PERIODIC_WORK = "smsbot.sweep.work"
MONITOR_ON_EVENTS = "smsbot.sweep.tell"

# --- Logs ---------------------------------------------------------------------------------------
LOGGING_CONFIG = "moviesms.logs.configure"
LOGGING = {"log_dir": str(LOG_DIR), "level": LOG_LEVEL, "format": LOG_FORMAT}

# --- Admin --------------------------------------------------------------------------------------
UNFOLD = {
    "SITE_TITLE": "moviesms",
    "SITE_HEADER": "moviesms",
    "SITE_SUBHEADER": "Films by text message",
    "SITE_SYMBOL": "movie",
    "SITE_URL": None,
    "SHOW_HISTORY": False,
    "SHOW_VIEW_ON_SITE": False,
    "SITE_FAVICONS": [
        {"rel": "icon", "type": "image/svg+xml", "href": "dashboard.navigation.favicon"},
    ],
    "STYLES": [
        "dashboard.navigation.stylesheet",
        "dashboard.navigation.dashboard_stylesheet",
    ],
    "DASHBOARD_CALLBACK": "dashboard.home.overview",
    "SIDEBAR": {"navigation": "dashboard.navigation.navigation"},
}
