"""The environment that the tests run in, set before Django reads its settings (`-p`)."""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_FOLDER = Path(tempfile.mkdtemp(prefix="moviesms-tests-"))
atexit.register(shutil.rmtree, _FOLDER, ignore_errors=True)

# Nothing of the machine's own configuration may reach a test.
_OURS = ("RADARR_", "TMDB_", "TWILIO_", "OPENAI_", "REDIS_", "DATABASE_URL", "SMS_", "REQUEST_")
for _name in list(os.environ):
    if _name.startswith(_OURS) or _name in ("PUBLIC_URL", "OWNER_PHONE_NUMBERS", "MOVIESMS_ROLE"):
        del os.environ[_name]

os.environ.update(
    ENV_FILE=os.devnull,
    DATA_DIR=str(_FOLDER),
    PUBLIC_URL="https://films.example.org",
    RADARR_URL="http://radarr.test:7878",
    RADARR_API_KEY="radarr-key-for-tests",
    RADARR_WEBHOOK_SECRET="webhook-secret-for-tests",
    TMDB_API_KEY="tmdb-key-for-tests",
    TWILIO_ACCOUNT_SID="AC" + "0" * 32,
    TWILIO_AUTH_TOKEN="twilio-token-for-tests",
    TWILIO_PHONE_NUMBER="+15005550006",
    LOG_LEVEL="WARNING",
    TZ="UTC",
)
# SQLite, unless somebody asks for another (script/with_postgres does).
if "TEST_DATABASE_URL" in os.environ:
    os.environ["DATABASE_URL"] = os.environ["TEST_DATABASE_URL"]
