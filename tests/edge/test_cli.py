"""The command line: what is short for what, what mistakes say, and the exit codes."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app import __version__
from app.cli import cli
from app.settings import Settings, Sources

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings file and no variables of the one who runs the tests."""
    monkeypatch.chdir(tmp_path)
    for name in ("SWERVE_ORIGIN", "SWERVE_TO", "SWERVE_ADMIN", "SWERVE_ADMIN_TOKEN", "SWERVE_CONFIG", "PORT"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Settings, bool]]:
    """Instead of serving: what would have been served."""
    calls: list[tuple[Settings, bool]] = []

    def run(settings: Settings, _sources: Sources, *, demo: bool) -> int:
        calls.append((settings, demo))
        return 0

    stand_in = ModuleType("app.serve")
    stand_in.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.serve", stand_in)
    return calls


def swerve(*words: str, **environ: str) -> Result:
    return CliRunner().invoke(cli, list(words), env=environ, prog_name="swerve")


@pytest.mark.parametrize("words", [["--version"], ["-V"], ["version"]])
def test_the_version(words: list[str]) -> None:
    done = swerve(*words)
    assert (done.exit_code, done.output) == (0, f"swerve {__version__}\n")


@pytest.mark.parametrize(
    "words", [["--help"], ["-h"], ["serve", "-h"], ["demo", "-h"], ["why", "-h"], ["health", "-h"]]
)
def test_help(words: list[str]) -> None:
    done = swerve(*words)
    assert done.exit_code == 0
    assert done.output.startswith("Usage: swerve")


def test_help_lists_the_commands() -> None:
    output = swerve("--help").output
    for command in ("serve", "demo", "health", "why", "version", "ls", "show", "invalidate", "delete", "deploy", "warm",
                    "tail", "clock", "reload"):  # fmt: skip
        assert f"  {command} " in output


@pytest.mark.parametrize(
    ("words", "origin"),
    [
        (["http://localhost:3000"],                   "http://localhost:3000"),
        (["serve", "http://localhost:3000"],          "http://localhost:3000"),
        (["localhost:3000"],                          "http://localhost:3000"),
        ([":3000"],                                   "http://localhost:3000"),
        (["[::1]:3000"],                              "http://[::1]:3000"),
        (["unix:/run/app.sock"],                      "unix:/run/app.sock"),
        (["https://example.com", "--log", "off"],     "https://example.com"),
        (["--log", "off", "https://example.com"],     "https://example.com"),
        (["serve", "--log", "off", "localhost:1"],    "http://localhost:1"),
    ],
)  # fmt: skip
def test_an_origin_is_short_for_serve(served: list[tuple[Settings, bool]], words: list[str], origin: str) -> None:
    done = swerve(*words)
    assert done.exit_code == 0, done.output
    ((settings, demo),) = served
    assert str(settings.origin) == origin
    assert demo is False


def test_flags_reach_the_settings(served: list[tuple[Settings, bool]]) -> None:
    flags = ["--listen", ":9000", "--admin", ":9001", "--dialect", "standard", "--max-size", "1mb", "--drain", "1s"]
    done = swerve("localhost:3000", *flags, "--trust-forwarded", "--no-origin-verify")
    assert done.exit_code == 0, done.output
    ((settings, _),) = served
    assert str(settings.listen) == "127.0.0.1:9000"
    assert settings.dialect.name == "standard"
    assert (settings.max_size, settings.drain) == (2**20, 1.0)
    assert (settings.trust_forwarded, settings.origin_verify) == (True, False)


def test_the_environment_is_enough(served: list[tuple[Settings, bool]]) -> None:
    assert swerve("serve", SWERVE_ORIGIN="http://web:3000", SWERVE_ADMIN_TOKEN="").exit_code == 0
    assert str(served[0][0].origin) == "http://web:3000"
    assert served[0][0].admin_token is None


