"""Settings read again by a running Swerve: by signal and by command, in one process and in several, under load."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import signal
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from hashlib import sha256
from itertools import cycle
from pathlib import Path

import pytest
import trustme

from tests.live.processes import listening
from tests.live.raw_client import Caller, calling, get
from tests.live.raw_origin import Wire
from tests.live.routed_origin import RoutedOrigin, ok, says
from tests.live.swerve import Swerve, command, environment, free_ports, swerve, within
from tests.live.test_commands import Shell
from tests.live.workforce import runs, until, until_up, workers

pytestmark = pytest.mark.live

PAGES = {"/page": says(ok(b"page", "Cache-Control: s-maxage=600"))}
AUTO = ""
NEVER = '[[routes]]\npath = "/page"\ndynamic = "force-dynamic"\n'
NONE = '[[routes]]\npath = "/page"\nonly = []\n'
REASONS = {AUTO: ("uri-miss", "fresh"), NEVER: ("dynamic-route",)}


@asynccontextmanager
async def configured(
    folder: Path, origin: RoutedOrigin, *flags: str, quiet: bool = True
) -> AsyncIterator[tuple[Swerve, Path]]:
    """With its settings in a file."""
    file = folder / "swerve.toml"
    file.write_text(AUTO)
    async with swerve(origin.url, "-c", str(file), *flags, quiet=quiet) as proxy:
        yield proxy, file


async def reason(caller: Caller) -> str:
    answer = await caller.get("/page")
    return (answer.header("cache-status") or str(answer.status)).rpartition("detail=")[2]


def has_ended(pid: int) -> bool:
    return not runs(pid)


@within(60)
async def test_a_signal_has_the_settings_read_again(tmp_path: Path) -> None:
    async with (
        RoutedOrigin(PAGES) as origin,
        configured(tmp_path, origin) as (proxy, file),
        calling(proxy.port) as caller,
    ):
        assert [await reason(caller) for _ in range(3)] == ["uri-miss", "fresh", "fresh"]
        file.write_text(NEVER)
        os.kill(proxy.pid, signal.SIGHUP)
        await until(lambda: "reloaded: routes" in proxy.printed)
        assert await reason(caller) == "dynamic-route"
        file.write_text("[[routes]]\npat = 1\n")
        os.kill(proxy.pid, signal.SIGHUP)
        await until(lambda: "not reloaded" in proxy.printed)
        assert "routes[1]: pat is unknown; did you mean path?" in proxy.printed
        assert await reason(caller) == "dynamic-route"
        file.write_text('workers = 2\nlisten = ":1"\n')
        os.kill(proxy.pid, signal.SIGHUP)
        await until(lambda: "reloaded: routes; needs a restart: workers" in proxy.printed)
        assert await reason(caller) == "fresh", "what was stored is still there"


@within(60)
async def test_a_command_does_and_says_what_has_changed(tmp_path: Path) -> None:
    async with RoutedOrigin(PAGES) as origin, configured(tmp_path, origin) as (proxy, file):
        shell = Shell(proxy, {})
        assert (await shell.run("reload")).out == "reloaded: nothing has changed\n"
        file.write_text(f'max_object = "1kb"\nworkers = 3\n{NEVER}')
        assert (await shell.run("reload")).out == (
            'reloaded\n  max_object: unset -> 1024\n  routes: [] -> ["/page"]\n  needs a restart: workers: 1 -> 3\n'
            "what is stored was stored before this changed: routes; to begin anew: swerve delete --all\n"
        )
        told = json.loads((await shell.run("reload", "--json")).out)
        assert (told["changed"], [one["setting"] for one in told["restart"]]) == ([], ["workers"])
        file.write_text("max_objekt = 1")
        refused = await shell.run("reload", code=2)
        assert "max_objekt is unknown; did you mean max_object?; nothing has changed" in refused.err


@within(120)
async def test_four_workers_under_load_answer_by_the_new_settings_and_make_no_error(tmp_path: Path) -> None:
    """Whoever asks after the command has returned is answered by what it said, on whichever connection and by whichever
    worker; and nobody gets anything else than one of the two."""
    stop, clients, rounds = asyncio.Event(), 32, 12
    counts: dict[str, int] = {}

    async def visit(proxy: Swerve) -> None:
        async with calling(proxy.port) as caller:
            while not stop.is_set():
                found = await reason(caller)
                counts[found] = counts.get(found, 0) + 1

    async with (
        RoutedOrigin(PAGES) as origin,
        configured(tmp_path, origin, "--workers", "4") as (proxy, file),
    ):
        await until_up(proxy, 4)
        load = [asyncio.ensure_future(visit(proxy)) for _ in range(clients)]
        async with asyncio.timeout(60):
            for text in [text for _, text in zip(range(rounds), cycle([NEVER, AUTO]), strict=False)]:
                file.write_text(text)
                answer = await get(proxy.admin, "/v1/reload", method="POST")
                assert answer.status == 200, answer.body
                connections = [calling(proxy.port) for _ in range(16)]
                callers = [await one.__aenter__() for one in connections]
                assert {await reason(one) for one in callers} <= set(REASONS[text])
                for one in connections:
                    await one.__aexit__(None, None, None)
        stop.set()
        await asyncio.gather(*load)
        print(counts)
        assert counts.keys() <= {"uri-miss", "fresh", "collapsed", "dynamic-route"}
        assert min(counts["fresh"], counts["dynamic-route"]) > clients


@within(120)
async def test_a_worker_that_takes_anothers_place_has_the_new_settings_too(tmp_path: Path) -> None:
    async with (
        RoutedOrigin(PAGES) as origin,
        configured(tmp_path, origin, "--workers", "2", quiet=False) as (proxy, file),
    ):
        await until_up(proxy)
        for text in (NEVER, AUTO, NEVER):
            staff = workers(proxy)
            os.kill(staff[0], signal.SIGKILL)
            file.write_text(text)
            answer = await get(proxy.admin, "/v1/reload", method="POST")
            assert answer.status == 200, answer.body
            await until(partial(has_ended, staff[0]))
            await until_up(proxy)
            for _ in range(24):
                async with calling(proxy.port) as caller:
                    assert await reason(caller) in REASONS[text]


@within(60)
async def test_a_signal_to_one_worker_alone_is_nothing_to_it(tmp_path: Path) -> None:
    async with RoutedOrigin(PAGES) as origin, configured(tmp_path, origin, "--workers", "2") as (proxy, file):
        await until_up(proxy)
        staff = workers(proxy)
        file.write_text(NONE)
        os.kill(staff[0], signal.SIGHUP)
        os.kill(proxy.pid, signal.SIGHUP)
        await until(lambda: "reloaded: routes" in proxy.printed)
        assert {(await get(proxy.port, "/page")).status for _ in range(24)} == {404}
        assert workers(proxy) == staff


@within(60)
async def test_a_request_under_way_ends_by_the_settings_it_began_with(tmp_path: Path) -> None:
    release = asyncio.Event()

    async def held(wire: Wire, _: bytes) -> None:
        await release.wait()
        await wire.send(ok(b"held", "Cache-Control: s-maxage=600"))

    async with (
        RoutedOrigin({"/page": held}) as origin,
        configured(tmp_path, origin, "--workers", "2") as (proxy, file),
    ):
        await until_up(proxy)
        async with calling(proxy.port) as caller:
            asked = asyncio.ensure_future(reason(caller))
            await until(lambda: origin.count("/page") == 1)
            file.write_text(NONE)
            assert (await get(proxy.admin, "/v1/reload", method="POST")).status == 200
            assert (await get(proxy.port, "/page")).status == 404
            release.set()
            assert await asked == "uri-miss"


def issue(authority: trustme.CA, folder: Path) -> str:
    """A certificate in place of the one that lies there; its fingerprint."""
    issued = authority.issue_cert("localhost")
    issued.private_key_pem.write_to_path(folder / "key.pem")
    (folder / "cert.pem").write_bytes(b"".join(part.bytes() for part in issued.cert_chain_pems))
    return sha256(ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode())).hexdigest()


@pytest.mark.parametrize("count", [1, 2])
@within(60)
async def test_a_renewed_certificate_is_shown_from_now_on(tmp_path: Path, count: int) -> None:
    authority, trusting = trustme.CA(), ssl.create_default_context()
    authority.configure_trust(trusting)

    async def shown(proxy: Swerve) -> str:
        async with calling(proxy.port, tls=trusting) as caller:
            assert (await caller.get("/page")).status == 200
            der = caller.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            return sha256(der).hexdigest()

    old = issue(authority, tmp_path)
    flags = ["--tls-cert", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"), "--workers", str(count)]
    async with RoutedOrigin(PAGES) as origin, configured(tmp_path, origin, *flags) as (proxy, _):
        if count > 1:
            await until_up(proxy)
        assert await shown(proxy) == old
        async with calling(proxy.port, tls=trusting) as long_lived:
            assert (await long_lived.get("/page")).status == 200
            new = issue(authority, tmp_path)
            told = json.loads((await Shell(proxy, {}).run("reload", "--json")).out)
            assert told["changed"] == [{"setting": "certificate", "before": old, "after": new}]
            assert {await shown(proxy) for _ in range(12)} == {new}
            (tmp_path / "key.pem").write_text("no key")
            refused = await Shell(proxy, {}).run("reload", code=2)
            assert "tls_cert" in refused.err
            assert await shown(proxy) == new
            assert (await long_lived.get("/page")).status == 200


@pytest.mark.parametrize("count", [1, 2])
@within(60)
async def test_swerve_ends_with_the_terminal_that_it_ran_in(tmp_path: Path, count: int) -> None:
    ours, theirs = pty.openpty()
    port, admin = free_ports()
    async with RoutedOrigin(PAGES) as origin:
        process = await asyncio.create_subprocess_exec(
            "setsid", "-c", *command(origin.url, port, admin, "--workers", str(count)),
            cwd=tmp_path, env=environment(), stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        try:
            os.close(theirs)
            await until(lambda: listening(port))
            assert (await get(port, "/page")).status == 200
            process.send_signal(signal.SIGHUP)
            assert (await get(port, "/page")).status == 200, "a signal alone does not end it"
            os.close(ours)
            assert await asyncio.wait_for(process.wait(), 10) == 0
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
