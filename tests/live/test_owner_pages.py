"""The owner's pages in a real browser, over the whole stack: what is pressed there really happens.

With SCREENSHOTS=docs/screenshots the pages are also photographed into that folder.
"""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Error, Page, expect

from tests.live.stack import (
    PATIENCE,
    ROOT,
    Account,
    Product,
    Running,
    StandIns,
    clean_environment,
    eventually,
    free_port,
    product,
)

pytestmark = [
    pytest.mark.processes,
    pytest.mark.browser,
    pytest.mark.enable_socket,
    pytest.mark.xdist_group("live: the owner's pages"),
    pytest.mark.timeout(300),
]

WAIT = 1000 * PATIENCE
expect.set_options(timeout=WAIT)
SLOWLY = 4.0
"""Seconds of each phase of a download: slow enough to watch its bar."""

OWNER = "+12025550100"
PAGES = {
    "home": "",
    "conversations": "conversations/",
    "films": "films/",
    "statistics": "statistics/?weeks=52",
    "rows": "statistics/films?weeks=12",
    "setup": "setup/",
    "downloads": "downloads/download/",
    "texts": "smsbot/outboundmessage/",
}

LONG = ("home", "statistics", "setup", "film")
"""Pages that are photographed whole."""


@dataclass
class House:
    """moviesms with an owner, its stand-ins, and the first admin's password."""

    product: Product
    stand_ins: StandIns
    password: str

    def sign_in(self, browser: Browser, *, width: int = 1280, dark: bool = False) -> Page:
        """A page of the signed-in owner, at home."""
        context = browser.new_context(
            viewport={"width": width, "height": 844 if width < 600 else 900},
            color_scheme="dark" if dark else "light",
        )
        context.set_default_timeout(WAIT)
        page = context.new_page()
        page.goto(self.product.public_url)
        page.get_by_label("Username").fill("admin")
        page.get_by_label("Password").fill(self.password)
        page.get_by_role("button", name="Log in").click()
        expect(page.get_by_role("heading", name="Needs you")).to_be_visible()
        return page

    def has(self, query: str, *values: str) -> bool:
        return bool(self.product.rows(query, *values))

    def manage(self, *arguments: str) -> str:
        command = [sys.executable, str(ROOT / "manage.py"), *arguments]
        done = subprocess.run(
            command, env=dict(self.product.environment), check=True, capture_output=True, text=True
        )
        return done.stdout

    @contextmanager
    def without_ticks(self) -> Iterator[None]:
        """Nothing moves a film meanwhile: Radarr knows nothing of a made-up year."""
        token = self.manage("create_api_token", "quiet", "--scope", "write").split()[-1]
        monitor = f"{self.product.public_url}/api/sms/download-monitor"
        headers = {"Authorization": f"Token {token}"}
        requests.post(f"{monitor}/stop", headers=headers, timeout=10).raise_for_status()
        try:
            yield
        finally:
            requests.post(f"{monitor}/start", headers=headers, timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    account = Account(free_port())
    moviesms = product(folder, OWNER_PHONE_NUMBERS=OWNER, **account.for_product())
    settings = {**account.for_stand_ins(moviesms.public_url), "SANDBOX_STEP": str(SLOWLY)}
    outside = Running(
        [sys.executable, "-m", "sandbox"], clean_environment(**settings), folder / "out", cwd=ROOT
    )
    try:
        outside.spawn()
        with moviesms.running():
            found = re.search(r"password +(\S+)", moviesms.output())
            assert found, moviesms.output()
            yield House(moviesms, StandIns(f"http://127.0.0.1:{account.port}"), found[1])
        outside.end()
    finally:
        outside.discard()


def test_a_wrong_password_opens_nothing(browser: Browser, house: House) -> None:
    page = browser.new_page()
    page.goto(f"{house.product.public_url}/admin/statistics/")
    page.get_by_label("Username").fill("admin")
    page.get_by_label("Password").fill("wrong")
    page.get_by_role("button", name="Log in").click()

    expect(page.get_by_text("Please enter the correct username and password")).to_be_visible()


def test_a_stranger_is_let_in_and_answered_by_hand_once(browser: Browser, house: House) -> None:
    stranger, words = "+12025550161", "Welcome! What would you like to watch?"
    page = house.sign_in(browser)
    house.stand_ins.text(stranger, "hello, who is this?")

    need = page.locator(".mm-need", has_text="who is this?")  # comes by itself
    need.get_by_role("button", name="Let in").click()
    expect(page.get_by_text(f"{stranger[:2]}…{stranger[-4:]} may ask for films.")).to_be_visible()
    assert house.has(
        "SELECT 1 FROM smsbot_contact WHERE address = ? AND standing = 'allowed'", stranger
    )

    page.get_by_role("link", name="Conversations").first.click()
    page.get_by_role("link", name=stranger).click()
    box = page.get_by_placeholder("Write to")
    box.fill(words)
    expect(page.locator("#segments")).to_have_text("38 characters, billed as 1 segment")
    page.get_by_role("button", name="Send").dblclick()

    house.stand_ins.await_text(stranger, words)
    expect(page.locator(".mm-ours", has_text=words)).to_contain_text(re.compile("handed|delivered"))
    house.product.settle()
    assert house.stand_ins.texts_to(stranger).count(words) == 1


def test_a_film_is_asked_for_somebody_its_bar_moves_and_it_is_cancelled(
    browser: Browser, house: House
) -> None:
    kim = "+12025550162"
    house.stand_ins.text(kim, "hi")
    eventually(
        lambda: house.has("SELECT 1 FROM smsbot_contact WHERE address = ?", kim), "Kim is known"
    )
    page = house.sign_in(browser)
    page.locator(".mm-need", has_text="“hi”").get_by_role("button", name="Let in").click()

    page.locator("nav").get_by_text("Films", exact=True).first.click()
    page.get_by_role("searchbox").fill("Interstellar")
    page.get_by_role("button", name="Search TMDB").click()
    card = page.locator(".mm-film-card", has_text="Interstellar (2014)")
    card.get_by_label("For").select_option(kim)
    card.get_by_role("button", name="Get it").click()
    expect(page.get_by_text("Interstellar (2014) is on its way for")).to_be_visible()

    bar = page.get_by_role("progressbar")
    expect(bar).to_be_visible()
    first = bar.get_attribute("value")
    expect(bar).not_to_have_attribute("value", first or "")

    page.get_by_role("link", name="Cancel download").click()
    expect(page.get_by_text("everybody who asked")).to_be_visible()
    page.get_by_role("button", name="Cancel download").click()
    expect(page.get_by_text("Interstellar (2014): cancelled.")).to_be_visible()
    expect(page.get_by_role("link", name="Cancel download")).to_have_count(0)
    house.product.settle()
    added, *_, cancelled = house.stand_ins.texts_to(kim)[-3:]
    assert "Interstellar" in added
    assert "cancel" in cancelled.lower()


def test_a_check_is_made_again_from_the_setup_page(browser: Browser, house: House) -> None:
    page = house.sign_in(browser)
    page.goto(f"{house.product.public_url}/admin/setup/")
    card = page.locator("#tmdb")

    expect(card.get_by_text("Works")).to_be_visible()
    house.stand_ins.fault(tmdb=True)
    card.get_by_role("button", name="Check again").click()
    expect(card.get_by_text("Does not work")).to_be_visible()
    house.stand_ins.fault(tmdb=False)
    card.get_by_role("button", name="Check again").click()
    expect(card.get_by_text("Works")).to_be_visible()


@pytest.mark.timeout(600)
def test_every_page_in_the_light_the_dark_and_on_a_phone(
    browser: Browser, house: House, tmp_path: Path
) -> None:
    with house.without_ticks():
        assert "Made" in house.manage("demo_data", "--force")
        folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
        for look, width, dark in (
            ("light", 1280, False),
            ("dark", 1280, True),
            ("phone", 390, False),
        ):
            page = house.sign_in(browser, width=width, dark=dark)
            complaints: list[str] = []
            page.on("pageerror", partial(_note, complaints))
            for name, path in {**PAGES, **_some_rows(house)}.items():
                page.goto(f"{house.product.public_url}/admin/{path}")
                expect(page.locator(".mm-checking")).to_have_count(0)
                seen = page.evaluate(
                    "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
                )
                assert seen[0] == seen[1], f"{name} is wider than its window"
                assert page.evaluate("document.documentElement.classList.contains('dark')") is dark
                found = Axe().run(page).response["violations"]
                serious = [v for v in found if v["impact"] in ("serious", "critical")]
                assert serious == [], f"{name}, {look}"
                page.screenshot(path=folder / f"{name}-{look}.png", full_page=name in LONG)
            assert complaints == []
        assert "Deleted" in house.manage("demo_data", "--remove")


def _note(complaints: list[str], error: Error) -> None:
    complaints.append(str(error))


def _some_rows(house: House) -> dict[str, str]:
    """One person's thread, one stuck film, and the question before it is cancelled."""
    [[maya]] = house.product.rows("SELECT id FROM smsbot_contact WHERE name = 'Maya'")
    stuck = "SELECT id, tmdb_id FROM downloads_download WHERE problem = 'import'"
    [[pk, tmdb_id]] = house.product.rows(stuck)
    return {
        "conversation": f"conversations/{maya}/",
        "film": f"films/{tmdb_id}/",
        "confirm": f"do/cancel/{pk}",
    }


def test_the_keyboard_alone_opens_a_film_and_presses_its_button(
    browser: Browser, house: House
) -> None:
    house.stand_ins.text(OWNER, "hello")  # somebody on whose behalf a film can be asked for
    asker = "SELECT 1 FROM smsbot_contact WHERE address = ?"
    eventually(lambda: house.has(asker, OWNER), "the owner is known")
    page = house.sign_in(browser)
    page.goto(f"{house.product.public_url}/admin/films/")
    box = page.get_by_role("searchbox")
    box.focus()
    page.keyboard.type("Interstellar")
    page.keyboard.press("Enter")
    expect(page.get_by_text("Interstellar (2014)").first).to_be_visible()
    page.get_by_role("searchbox").focus()
    reached = set()
    for _ in range(12):
        page.keyboard.press("Tab")
        reached.add(page.evaluate("document.activeElement.tagName"))
    assert {"BUTTON", "A", "SELECT"} <= reached
