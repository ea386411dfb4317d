"""Texts that no shell reads: values replace placeholders once, and nothing in a value is read again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.binding import BindingRefused, check_text, fill, fill_all

VALUES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=200)


@given(VALUES, VALUES)
def test_a_value_arrives_as_it_is_even_when_it_looks_like_a_placeholder(first: str, second: str) -> None:
    filled = fill("<{{ a }}|{{ b }}|{{a}}>", {"a": first, "b": second})

    assert filled == f"<{first}|{second}|{first}>"


def test_an_undeclared_name_is_refused_with_its_line() -> None:
    [refusal] = check_text("/srv\n/{{ nowhere }}", {"path"})

    assert (refusal.line, refusal.name) == (2, "nowhere")
    with pytest.raises(BindingRefused, match="no parameter named nowhere"):
        fill("/{{ nowhere }}", {"path": "x"})


def test_a_value_that_cannot_travel_is_refused() -> None:
    with pytest.raises(BindingRefused, match="NUL"):
        fill("{{ a }}", {"a": "x\0y"})


def test_texts_inside_maps_and_lists_are_filled_and_keys_stay() -> None:
    filled = fill_all({"{{ a }}": ["{{ a }}", 3], "b": {"c": "{{ a }}!"}}, {"a": "x"})

    assert filled == {"{{ a }}": ["x", 3], "b": {"c": "x!"}}
