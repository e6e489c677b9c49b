"""nginx with proxy_cache, as its configuration here has it."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import Message

from bench.peers.peer import Peer, Site
from bench.ports import free_port
from bench.processes import await_port, running
from bench.templates import filled, nginx_user


def hit(fields: Message) -> bool:
    return fields.get("X-Cache-Status") in {"HIT", "STALE", "UPDATING"}


@contextmanager
def nginx(site: Site) -> Iterator[Peer]:
    folder, port = site.where.folder, free_port()
    folder.mkdir(parents=True)
    log = f"{site.log} combined" if site.log else "off"
    config = filled("config/nginx.conf", folder=folder, port=port, origin=site.origin, log=log, user=nginx_user())
    (folder / "nginx.conf").write_text(config)
    with running([site.program, "-p", str(folder), "-c", str(folder / "nginx.conf")], site.where) as process:
        await_port(process, port, site.where)
        yield Peer("nginx", port, (process.pid,), hit, site.log)
