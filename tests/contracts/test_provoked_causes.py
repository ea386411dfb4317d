"""Every cause has a test that brings it about; known trouble with WinRM ends in a cause or mends itself."""

from pathlib import Path

import pytest

from contracts.causes import CAUSES
from tests.contracts.provoking import KINDS, TESTS, Provocation, provocations
from tests.contracts.troubles import TROUBLES, Trouble

MARKED = provocations()
PROVOKED = {code for one in MARKED for code in one.codes}
BEYOND_REACH = {
    "kerberos_failed": "A realm would be needed; the real exceptions are diagnosed in test_winrm_catalogue.",
}
"""Causes that no test can provoke, and why."""


@pytest.mark.parametrize("code", CAUSES)
def test_a_cause_is_provoked_by_a_test(code: str) -> None:
    assert (code in PROVOKED) != (code in BEYOND_REACH), (
        f"Mark the test that brings about {code} with @pytest.mark.provokes('{code}'); without one, write it."
    )


@pytest.mark.parametrize("marked", MARKED, ids=lambda marked: marked.where)
def test_a_mark_names_causes_that_its_test_asserts(marked: Provocation) -> None:
    assert set(marked.codes) <= set(CAUSES), f"{marked.where}: no such cause"
    assert set(marked.codes) == marked.asserted, f"{marked.where}: marked, and not asserted"
    assert marked.kind in KINDS, f"{marked.where}: only tests that act on something real provoke anything"


def test_what_is_beyond_reach_exists() -> None:
    assert BEYOND_REACH.keys() <= CAUSES.keys()


@pytest.mark.parametrize("trouble", TROUBLES, ids=lambda trouble: trouble.seen)
def test_known_trouble_ends_in_a_cause_or_mends_itself(trouble: Trouble) -> None:
    assert trouble.causes or trouble.mends
    assert set(trouble.causes) <= PROVOKED | BEYOND_REACH.keys()
    for where in trouble.shown_by:
        path, _, test = where.partition("::")
        assert f"def {test}(" in (TESTS.parent / path).read_text(encoding="utf-8"), where


# -- what reads the marks


def test_a_mark_counts_only_for_what_an_assertion_claims(tmp_path: Path) -> None:
    folder = tmp_path / "marked_tests"
    (folder / "executors").mkdir(parents=True)
    (folder / "executors" / "test_marks.py").write_text(
        """import pytest

@pytest.mark.provokes("quota")
def test_asserts(): assert given() == "quota"

@pytest.mark.provokes("quota")
def test_denies(): assert given() != "quota"

@pytest.mark.provokes("quota")
def test_only_mentions():
    print("quota")
    assert given()

@pytest.mark.provokes("quota", "internal")
@pytest.mark.parametrize(("x", "code"), [(1, "quota"), (2, "unreachable")])
def test_compares_with_its_rows(x, code): assert given(x) == code
"""
    )
    with pytest.MonkeyPatch.context() as patched:
        patched.syspath_prepend(str(tmp_path))
        found = {one.where.rpartition("::")[2]: one.asserted for one in provocations(folder)}

    assert found == {
        "test_asserts": {"quota"},
        "test_denies": set(),
        "test_only_mentions": set(),
        "test_compares_with_its_rows": {"quota"},
    }
