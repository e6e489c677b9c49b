"""Varnish with a store in memory, and varnishncsa beside it where requests are logged."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from email.message import Message

from bench.peers.peer import Peer, Site
from bench.ports import LOOPBACK, free_port
from bench.processes import Where, await_port, running
from bench.refusal import CannotRunError
from bench.templates import filled

# One pool, for there is one core; enough threads that a thousand connections find one.
THREADS = {"thread_pools": 1, "thread_pool_min": 100, "thread_pool_max": 2000}


def hit(fields: Message) -> bool:
    """X-Varnish names two requests when the response was fetched for an earlier one."""
    return len(fields.get("X-Varnish", "").split()) == 2


@contextmanager
def varnish(site: Site) -> Iterator[Peer]:
    folder, port = site.where.folder, free_port()
    folder.mkdir(parents=True)
    (folder / "varnish.vcl").write_text(filled("config/varnish.vcl", origin=site.origin))
    command = [site.program, "-F", "-j", "none", "-n", str(folder / "state"), "-f", str(folder / "varnish.vcl")]
    command += ["-a", f"{LOOPBACK}:{port}", "-T", "none", "-s", "malloc,1G", "-p", "listen_depth=4096"]
    for name, value in THREADS.items():
        command += ["-p", f"{name}={value}"]
    with ExitStack() as stack:
        process = stack.enter_context(running(command, site.where))
        await_port(process, port, site.where)
        roots = (process.pid, *([stack.enter_context(running(_logger(site), _beside(site))).pid] if site.log else []))
        yield Peer("varnish", port, roots, hit, site.log)


def _logger(site: Site) -> list[str]:
    program = shutil.which("varnishncsa")
    if program is None:
        raise CannotRunError("varnishncsa is missing, which belongs to the package varnish")
    return [program, "-n", str(site.where.folder / "state"), "-a", "-w", str(site.log)]


def _beside(site: Site) -> Where:
    return Where(site.where.folder / "logger", site.where.core)
