"""Origins that we did not write: a Next.js app, a Vite dev server with hot reload, a static file server."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.live import node
from tests.live.processes import LOOPBACK, free_port, listening, running

NOTHING: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Origin:
    url: str
    folder: Path
    """Where its sources lie; Vite's is a copy, there to be edited."""


@contextmanager
def next_app(**variables: str) -> Iterator[Origin]:
    """`next start`: `/` and `/stock` static, `/isr` revalidated every 2 s, `/news` on demand, `/dynamic`; route
    handlers below `/api`. `variables` of its environment."""
    folder = node.APPS / "next"
    node.build(folder)
    port = free_port()
    script = folder / "node_modules/next/dist/bin/next"
    words = ["start", "--hostname", LOOPBACK, "--port", str(port)]
    with _serving(port, [script, *words], folder, variables) as origin:
        yield origin


def preview_mode_id() -> str:
    """The token that the build has made for drafts and for revalidation on demand."""
    return str(_manifest()["preview"]["previewModeId"])


def prerendered_routes() -> list[str]:
    """What the build has prerendered, but for what it keeps to itself."""
    return [route for route in _manifest()["routes"] if not route.startswith("/_")]


def _manifest() -> Any:
    return json.loads((node.APPS / "next" / ".next" / "prerender-manifest.json").read_text())


@contextmanager
def vite_app() -> Iterator[Origin]:
    """`vite` in development: rewrite `folder / "greeting.js"` and it says so over its WebSocket."""
    app = node.APPS / "vite"
    modules = node.install(app)
    port = free_port()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place).resolve()
        for source in ("index.html", "main.js", "greeting.js"):
            shutil.copy(app / source, folder)
        script = modules / "vite/bin/vite.js"
        with _serving(port, [script, "--host", LOOPBACK, "--port", str(port), "--strictPort"], folder) as origin:
            yield origin


@contextmanager
def third_app() -> Iterator[Origin]:
    """`serve`: static files with entity-tags, ranges and, on `/style.css`, `Cache-Control: public, max-age=60`."""
    app = node.APPS / "serve"
    modules = node.install(app)
    port = free_port()
    script = modules / "serve/build/main.js"
    options = ["--listen", f"tcp://{LOOPBACK}:{port}", "--no-port-switching", "--no-clipboard", "--no-request-logging"]
    with _serving(port, [script, *options], app / "public") as origin:
        yield origin


@contextmanager
def _serving(
    port: int, script: Sequence[str | Path], folder: Path, variables: Mapping[str, str] = NOTHING
) -> Iterator[Origin]:
    command, environment = ["node", *script], {**node.environment(), **variables}
    with running(command, lambda _: listening(port), folder=folder, environment=environment):
        yield Origin(f"http://{LOOPBACK}:{port}", folder)
