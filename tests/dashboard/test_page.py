"""The page: one document without data, whose policy allows its own style and script and nothing else."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from shared.dashboard.page import page

VOID = {"meta", "link", "input"}
SHAPES = ("ok", "unproven", "trouble", "warning", "unknown", "busy")


class Page(HTMLParser):
    """What stands in the document: each element's name and attributes, and text by element."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open:
            self.texts[self._open[-1]] = self.texts.get(self._open[-1], "") + data

    def attributes(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]


@pytest.fixture
def shown() -> Page:
    return Page(page().body)


@pytest.fixture
def policy() -> dict[str, str]:
    parts = page().headers["Content-Security-Policy"].split("; ")
    return dict(part.split(" ", 1) for part in parts)


def of(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"


def test_only_its_own_style_and_script_are_allowed_by_their_hashes(
    shown: Page, policy: dict[str, str]
) -> None:
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == of(shown.texts["style"])
    assert policy["script-src"] == of(shown.texts["script"])
    assert policy["connect-src"] == "'self'"
    assert "unsafe" not in page().headers["Content-Security-Policy"]


def test_no_text_can_become_markup(shown: Page, policy: dict[str, str]) -> None:
    assert (policy["require-trusted-types-for"], policy["trusted-types"]) == ("'script'", "'none'")
    banned = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "srcdoc")
    assert [word for word in banned if word in shown.texts["script"]] == []


def test_nobody_frames_it_keeps_it_or_learns_where_it_is() -> None:
    headers = page().headers

    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert (headers["Cache-Control"], headers["Referrer-Policy"]) == ("no-store", "no-referrer")
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_it_loads_nothing_from_anywhere(shown: Page) -> None:
    loaded = [
        value
        for _, attributes in shown.elements
        for name, value in attributes.items()
        if name in {"src", "href", "action", "srcset", "data"}
    ]

    assert set(loaded) == {"data:,", "#main"}
    assert "@import" not in shown.texts["style"]
    assert "url(" not in shown.texts["style"]
    assert not [name for name, attributes in shown.elements if "style" in attributes]
    assert not [each for _, attributes in shown.elements for each in attributes if each[:2] == "on"]


def test_the_key_stays_in_the_tab_and_leaves_it_in_a_header_only(shown: Page) -> None:
    script = shown.texts["script"]

    assert "localStorage" not in script
    assert "document.cookie" not in script
    assert re.search(r"[?&]code=", script) is None
    assert script.count("sessionStorage.getItem(KEY)") == 3
    assert '"x-functions-key": sessionStorage.getItem(KEY)' in script


def test_whoever_listens_or_has_no_mouse_finds_their_way(shown: Page) -> None:
    assert shown.attributes("html") == [{"lang": "en"}]
    assert len(shown.attributes("main")) == len(shown.attributes("h1")) == 1
    assert shown.attributes("label") == [{"for": "key"}]
    ids = {attributes["id"] for _, attributes in shown.elements if "id" in attributes}
    titled = {a["aria-labelledby"] for a in shown.attributes("section")}
    assert len(titled) == 5
    assert titled <= ids
    assert {a.get("role") for _, a in shown.elements} >= {"alert", "status"}


def test_every_element_that_the_script_looks_up_is_there(shown: Page) -> None:
    script = shown.texts["script"]
    looked_up = set(re.findall(r'\b(?:at|put|told)\("([\w-]+)"', script))
    ids = {attributes["id"] for _, attributes in shown.elements if "id" in attributes}

    assert len(looked_up) > 20
    assert looked_up <= ids


def test_every_shape_that_the_script_draws_is_there(shown: Page) -> None:
    ids = {attributes["id"] for attributes in shown.attributes("symbol")}

    assert ids == {f"shape-{each}" for each in SHAPES}


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in channels
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_every_colour_of_text_has_the_contrast_of_wcag_aa(shown: Page, theme: str) -> None:
    light, dark = re.findall(r":root \{(.*?)\}", shown.texts["style"], re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", light))
    if theme == "dark":
        colours |= dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", dark))

    on_ground = ("ink", "soft", "accent", "ok", "trouble", "warning", "unknown")
    pairs = [(name, ground) for name in on_ground for ground in ("ground", "raised")]
    weak = {
        pair: ratio
        for pair in [*pairs, ("on-alarm", "alarm"), ("ground", "accent")]
        if (ratio := contrast(colours[pair[0]], colours[pair[1]])) < 4.5
    }
    assert weak == {}
