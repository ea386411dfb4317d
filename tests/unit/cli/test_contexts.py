"""The servers that the command line knows, and where it keeps who is signed in."""

import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import keyring
import keyring.backend
import pytest

from cli.client import keyrings
from cli.client.contexts import Context, Contexts, Session
from cli.client.problems import CliError

HERE, THERE = "http://127.0.0.1:8080", "https://ops.example.org"
LOCAL, REMOTE = Context(name="127.0.0.1:8080", url=HERE), Context(name="prod", url=THERE)


def _session(name: str) -> Session:
    return Session(username=name, access_token="a", refresh_token="r-secret", expires_at=0.0)


@pytest.fixture
def contexts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Contexts:
    for name in ("OPS_URL", "OPS_CONTEXT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OPS_DATA_DIR", str(tmp_path / "data"))
    return Contexts(tmp_path / "config" / "contexts.json")


def test_only_the_owner_can_read_it(contexts: Contexts) -> None:
    contexts.put(LOCAL, _session("ada"))
    assert stat.S_IMODE(contexts.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(contexts.path.parent.stat().st_mode) == 0o700


def test_sessions_of_several_places_stay_apart_and_the_last_one_counts(contexts: Contexts) -> None:
    assert contexts.chosen(None, None) == LOCAL
    contexts.put(LOCAL, _session("ada"))
    contexts.put(REMOTE, _session("bob"))
    assert contexts.chosen(None, None).name == "prod"
    found = contexts.get(LOCAL)
    assert found is not None
    assert found.username == "ada"
    contexts.remove(LOCAL)
    assert contexts.get(LOCAL) is None
    assert contexts.get(REMOTE) is not None


def test_what_is_said_goes_before_the_environment_and_that_before_the_current_one(
    contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    contexts.put(LOCAL, _session("ada"))
    contexts.put(REMOTE, _session("bob"))
    monkeypatch.setenv("OPS_URL", "http://127.0.0.1:9")
    assert contexts.chosen(None, None).url == "http://127.0.0.1:9"
    monkeypatch.setenv("OPS_CONTEXT", LOCAL.name)
    assert contexts.chosen(None, None).url == HERE
    assert contexts.chosen("prod", None).url == THERE
    assert contexts.chosen(None, THERE).name == "prod"


def test_an_unknown_context_is_refused_with_those_there_are(contexts: Contexts) -> None:
    contexts.put(REMOTE, _session("bob"))
    with pytest.raises(CliError) as refused:
        contexts.use("test")
    assert "prod" in refused.value.hints[0]


def test_a_deleted_context_is_gone_with_its_session_and_is_no_longer_meant(contexts: Contexts) -> None:
    contexts.put(REMOTE, _session("bob"))
    contexts.delete("prod")
    assert contexts.all() == []
    assert contexts.chosen(None, None).url == HERE
    assert "r-secret" not in contexts.path.read_text()


def test_a_damaged_file_is_as_good_as_signed_out(contexts: Contexts) -> None:
    contexts.put(LOCAL, _session("ada"))
    contexts.path.write_text('{"sessions": {"127.0.0.1:8080": {"other": 1}}}')
    assert contexts.get(LOCAL) is None
    contexts.path.write_text("{")
    assert contexts.get(LOCAL) is None


def test_an_address_without_scheme_is_refused(contexts: Contexts) -> None:
    with pytest.raises(CliError, match="is no address"):
        contexts.chosen(None, "ops.example.org")


def test_a_session_is_never_used_at_another_address(contexts: Contexts) -> None:
    contexts.put(REMOTE, _session("bob"))
    moved = contexts.chosen("prod", "https://ops.elsewhere.test")
    plain = contexts.chosen(None, THERE.replace("https", "http"))

    assert (moved.name, moved.url) == ("prod", "https://ops.elsewhere.test")
    assert contexts.get(moved) is None
    assert contexts.get(plain) is None
    assert contexts.get(contexts.chosen("prod", THERE)) is not None


@pytest.mark.parametrize(
    ("context", "words"),
    [
        (LOCAL, f"opsconductor login --url {HERE}"),
        (replace(LOCAL, username="admin"), f"opsconductor login --url {HERE}"),
        (
            replace(REMOTE, name="my prod", username="ada"),
            f"opsconductor login --url {THERE} --context 'my prod' --username ada",
        ),
    ],
)
def test_who_has_to_sign_in_again_is_told_to_as_the_same_user_in_the_same_place(
    context: Context, words: str
) -> None:
    assert context.sign_in() == words


@pytest.mark.parametrize("url", ["https://", "https://[::1", "https://ops:port", "https://ops:70000"])
def test_an_address_that_leads_nowhere_is_refused(contexts: Contexts, url: str) -> None:
    with pytest.raises(CliError, match="is no address"):
        contexts.chosen(None, url)


def test_the_certificates_a_server_is_trusted_by_are_kept_with_it(
    contexts: Contexts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trusted = replace(REMOTE, ca_file=str(tmp_path / "ops.pem"))
    contexts.put(trusted, _session("bob"))
    assert contexts.named("prod").ca_file == str(tmp_path / "ops.pem")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPS_CA_FILE", "other.pem")
    assert contexts.chosen(None, None).ca_file == str(tmp_path / "other.pem")


class _Ring(keyring.backend.KeyringBackend):
    priority: Any = 5

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.kept: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        return self.kept.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self.kept[service, username] = password

    def delete_password(self, service: str, username: str) -> None:
        del self.kept[service, username]


@pytest.fixture
def ring() -> Iterator[_Ring]:
    before, ring = keyring.get_keyring(), _Ring()
    keyring.set_keyring(ring)
    yield ring
    keyring.set_keyring(before)


def test_tokens_in_the_keyring_never_touch_the_disk(contexts: Contexts, ring: _Ring) -> None:
    kept = Context(name="prod", url=THERE, store="keyring")
    contexts.put(kept, _session("bob"))
    [again] = contexts.all()
    assert contexts.get(again) == _session("bob")
    assert "r-secret" not in contexts.path.read_text()
    contexts.remove(again)
    assert ring.kept == {}


def test_a_keyring_that_keeps_nothing_is_not_taken_for_one(ring: _Ring) -> None:
    assert keyrings.available()
    ring.priority = 0
    assert not keyrings.available()
    with pytest.raises(CliError) as refused:
        keyrings.write("prod", "x")
    assert "--store file" in refused.value.hints[0]