def test_a_settings_file_is_enough(served: list[tuple[Settings, bool]], tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text('origin = "http://web:3000"\n')
    assert swerve("-c", "own.toml").exit_code == 0
    assert str(served[0][0].origin) == "http://web:3000"


def test_the_demo(served: list[tuple[Settings, bool]]) -> None:
    assert swerve("demo", "--listen", ":9000").exit_code == 0
    assert served[0][0].origin is None
    assert served[0][1] is True


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["heath"],                                 ["'heath' is neither a command (did you mean health?)", "http://heath"]),
        (["example.com"],                           ["neither a command", "write http://example.com"]),
        (["serve"],                                 ["origin is not set"]),
        (["http://a:1", "--listen", "80x"],         ["--listen", "'80x'", "write HOST:PORT"]),
        (["http://a:1", "--lisen", "80"],           ["--lisen", "--listen"]),
        (["-c", "nope.toml"],                       ["nope.toml cannot be read"]),
        (["demo", "http://a:1"],                    ["http://a:1"]),
        (["http://a:1/path"],                       ["write http://a:1"]),
        (["health", "--admin", "x"],                ["--admin", "'x'", "write HOST:PORT"]),
        (["why"],                                   ["URL"]),
        (["why", "http://a/", "-H", "nocolon"],     ["-H", "Name: value"]),
    ],
)  # fmt: skip
def test_mistakes_exit_with_two_and_say_what_to_write(
    served: list[tuple[Settings, bool]], words: list[str], told: list[str]
) -> None:
    done = swerve(*words)
    assert done.exit_code == 2
    for text in told:
        assert text in done.stderr
    assert done.stdout == ""
    assert not served


def test_a_mistake_in_the_environment_is_one_line(served: list[tuple[Settings, bool]]) -> None:
    done = swerve("localhost:3000", SWERVE_LISTN="x")
    assert done.exit_code == 2
    assert done.stderr == "swerve: the environment variable 'SWERVE_LISTN' is unknown; did you mean SWERVE_LISTEN?\n"


class Admin(BaseHTTPRequestHandler):
    """An admin side that is well, except below /ill."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/healthz" else 503)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def admin() -> Iterator[int]:
    """The port of an admin side."""
    with HTTPServer(("127.0.0.1", 0), Admin) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_health(admin: int) -> None:
    for done in (
        swerve("health", "--admin", f"127.0.0.1:{admin}"),
        swerve("health", SWERVE_ADMIN=f"0.0.0.0:{admin}"),
        swerve("health", "--admin", f"http://localhost:{admin}/"),
    ):
        assert (done.exit_code, done.stdout.count("\n")) == (0, 1), done.output
        assert done.stdout.startswith("healthy: ")


def test_ill_health(admin: int) -> None:
    done = swerve("health", "--admin", f"http://127.0.0.1:{admin}/ill")
    assert done.exit_code == 1
    assert "answered 503" in done.stdout


def test_health_of_nobody() -> None:
    with HTTPServer(("127.0.0.1", 0), Admin) as server:
        port = server.server_port
    done = swerve("health", "--admin", f"127.0.0.1:{port}")
    assert done.exit_code == 1
    assert done.stdout.startswith(f"unhealthy: http://127.0.0.1:{port} does not answer")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """Instead of asking why: what would have been asked."""
    calls: list[tuple[Any, ...]] = []

    def why_command(*arguments: Any) -> int:
        calls.append(arguments)
        return 1

    stand_in = ModuleType("app.why")
    stand_in.why_command = why_command  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "app.why", stand_in)
    return calls


def test_why(asked: list[tuple[Any, ...]]) -> None:
    done = swerve("why", "/blog", "-X", "head", "-H", "Accept: a: b", "-H", "rsc:1", "--json", SWERVE_ADMIN_TOKEN="t")
    assert done.exit_code == 1
    assert asked == [("http://127.0.0.1:8081", "t", "/blog", "HEAD", [("Accept", "a: b"), ("rsc", "1")], True)]


def test_why_by_default(asked: list[tuple[Any, ...]]) -> None:
    swerve("why", "/blog", SWERVE_ADMIN="web:1")
    assert asked == [("http://web:1", None, "/blog", "GET", [], False)]


def test_as_a_module_and_without_what_takes_long_to_import() -> None:
    code = "import runpy, sys; sys.argv = ['swerve', '--version']\ntry: runpy.run_module('app', run_name='__main__')\n"
    code += "finally: print(sorted({'httpx2', 'starlette', 'uvicorn', 'http_sf', 'app.settings'} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stdout == f"swerve {__version__}\n[]\n", done.stderr
