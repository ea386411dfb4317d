"""Lists of chosen texts in scripts: an array in PowerShell, one item a line in sh; cmd and URLs refuse."""

import base64
import re
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contracts.binding import (
    BindingRefused,
    bind_header,
    bind_json,
    bind_raw,
    bind_url,
    check_powershell,
    check_sh,
    fill,
    render_cmd,
    render_powershell,
    render_sh,
)
from contracts.jobs.parameters import Parameter
from tests.unit.binding.shells import HOSTILE, LOCALES, SHELLS, run

ONE_LINE = [text for text in HOSTILE if text and not re.search(r"[\x00-\x1f\x7f]", text)]
ITEM = st.sampled_from(ONE_LINE) | st.text(
    st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=20
)
LISTS = st.lists(ITEM, max_size=5, unique=True)
DECODED = re.compile(r"\[Text\.Encoding\]::UTF8\.GetString\(\[Convert\]::FromBase64String\('[^']*'\)\)")
LITERAL = re.compile(r"FromBase64String\('([A-Za-z0-9+/=]*)'\)")

# Each prints every item between < and >, however many there are; the first is what the docs offer.
LOOPS = (
    'printf %s {{ a }} | while IFS= read -r x; do printf "<%s>" "$x"; done',
    'while IFS= read -r x; do [ -z "$x" ] || printf "<%s>" "$x"; done <<E\n{{ a }}\nE',
    "printf %s {{ a }} > list\nwhile IFS= read -r x; do printf '<%s>' \"$x\"; done < list",
)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("shell", SHELLS, ids=lambda shell: Path(shell[0]).name)
@pytest.mark.parametrize("items", [[], ONE_LINE[:1], ONE_LINE], ids=["none", "one", "every hostile one"])
def test_a_loop_in_sh_sees_every_item_once_and_runs_none(
    loop: str, shell: tuple[str, ...], items: Sequence[str], tmp_path: Path
) -> None:
    assert not check_sh(loop, ["a"])

    ran = run(shell, render_sh(loop, {"a": list(items)}), tmp_path / "here")

    assert not ran.canary
    assert ran.stdout == "".join(f"<{item}>" for item in items).encode(), ran


@settings(max_examples=40)
@given(items=LISTS, shell=st.sampled_from(SHELLS), locale=st.sampled_from(LOCALES))
def test_any_list_arrives_in_sh_item_by_item(items: list[str], shell: tuple[str, ...], locale: str) -> None:
    with TemporaryDirectory() as folder:
        ran = run(shell, render_sh(LOOPS[0], {"a": items}), Path(folder), locale=locale)

    assert (ran.stdout, ran.canary) == ("".join(f"<{item}>" for item in items).encode(), False)


@given(items=LISTS, other=LISTS)
def test_in_powershell_a_list_is_an_array_of_literals_before_the_same_script(
    items: list[str], other: list[str]
) -> None:
    script = 'foreach ($x in {{ a }}) { Restart-Service $x }; "{{ a }}"'
    assert not check_powershell(script, ["a"])

    first, second = (render_powershell(script, {"a": each}) for each in (items, other))

    assert [base64.b64decode(found).decode() for found in LITERAL.findall(first)] == items
    assert first.startswith("${ops_a} = [string[]]@(")
    assert first.split("); ", 1)[1] == second.split("); ", 1)[1]
    assert DECODED.sub("X", first).startswith(f"${{ops_a}} = [string[]]@({', '.join('X' * len(items))}); ")


@pytest.mark.parametrize("hostile", ["a\nb", "a\r", "", "a\0b"])
def test_an_item_that_would_look_like_two_or_none_never_travels(hostile: str) -> None:
    for render in (render_powershell, render_sh):
        with pytest.raises(BindingRefused):
            render("echo {{ a }}", {"a": ["fine", hostile]})
    with pytest.raises(BindingRefused):
        fill("{{ a }}", {"a": [hostile]})


@given(LISTS)
def test_cmd_urls_and_headers_take_no_list(items: list[str]) -> None:
    with pytest.raises(BindingRefused):
        render_cmd("echo {{ a }}", {"a": items})
    with pytest.raises(BindingRefused):
        bind_url("https://example.com/{{ a }}", {"a": items})
    if items:
        with pytest.raises(BindingRefused):
            bind_header("{{ a }}", {"a": items})


@given(LISTS)
def test_in_json_a_list_stays_a_list_and_elsewhere_it_is_lines(items: list[str]) -> None:
    assert bind_json({"services": "{{ a }}"}, {"a": items}) == {"services": items}
    assert bind_raw('{"x": {{ a }}}', "application/json", {"a": items}).startswith('{"x": [')
    assert fill("{{ a }}", {"a": items}).splitlines() == items or any(len(i.splitlines()) > 1 for i in items)


@given(LISTS)
def test_whatever_a_job_may_offer_as_a_choice_can_travel(items: list[str]) -> None:
    offered = [item for item in items if len(item.splitlines()) == 1]
    if offered:
        Parameter(type="multi", choices=tuple(offered), default=tuple(offered))
        assert render_sh("printf %s {{ a }}", {"a": offered})
