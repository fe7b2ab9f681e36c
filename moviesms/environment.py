"""What settings read before Django exists: generated secrets, and where Redis listens."""

import hashlib
import os
import secrets
import socket
import tempfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

# Linux keeps a unix socket's path in 108 bytes; a longer data folder gets a short stand-in.
_LONGEST_SOCKET_PATH = 100


def generated_secret(path: Path, *, size: int = 48) -> str:
    """Return the secret kept in `path`, making it (mode 600) the first time.

    Safe when several processes start at once: the secret is written whole under another name and
    linked into place, so the first one wins and nobody reads half of it.
    """
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        pass
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, draft = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(size))
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(draft)
    return path.read_text(encoding="ascii").strip()


def embedded_redis_socket(data_dir: Path) -> Path:
    """Return the unix socket on which the embedded Redis of this data folder listens."""
    path = data_dir / "redis" / "redis.sock"
    if len(str(path)) <= _LONGEST_SOCKET_PATH:
        return path
    digest = hashlib.sha256(str(data_dir).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"moviesms-{digest}" / "redis.sock"


def own_hosts() -> list[str]:
    """Return the names and addresses under which this machine is known on its network.

    A home server is opened as `http://192.168.1.5:8000`, and Radarr posts its webhook there.
    """
    name = socket.gethostname()
    hosts = ["localhost", "127.0.0.1", "[::1]", name, f"{name}.local"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            # Connecting a datagram socket sends nothing; it only chooses the way out.
            probe.connect(("192.0.2.1", 9))
            hosts.append(probe.getsockname()[0])
        except OSError:
            pass  # no network: the names above are all there is
    return list(dict.fromkeys(hosts))


def redis_urls(
    *, host: str, port: int, db: int, username: str, password: str, socket: Path
) -> tuple[str, str]:
    """Return the URLs for redis-py and for Celery; an empty `host` means the unix `socket`."""
    login = f"{quote(username, safe='')}:{quote(password, safe='')}@" if password else ""
    if host:
        url = f"redis://{login}{host}:{port}/{db}"
        return url, url
    return f"unix://{login}{socket}?db={db}", f"redis+socket://{login}{socket}?virtual_host={db}"


def database_options(engine: str, asked: dict[str, Any], role: str) -> dict[str, Any]:
    """Return the OPTIONS of a database: what its URL `asked` for, and how long `role` waits.

    A webhook would rather answer 503 and be retried than keep Twilio waiting.
    """
    patience = 2 if role == "web" else 5
    if engine == "moviesms.sqlite":
        return {
            "transaction_mode": "IMMEDIATE",
            "timeout": patience,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
    if engine == "django.db.backends.postgresql":
        return {
            "connect_timeout": patience,
            "options": f"-c lock_timeout={patience}s",
            **asked,
        }
    return asked
