"""The HTML report, looked at in a real browser: text, layout, keyboard, contrast, and that it asks for nothing."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tools.report import pages
from tools.report.__main__ import SIZES, shoot
from tools.report.browser import NoBrowserError, browser

pytestmark = pytest.mark.browser
SCHEMES = ("light", "dark")
WIDTHS = (360, 760, 761, 1280)
LOOKS = Path(__file__).with_name("looks.js").read_text(encoding="utf-8")

Open = Callable[..., Page]


@cache
def source(name: str) -> str:
    """The HTML of a page."""
    worlds = {"hard": pages.HARD, "clean": pages.CLEAN}
    return pages.html("-f", "-", stdin=worlds[name]) if name in worlds else pages.incident()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """One browser for all tests here."""
    try:
        with browser() as running:
            yield running
    except NoBrowserError as error:
        pytest.skip(str(error))


@pytest.fixture
def show(chromium: Browser, tmp_path: Path) -> Iterator[Open]:
    """Open a page from a file, as one that was sent by mail; every request but for it is an error in the end."""
    contexts, asked = [], []

    def opened(name: str = "incident", *, width: int = 1280, scheme: Any = "light", javascript: bool = True) -> Page:  # noqa: ANN401
        path = tmp_path / f"{name}.html"
        path.write_text(source(name))
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme=scheme, java_script_enabled=javascript
        )
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: asked.append(request.url))
        page.on("console", lambda message: asked.append(message.text))
        page.goto(path.as_uri())
        if javascript:
            page.evaluate(LOOKS)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [url for url in asked if not re.fullmatch(r"file://\S+/(incident|hard|clean)\.html", url)] == []
    assert asked


def test_an_sre_sees_the_story_without_scrolling(show: Open) -> None:
    """On the first screen: what is wrong, how much, and the first drawing with the entry that takes the traffic."""
    page = show()
    for text in (
        "Traffic on ports 443 and 3306 goes to the wrong destination",
        "5 writes and leaves 1 finding to you",
        "any other address:443",
        "abc/traefik-cutom-name",
    ):
        seen = page.get_by_text(text).first
        box = seen.bounding_box()
        assert box is not None
        assert box["y"] + box["height"] <= 800, text


def test_it_reads_the_same_without_javascript(show: Open) -> None:
    """Every word, and the details open and close all the same."""
    plain, usual = show(javascript=False), show()
    assert plain.inner_text("body") == usual.inner_text("body")
    warning = plain.locator("details.warning").first
    assert not warning.locator(".fault").first.is_visible()
    warning.locator("summary").click()
    assert "spec.addresses is not set" in warning.locator(".fault").first.inner_text()


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", ["incident", "hard", "clean"])
def test_nothing_sticks_out(show: Open, name: str, width: int) -> None:
    """Neither from a phone's window nor from a desk's, nor text from a box of a drawing, with everything opened."""
    page = show(name, width=width)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert page.evaluate("looks.overflow()") == []


def test_a_narrow_window_gets_the_narrow_drawing(show: Open) -> None:
    """One of the two at any width, and only that one is told to a screen reader."""
    for width, narrow in ((360, True), (760, True), (761, False), (1280, False)):
        page = show(width=width)
        assert page.locator("svg.narrow").first.is_visible() is narrow
        assert page.locator("svg.wide").first.is_visible() is not narrow
        assert page.get_by_role("img").count() == 4


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("name", ["incident", "hard", "clean"])
def test_text_has_contrast(show: Open, name: str, scheme: str) -> None:
    """WCAG 2.2 AA, for all text in both schemes, drawings too; and the two schemes differ."""
    page = show(name, scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    found = page.evaluate("looks.contrast()")
    assert found["faults"] == []
    assert found["count"] > 15
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 18, 23)"
    assert dark is (scheme == "dark")


def test_the_contrast_test_can_fail(show: Open) -> None:
    """Grey on grey is found, in text and in drawings."""
    page = show()
    page.add_style_tag(content=".lead { color: #999 } svg .note { fill: #aaa }")
    faults = page.evaluate("looks.contrast()")["faults"]
    assert any(".lead" in fault for fault in faults)
    assert any("text.note" in fault for fault in faults)


@pytest.mark.parametrize(("name", "scheme", "width"), [("incident", "light", 1280), ("hard", "dark", 360)])
def test_accessibility_rules_hold(show: Open, name: str, scheme: str, width: int) -> None:
    """axe-core finds nothing: names, roles, headings, landmarks, lists, tables."""
    page = show(name, scheme=scheme, width=width)
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    results = Axe().run(page)
    found = [(v["id"], v["nodes"][0]["html"]) for v in results.response["violations"]]
    assert found == []
    assert results.response["passes"]


def test_the_keyboard_reaches_everything_in_order(show: Open) -> None:
    """Tab goes through links and findings as they stand on the page, with a visible ring; Enter opens and closes."""
    page = show()
    expected = page.evaluate("looks.stops()")
    reached = []
    for _ in expected:
        page.keyboard.press("Tab")
        focused = page.evaluate("looks.focused()")
        assert focused["ring"], focused
        reached.append(focused["name"])
    assert reached == expected
    assert expected[0].startswith("A.skip")
    last = page.locator("details.change").last
    assert not last.evaluate("one => one.open")
    last.locator("summary").focus()
    page.keyboard.press("Enter")
    assert last.evaluate("one => one.open")
    assert last.locator("pre").is_visible()
    page.keyboard.press("Space")
    assert not last.evaluate("one => one.open")


def test_the_skip_link_leads_to_the_findings(show: Open) -> None:
    """The first stop of the keyboard is on the screen once it has the focus, and works."""
    page = show(width=360)
    page.keyboard.press("Tab")
    box = page.locator(".skip").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


def test_the_screenshots_are_kept(chromium: Browser) -> None:
    """Where `make report` puts them, one of each size and scheme, in the colours that tell good from bad."""
    made = shoot(chromium, source("incident"))
    assert [path.name for path in made] == [f"incident-{name}.png" for name in SIZES]
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in made)
