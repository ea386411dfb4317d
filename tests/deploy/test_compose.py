"""What compose.yaml promises about every service, and that what it names exists."""

import itertools
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main
import yaml

from cli.__main__ import app
from contracts import topology
from infra.settings import Role, Settings
from tests.support.compose import FILE, compose, long_lived, ours, secrets_of, services
from tests.support.processes import ROOT
from workers.__main__ import ROLES

PUBLISHED = {"nginx": {"8080", "8443"}, "mailpit": {"8025"}}
MAY_REACH_OUT = {"executor", "nginx", "mailpit"}
SECRET_WORDS = re.compile(r"password|secret|private|token|\bkey", re.IGNORECASE)
every_service = pytest.mark.parametrize("name", list(services()))


def test_the_file_is_valid_compose() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "check_jsonschema"]
    checked = subprocess.run(
        [*command, "--builtin-schema", "vendor.compose-spec", str(FILE)],
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_role_is_a_service_of_its_own_that_can_be_scaled() -> None:
    assert {role.value for role in Role} <= set(services())
    for role in (role.value for role in Role):
        assert "container_name" not in services()[role]
        assert "ports" not in services()[role]
        assert "hostname" not in services()[role]


@every_service
def test_every_service_runs_without_privileges_on_a_read_only_file_system(name: str) -> None:
    service = services()[name]

    user = service["user"].split(":")
    assert all(part.isdigit() and part != "0" for part in user), "a number: names differ between images"
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert not service.get("privileged")
    assert any(str(place).startswith("/tmp") for place in service["tmpfs"])


@every_service
def test_every_image_is_pinned_and_every_service_is_bounded(name: str) -> None:
    service = services()[name]

    assert re.fullmatch(r"[\w./-]+:v?\d+\.\d+[\w.-]*", service["image"]), "an exact version"
    assert service["logging"]["options"].keys() == {"max-size", "max-file"}
    assert service["deploy"]["resources"]["limits"].keys() == {"cpus", "memory"}


@pytest.mark.parametrize("name", long_lived())
def test_every_service_that_stays_has_a_health_check_and_comes_back(name: str) -> None:
    service = services()[name]

    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["healthcheck"].keys() == {"test", "interval", "timeout", "retries", "start_period"}


@every_service
def test_services_start_after_what_they_need_is_at_work(name: str) -> None:
    needed = services()[name].get("depends_on", {})

    for other, how in needed.items():
        done = "service_healthy" if other in long_lived() else "service_completed_successfully"
        assert how["condition"] == done
    if name in {role.value for role in Role}:
        assert set(needed) == {"migrate", "postgres", "rabbitmq"}


@every_service
def test_only_the_edge_is_published_and_only_those_reach_out_who_must(name: str) -> None:
    service, networks = services()[name], compose()["networks"]

    assert {port.rpartition(":")[2] for port in service.get("ports", ())} == PUBLISHED.get(name, set())
    outward = [net for net in service.get("networks", ()) if not (networks[net] or {}).get("internal")]
    assert bool(outward) == (name in MAY_REACH_OUT)
    if name == "mailpit":
        assert service["ports"] == ["127.0.0.1:8025:8025"]


def test_the_edge_does_not_reach_the_database_or_the_broker() -> None:
    assert "backend" not in services()["nginx"]["networks"]


@every_service
def test_no_secret_stands_in_the_file_or_in_an_environment(name: str) -> None:
    for variable, value in services()[name].get("environment", {}).items():
        if SECRET_WORDS.search(variable):
            assert str(value).startswith("/run/secrets/"), variable
        assert not re.search(r"://[^/@]*:[^/@]+@", str(value)), f"{variable} holds a password"


def test_only_executors_are_given_the_private_key_and_only_nginx_the_certificates_key() -> None:
    readers = {name: secrets_of(name) for name in services() if name != "secrets"}

    assert [name for name, volumes in readers.items() if "secrets-executor" in volumes] == ["executor"]
    assert [name for name, volumes in readers.items() if "secrets-gateway" in volumes] == ["gateway"]
    assert [name for name, volumes in readers.items() if "secrets-postgres" in volumes] == ["postgres"]
    assert [name for name, volumes in readers.items() if "secrets-rabbitmq" in volumes] == ["rabbitmq"]
    assert readers["nginx"] == {"certificate"}
    for name in readers:
        mounted = [str(volume) for volume in services()[name].get("volumes", ())]
        assert all(m.endswith(":ro") for m in mounted if "/run/secrets/" in m), name


@pytest.mark.parametrize("name", ours())
def test_every_setting_is_one_that_the_processes_know(name: str) -> None:
    environment = services()[name].get("environment", {})
    known = {f"OPS_{field.upper()}" for field in Settings.model_fields}

    assert set(environment) <= known


def test_what_an_operator_may_set_is_what_the_guide_tells() -> None:
    guide = (ROOT / "docs" / "deployment.md").read_text()
    table = guide.partition("## What you may set")[2].partition("\n## ")[0]
    told = {name for row in re.findall(r"^\| (`OPS_.+?) \|", table, re.MULTILINE) for name in row.split(", ")}

    assert {name.strip("`") for name in told} == set(re.findall(r"\$\{(OPS_\w+)", FILE.read_text()))


@pytest.mark.parametrize("name", ours())
def test_every_command_is_one_that_the_image_has(name: str) -> None:
    words = services()[name]["command"]

    if words[0] == "opsconductor":
        group = typer.main.get_command(app)
        for word in itertools.takewhile(lambda word: word[0] not in "-/", words[1:]):
            group = group.get_command(None, word)  # type: ignore[attr-defined]
            assert group is not None, word
        return
    assert words[:2] == ["python", "-m"]
    assert (ROOT / words[2] / "__main__.py").exists()
    assert set(words[3:]) <= {role.value for role in ROLES}


@every_service
def test_every_volume_network_and_file_that_is_named_exists(name: str) -> None:
    service = services()[name]

    assert set(service.get("networks", ())) <= set(compose()["networks"])
    for volume in service.get("volumes", ()):
        source = volume.split(":")[0]
        assert (ROOT / source).is_file() if source.startswith(".") else source in compose()["volumes"]
    if "build" in service:
        assert (ROOT / service["build"]["dockerfile"]).is_file()


def test_the_edges_variables_are_those_of_its_start_script() -> None:
    script = (ROOT / "infra" / "nginx" / "start.sh").read_text()

    for variable in services()["nginx"]["environment"]:
        assert f"{variable}=${{{variable}:-" in script


def test_the_nodes_queues_are_no_matter_of_compose() -> None:
    """They come from the topology by way of the definitions; a second list would drift."""
    text = yaml.safe_dump(compose())

    assert not [queue.name for queue in topology.durable_queues() if queue.name in text]


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "edge.Dockerfile"])
def test_the_dockerfiles_have_no_findings(dockerfile: str) -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    checked = subprocess.run(
        [str(hadolint), str(ROOT / "infra" / "docker" / dockerfile)],
        capture_output=True,
        text=True,
        check=False,
        timeout=150,
    )
    assert checked.returncode == 0, checked.stdout


@pytest.mark.parametrize("dockerfile", ["Dockerfile", "edge.Dockerfile"])
def test_images_end_as_a_numbered_user_without_anything_to_compile_with(dockerfile: str) -> None:
    text = (ROOT / "infra" / "docker" / dockerfile).read_text()
    last = text[text.rindex("\nFROM ") :]

    assert re.search(r"^USER [1-9]\d*:[1-9]\d*$", last, re.MULTILINE)
    assert not re.search(r"apt-get|apk add|gcc|pip install", last)
    assert not re.search(r"^(ARG|ENV) .*(PASSWORD|SECRET|TOKEN|PRIVATE)", text, re.MULTILINE)
    for image in re.findall(r"^ARG \w+_IMAGE=(.+)$", text, re.MULTILINE):
        assert re.search(r":\d+\.\d+\.\d+", image), "an exact version"


def test_what_may_be_secret_is_never_sent_to_a_build() -> None:
    lines = (ROOT / ".dockerignore").read_text().split()

    assert lines.index("*") < lines.index("!infra")
    assert {"**/.env*", "**/*.pem", "**/*.key"} <= set(lines[lines.index("!web") :])
