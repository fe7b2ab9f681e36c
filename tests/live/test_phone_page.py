"""The phone page in a real browser: a person texts, and watches the whole job."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from tests.live.stack import PATIENCE, Product, added, started, whole_job

pytestmark = [
    pytest.mark.processes,
    pytest.mark.browser,
    pytest.mark.enable_socket,
    pytest.mark.xdist_group("live: a clone"),
    pytest.mark.timeout(240),
]

WAIT = 1000 * PATIENCE


@contextmanager
def phone_page(browser: Browser, demo: Product, *, width: int, height: int) -> Iterator[Page]:
    """The page as somebody opens it; the browser must have nothing to complain of."""
    page = browser.new_page(viewport={"width": width, "height": height})
    complaints: list[str] = []

    def listen(said: ConsoleMessage) -> None:
        if said.type == "error":
            complaints.append(said.text)

    page.on("console", listen)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(demo.phone_page)
    yield page
    assert complaints == []


def texts(page: Page) -> Locator:
    """What the phone on the screen has got."""
    return page.get_by_test_id("bubble-in").locator("p")


def test_the_main_job_on_the_phone(browser: Browser, demo: Product) -> None:
    with phone_page(browser, demo, width=1280, height=900) as page:
        page.get_by_test_id("person-sam").check()
        page.get_by_test_id("compose").fill("Can you get The Dark Knight for me?")
        page.get_by_test_id("send").click()
        expect(texts(page)).to_have_text(whole_job("The Dark Knight (2008)"), timeout=WAIT)
        expect(page.get_by_test_id("film-phase").first).to_have_text("Ready")
        demo.settle()
        page.reload()
        expect(texts(page)).to_have_text(whole_job("The Dark Knight (2008)"))


def test_a_download_that_is_told_to_fail(browser: Browser, demo: Product) -> None:
    film = "Pulp Fiction (1994)"
    with phone_page(browser, demo, width=1280, height=900) as page:
        page.get_by_test_id("person-alex").check()
        page.get_by_test_id("next-fail").check()
        expect(page.get_by_text("It breaks off half-way")).to_be_visible()
        page.get_by_test_id("compose").fill("get Pulp Fiction please")
        page.get_by_test_id("send").click()
        failed = (
            f"😔 Sorry, I couldn't get {film} ready for you. The copy that was found is incomplete."
        )
        expect(texts(page)).to_have_text([added(film), started(film), failed], timeout=WAIT)
        demo.settle()
        page.reload()
        page.get_by_test_id("person-alex").check()
        expect(texts(page)).to_have_text([added(film), started(film), failed])


def test_on_a_phone_of_390_pixels_nothing_is_cut_off(browser: Browser, demo: Product) -> None:
    with phone_page(browser, demo, width=390, height=844) as page:
        page.get_by_test_id("person-kim").check()
        page.get_by_test_id("compose").fill("status?")
        page.get_by_test_id("compose").press("Enter")
        expect(texts(page)).to_have_count(1, timeout=WAIT)
        expect(texts(page)).to_contain_text("Nothing of yours is on its way")
        width = "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
        assert page.evaluate(width) == [390, 390]
        for part in (texts(page), page.get_by_test_id("compose"), page.get_by_test_id("send")):
            box = part.bounding_box()
            assert box is not None
            assert 0 <= box["x"] <= box["x"] + box["width"] <= 390
