"""What Dockerfile and compose.yaml promise, tried without Docker: the recipe is done step by step in a folder."""

import re
import subprocess
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest
import yaml

from tests.live import dockerfile
from tests.live.dockerfile import Instruction, Stage
from tests.live.processes import LOOPBACK, free_port, listening, running

pytestmark = pytest.mark.live

CHECKOUT = Path(__file__).parents[2]
BUILD, FINAL = dockerfile.read(CHECKOUT / "Dockerfile")


def one(stage: Stage, keyword: str) -> Instruction:
    found = [instruction for instruction in stage if instruction.keyword == keyword]
    assert len(found) == 1, keyword
    return found[0]


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file system of the image, as far as our recipe fills it."""
    place = tmp_path_factory.mktemp("image")
    dockerfile.perform(BUILD, CHECKOUT, place)
    return place


def image(root: Path, **more: str) -> dict[str, str]:
    """The environment inside the container."""
    inside = dockerfile.environment(FINAL)
    assert inside.pop("PATH") == "/opt/swerve/bin:$PATH"
    return dockerfile.with_path(root / "opt/swerve/bin", {**inside, **more})


def swerve(root: Path, words: Sequence[str], **more: str) -> subprocess.CompletedProcess[str]:
    empty = root / "empty"
    empty.mkdir(exist_ok=True)
    return subprocess.run(
        words, cwd=empty, env=image(root, **more), capture_output=True, text=True, timeout=30, check=False
    )


def files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}


def test_what_is_copied_exists_and_reaches_the_builder() -> None:
    ignore = (CHECKOUT / ".dockerignore").read_text().splitlines()
    for sources, _ in dockerfile.copied(BUILD):
        for source in sources:
            assert (CHECKOUT / source).exists(), source
            assert f"!{source}" in ignore, source


def test_it_runs_as_nobody_and_stops_on_sigterm() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", one(FINAL, "USER").argument)
    assert one(FINAL, "STOPSIGNAL").argument == "SIGTERM"
    assert one(FINAL, "ENTRYPOINT").words == ["swerve"]
    assert one(FINAL, "HEALTHCHECK").argument.endswith('CMD ["swerve", "health"]')


def test_it_listens_to_the_world_on_the_exposed_ports() -> None:
    inside = dockerfile.environment(FINAL)
    assert inside["SWERVE_LISTEN"] == "0.0.0.0:8080"
    assert inside["SWERVE_ADMIN"] == "0.0.0.0:8081"
    assert one(FINAL, "EXPOSE").words == ["8080", "8081"]


def test_it_carries_the_configuration_and_no_installer(root: Path) -> None:
    (packages,) = (root / "opt/swerve/lib").glob("python3.*/site-packages")
    carried = files(packages / "app/_config")
    assert Path("swerve.toml") in carried
    assert carried == files(CHECKOUT / "config")
    assert not (packages / "pip").exists()
    assert not (packages / "hatchling").exists()


def test_it_knows_its_version(root: Path) -> None:
    done = swerve(root, ["swerve", "--version"])
    assert done.returncode == 0, done.stderr
    label = re.search(r'image\.version="([^"]+)"', one(FINAL, "LABEL").argument)
    assert label is not None
    assert label[1] in done.stdout


def test_it_is_unhealthy_while_nothing_runs(root: Path) -> None:
    done = swerve(root, ["swerve", "health"], SWERVE_ADMIN=f"{LOOPBACK}:{free_port()}")
    assert done.returncode == 1, done.stdout + done.stderr


def test_it_starts_without_its_origin_is_healthy_writes_nothing_and_ends_well(root: Path) -> None:
    before = files(root)
    port, admin = free_port(), f"0.0.0.0:{free_port()}"
    settings = {"SWERVE_LISTEN": f"0.0.0.0:{port}", "SWERVE_ADMIN": admin}
    settings["SWERVE_ORIGIN"] = f"http://{LOOPBACK}:{free_port()}"
    command = [str(root / "opt/swerve/bin/swerve"), *one(FINAL, "CMD").words]
    empty = root / "empty"
    empty.mkdir(exist_ok=True)
    with running(command, lambda _: listening(port), folder=empty, environment=image(root, **settings)) as server:
        health = swerve(root, ["swerve", "health"], SWERVE_ADMIN=admin)
        assert health.returncode == 0, health.stdout + health.stderr + server.printed
        assert server.stop() == 0, server.printed
    assert files(root) == before


def test_compose_puts_it_in_front_of_an_origin() -> None:
    services = yaml.safe_load((CHECKOUT / "compose.yaml").read_text())["services"]
    edge = services["swerve"]
    assert edge["build"] == "."
    assert "8080:8080" in edge["ports"]
    assert "127.0.0.1:8081:8081" in edge["ports"], "the admin side is for this machine only"
    assert edge["environment"]["SWERVE_ORIGIN"] == "${SWERVE_ORIGIN:-http://origin:8000}"
    python, dash_m, server, site, *_, port = services["origin"]["entrypoint"]
    assert (python, dash_m, server, port) == ("python", "-m", "uvicorn", "8000")
    module, _, name = site.partition(":")
    assert callable(getattr(import_module(module), name))
