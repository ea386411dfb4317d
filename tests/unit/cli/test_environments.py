"""What each child of `up` is told."""

from pathlib import Path

from cli.up.environments import Ports, Wiring
from cli.up.secrets import FirstPassword, Secrets, keep_secrets, new_password
from infra.passwords import weakness

PORTS = Ports(http=1, workers=2, amqp=3, sandbox_ssh=4, sandbox_http=5, sandbox_https=6)
INHERITED = {
    "PATH": "/bin",
    "OPS_LEASE_SECONDS": "20",
    "OPS_SEAL_PRIVATE_KEY": "/keys/private",
    "OPS_JWT_KEYS": "/keys/jwt",
    "OPS_DATABASE_URL": "postgresql://somewhere",
}


def _wiring(inherited: dict[str, str]) -> Wiring:
    secrets = Secrets(
        private_key_file=Path("/data/private"),
        public_key_file=Path("/data/public"),
        jwt_keys_file=Path("/data/jwt"),
        host_key_file=Path("/data/host"),
        amqp_password="amqp-word",
        sandbox_password="sandbox-word",
    )
    return Wiring(
        inherited=inherited, ports=PORTS, secrets=secrets, host="0.0.0.0", sandbox_home=Path("/data/s")
    )


def test_the_private_key_reaches_the_workers_only_even_when_it_was_inherited() -> None:
    wiring = _wiring(INHERITED)
    gateway = wiring.for_gateway("postgresql://db", first_password=None)
    assert wiring.for_workers("postgresql://db")["OPS_SEAL_PRIVATE_KEY"] == "/keys/private"
    for environment in (gateway, wiring.for_broker(), wiring.for_sandbox()):
        assert "OPS_SEAL_PRIVATE_KEY" not in environment
        assert "/keys/private" not in environment.values()


def test_each_child_is_given_the_secrets_it_needs_and_no_other() -> None:
    wiring = _wiring(INHERITED)
    assert "OPS_JWT_KEYS" not in wiring.for_workers("postgresql://db")
    for environment in (wiring.for_broker(), wiring.for_sandbox()):
        assert not {"OPS_DATABASE_URL", "OPS_JWT_KEYS"} & set(environment)
    assert "sandbox-word" not in str(wiring.for_workers("postgresql://db"))
    assert "amqp-word" not in str(wiring.for_sandbox())
    assert "OPS_BOOTSTRAP_ADMIN_PASSWORD" not in wiring.for_gateway("postgresql://db", first_password=None)


def test_settings_of_the_user_reach_everybody() -> None:
    assert _wiring(INHERITED).for_workers("postgresql://db")["OPS_LEASE_SECONDS"] == "20"


def test_only_the_gateway_listens_where_others_can_reach_it() -> None:
    wiring = _wiring({})
    assert wiring.for_gateway("postgresql://db", first_password=None)["OPS_HOST"] == "0.0.0.0"
    assert wiring.for_workers("postgresql://db")["OPS_HOST"] == "127.0.0.1"
    assert wiring.http_url == "http://127.0.0.1:1"


def test_secrets_are_made_once_and_kept(tmp_path: Path) -> None:
    first, second = keep_secrets(tmp_path), keep_secrets(tmp_path)
    assert first == second
    assert not [path for path in tmp_path.iterdir() if path.stat().st_mode & 0o077]


def test_the_first_password_stays_the_same_until_it_was_shown(tmp_path: Path) -> None:
    password = FirstPassword(tmp_path)
    made = password.make()
    assert password.make() == made == FirstPassword(tmp_path).unseen()
    password.shown()
    assert password.unseen() is None


def test_made_up_passwords_are_strong_and_all_different() -> None:
    made = {new_password() for _ in range(100)}
    assert len(made) == 100
    assert not [password for password in made if weakness(password, username="admin")]
