"""A text that is too long is cut at a word, and shows that it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.shortening import shortened, without_scopes


@pytest.mark.parametrize(
    ("text", "most", "shown"),
    [
        ("It is short.", 20, "It is short."),
        ("The client may not", 12, "The client…"),
        ("The client may not", 11, "The client…"),
        ("It failed: why?", 12, "It failed…"),
        ("x" * 30, 10, "x" * 9 + "…"),
        ("of 0123456789abcdef", 12, "of 01234567…"),
    ],
    ids=["short", "at a word", "at its end", "no loose sign", "one word", "a long word is cut"],
)
def test_a_text_is_cut_at_a_word_and_marked(text: str, most: int, shown: str) -> None:
    assert shortened(text, most) == shown


@given(text=st.text(max_size=60), most=st.integers(1, 40))
def test_no_text_is_longer_than_allowed_and_none_is_cut_silently(text: str, most: int) -> None:
    shown = shortened(text, most)

    assert len(shown) <= most
    assert shown == text or (len(text) > most and shown.endswith("…"))


_SCOPE = f"/subscriptions/{'0' * 36}/resourceGroups/rg/providers/Microsoft.X/workspaces"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"GET {_SCOPE}/mlw/onlineEndpoints: 403", "GET mlw/onlineEndpoints: 403"),
        (f"over scope '{_SCOPE.upper()}/mlw' or", "over scope 'mlw' or"),
        (f"{_SCOPE}/mlw; {_SCOPE}/other", "mlw; other"),
        ("GET /subscriptions/0/providers", "GET /subscriptions/0/providers"),
        ("at /live: Microsoft.X/workspaces/read", "at /live: Microsoft.X/workspaces/read"),
    ],
    ids=["a list", "another case", "two", "no resource", "no id"],
)
def test_of_an_arm_id_people_read_what_tells_it_from_others(text: str, shown: str) -> None:
    assert without_scopes(text) == shown
