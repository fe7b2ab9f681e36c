"""One product for a sitting, with stand-ins that it knows nothing of; and people to text it."""

import itertools
import secrets
import shutil
import signal
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

from tests.live.stack import (
    ROOT,
    STEP,
    Account,
    Product,
    Running,
    StandIns,
    clean_environment,
    eventually,
    free_port,
    product,
    whole_job,
)


@dataclass
class World:
    """A product, and the other stand-ins that its environment points at."""

    product: Product
    stand_ins: StandIns
    stand_ins_process: Running
    account: Account

    def ask(self, person: str, film: str) -> None:
        """Let a phone ask for a film in plain words."""
        self.stand_ins.text(person, f"Can you get {film.rpartition(' (')[0]} for me?")

    def post(self, person: str, body: str, sid: str) -> float:
        """Post a text's signed webhook ourselves; return the seconds that its 200 took."""
        status, seconds = self.account.webhook(self.product.public_url, person, body, sid)
        assert status == 200, self.product.output()
        return seconds

    def await_whole_job(self, person: str, film: str) -> None:
        """Wait for the last text of a film and for peace; then each was told, once, in order."""
        self.stand_ins.await_text(person, whole_job(film)[-1])
        self.product.settle()
        assert self.stand_ins.texts_to(person) == whole_job(film), self.product.output()


_numbers = itertools.count(100)


def new_sid() -> str:
    """Make a SID such as Twilio's."""
    return f"SM{secrets.token_hex(16)}"


@pytest.fixture
def person() -> Callable[[], str]:
    """Makes phones, each a number that no other test has."""
    return lambda: f"+1202555{next(_numbers):04d}"


@pytest.fixture(scope="session")
def other_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """The product against stand-ins that were started elsewhere, with other keys and number."""
    with a_world(tmp_path_factory.mktemp("live")) as made:
        yield made


@pytest.fixture
def small_world(tmp_path: Path) -> Iterator[World]:
    """The same in its small shape: `manage.py up --small`."""
    with a_world(tmp_path, "--small") as made:
        yield made


@contextmanager
def a_world(folder: Path, *arguments: str) -> Iterator[World]:
    """A product with `arguments` and stand-ins of its own, for as long as it is needed."""
    account = Account(free_port())
    moviesms = product(folder, *arguments, **account.for_product())
    outside = Running(
        [sys.executable, "-m", "sandbox"],
        clean_environment(**account.for_stand_ins(moviesms.public_url)),
        folder / "stand-ins",
        cwd=ROOT,
    )
    address = f"http://127.0.0.1:{account.port}"
    try:
        outside.spawn()
        with moviesms.running():
            eventually(lambda: _answers(address), "the stand-ins answer", why=outside.output)
            yield World(moviesms, StandIns(address), outside, account)
        outside.end()
    finally:
        outside.discard()


@pytest.fixture
def world(other_world: World) -> Iterator[World]:
    """The same for every test, whole again after each."""
    yield other_world
    if not other_world.stand_ins_process.alive():
        pytest.fail(other_world.stand_ins_process.output())
    other_world.stand_ins_process.signal_all(signal.SIGCONT)
    other_world.stand_ins.fault(openai=False, radarr=False, tmdb=False, twilio=False)


@pytest.fixture(scope="session")
def fresh_clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What a clone holds, and a virtual environment in which everything is installed already."""
    clone = tmp_path_factory.mktemp("clone")
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(listing, cwd=ROOT, check=True, capture_output=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (ROOT / name).is_file():
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    _lend_packages(clone)
    return clone


def _lend_packages(clone: Path) -> None:
    """Give the clone an environment of its own, with this one's packages.

    Its stamp says that they are installed; so `script/server` changes nothing of what is lent.
    """
    venv.create(clone / ".venv", symlinks=True, with_pip=False)
    [own] = (clone / ".venv/lib").glob("python*")
    (own / "site-packages").rmdir()
    (own / "site-packages").symlink_to(sysconfig.get_path("purelib"))
    (own / ".moviesms").mkdir()
    shutil.copy(clone / "requirements.txt", own / ".moviesms")


@pytest.fixture(scope="session")
def demo(fresh_clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """What somebody has who cloned the repository and ran `script/server`, with nothing set."""
    folder, port = tmp_path_factory.mktemp("demo"), free_port()
    data = folder / "data"
    server = Product(
        ["script/server", "--port", str(port), "--data-dir", str(data)],
        clean_environment(SANDBOX_PORT=str(free_port()), SANDBOX_STEP=str(STEP)),
        folder,
        cwd=fresh_clone,
        data=data,
        port=port,
    )
    with server.running():
        yield server


def _answers(address: str) -> bool:
    try:
        return requests.get(f"{address}/sandbox/state", timeout=5).ok
    except requests.RequestException:
        return False
