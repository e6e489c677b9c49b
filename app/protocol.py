"""One connection of a client: HTTP/1.1 for uvicorn's `http=`, with the memo in front (RFC 9112).

What it needs of uvicorn is the contract of that setting, held by tests/live/test_uvicorn_contract.py: how the class is
called; `shutdown`; `loaded_app`, `asgi_version` and `timeout_keep_alive` of the configuration, and for WebSockets
`ws_protocol_class`, which is made and fed like this class; `connections` and `tasks` of the server's state.
"""

from __future__ import annotations

import asyncio
import typing
from collections import deque
from typing import Any
from urllib.parse import unquote

from uvicorn.config import Config
from uvicorn.protocols.utils import get_local_addr, get_remote_addr, is_ssl
from uvicorn.server import ServerState

from app.arrival import CYCLE, TARGET
from app.cycle import Cycle
from app.heads import TOO_LATE
from app.memo import Memo
from app.request_reader import RequestReader

# How long a head may take to come, from its first byte, and how long a new connection may say nothing.
HEAD_SECONDS = 60.0
# How many requests of a pipeline are read ahead: as long as we read we notice when the client leaves.
MOST_WAITING = 32


class Serving(typing.Protocol):
    """What is answered by now: the `memo`, for connections of that `scheme`, and whether `bans` are let in."""

    @property
    def memo(self) -> Memo | None: ...
    @property
    def scheme(self) -> str: ...
    @property
    def bans(self) -> bool: ...


class Front(typing.Protocol):
    """Where connections find what is answered by now: it may be another for each request."""

    @property
    def serving(self) -> Serving: ...


class Protocol(asyncio.Protocol):
    """Requests are read as they come and answered in their order: those behind one that is being answered wait in
    `_pipeline`."""

    transport: asyncio.Transport

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        front: Front | None = None,
    ) -> None:
        self._config, self._state, self._app_state = config, server_state, app_state
        self._loop = _loop or asyncio.get_event_loop()
        self._front = front
        self._replaying = front  # None once finished answers are of no use here
        self._reader = RequestReader(self, websockets=config.ws_protocol_class is not None)
        self._cycle: Cycle | None = None  # the request that is being answered
        self._arriving: Cycle | None = None  # the request whose body is being read
        self._pipeline: deque[Cycle] = deque()
        self.write_paused = self._read_paused = self._deaf = self._leaving = False
        self._last_words = b""  # what is said to a client behind its last answer, before the connection closes
        self._drained: asyncio.Future[None] | None = None
        self._idle = True  # since the timer was set
        self._unread = 0  # bytes that the client had not read when the timer fired
        self._timer: asyncio.TimerHandle | None = None

    # What asyncio calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport  # type: ignore[assignment]  # uvloop's is one, but not by inheritance
        self._state.connections.add(self)  # type: ignore[arg-type]  # its type names uvicorn's own classes
        self._server, self._client = get_local_addr(self.transport), get_remote_addr(self.transport)
        self._scheme = self._reader.scheme = "https" if is_ssl(self.transport) else "http"
        if self._front is not None and self._front.serving.scheme != self._scheme:
            self._replaying = None
        self.head_begun()

    def connection_lost(self, error: Exception | None) -> None:
        self._let_go()
        self._replaying = None
        self.resume_writing()
        waiting = [one for one in (self._cycle, *self._pipeline) if one is not None]
        self._cycle = self._arriving = None
        self._pipeline.clear()
        for cycle in waiting:
            cycle.leave()

    def eof_received(self) -> bool:
        """A client that has closed its side has left; but it gets what is at hand, for it may still listen."""
        self._loop.call_soon(self._leave, None)
        return self._scheme == "http"  # over TLS both sides close at once

    def _leave(self, waited_for: Cycle | None) -> None:
        """Close once an answer has not come in a turn of the loop, and not because the client reads slowly."""
        if self.write_paused:
            self._leaving = True
        elif self._cycle is None or self._cycle is waited_for:
            self.transport.close()
        else:
            self._loop.call_soon(self._leave, self._cycle)

    def pause_writing(self) -> None:
        self.write_paused = True

    def resume_writing(self) -> None:
        self.write_paused = False
        if self._drained is not None and not self._drained.done():
            self._drained.set_result(None)
        if self._leaving:
            self._loop.call_soon(self._leave, None)

    def data_received(self, data: bytes) -> None:
        if not (self._reader.between and self.replay(data)) and not self._deaf:
            self._reader.feed(data)

    # What uvicorn calls.

    def shutdown(self) -> None:
        """The server stops: what is being answered ends, then the connection does."""
        self._replaying = None
        last = self._pipeline[-1] if self._pipeline else self._cycle
        if last is None:
            self.transport.close()
        else:
            last.keep_alive = False

    # What is read.

    @property
    def bans(self) -> bool:
        """Whether the methods BAN and PURGEKEYS are known here."""
        return self._front is not None and self._front.serving.bans

    def replay(self, head: bytes) -> bool:
        """Answer with what has been answered before, if it still stands, it is its turn, and the client reads."""
        if self._replaying is None or self._cycle is not None or self.write_paused:
            return False
        memo = self._replaying.serving.memo
        written = None if memo is None else memo.replay(head, self._client)
        if written is None:
            return False
        if isinstance(written, bytes):
            self.transport.write(written)
        else:
            self.transport.writelines(written)
        self._idle = False
        return True

    def requested(self) -> None:
        reader = self._reader
        cycle = self._arriving = Cycle(self, self._scope(), keep_alive=reader.persistent)
        if reader.persistent and self._replaying is not None and reader.method in ("GET", "HEAD"):
            cycle.head = reader.head
        if self._cycle is None:
            self._start(cycle)
            return
        self._pipeline.append(cycle)
        if self.full():
            self.pause_reading()

    def full(self) -> bool:
        return len(self._pipeline) >= MOST_WAITING

    def content(self, data: bytes) -> None:
        if self._arriving is not None:
            self._arriving.feed(data)

    def ended(self) -> None:
        if self._arriving is not None:
            self._arriving.end()
            self._arriving = None

    def switched(self) -> None:
        if self._cycle is None and self._reader.upgrading:
            self._hand_over()
        else:  # CONNECT is refused, and behind a request that is being answered another protocol has no place
            self._deaf = True
            self.shutdown()

    def refused(self, response: bytes) -> None:
        """What came before it is answered first; what comes after it is lost."""
        self._deaf, self._replaying, self._last_words = True, None, response
        broken, self._arriving = self._arriving, None  # its body has no end
        if broken is not None and broken.complete:
            self.transport.close()  # it has its answer already, and gets no other
            return
        if broken is not None:
            broken.leave()
            if broken is not self._cycle:
                self._pipeline.remove(broken)
        if self._cycle is broken:
            self._say_last_words()

    def _say_last_words(self) -> None:
        if self._cycle is not None and self._cycle.started:
            self.transport.abort()  # in the middle of its answer there is no place for words
        elif not self.transport.is_closing():
            self.transport.write(self._last_words)
            self.transport.close()

    def unending(self) -> None:
        self.transport.abort()

    # Requests and their answers.

    def _scope(self) -> dict[str, Any]:
        reader = self._reader
        path, _, query = reader.target.partition(b"?")
        text = path.decode("latin-1")
        return {
            "type": "http",
            "asgi": {"version": self._config.asgi_version, "spec_version": "2.3"},
            "http_version": reader.version,
            "server": self._server,
            "client": self._client,
            "scheme": self._scheme,
            "method": reader.method,
            "root_path": "",
            "path": unquote(text) if "%" in text else text,
            "raw_path": path,
            "query_string": query,
            "headers": reader.fields,
            "state": self._app_state.copy(),
            TARGET: reader.target,
        }

    def _start(self, cycle: Cycle) -> None:
        self._cycle = cycle
        cycle.scope["extensions"] = {CYCLE: cycle}  # an extension of our own
        # Born here, not in app.tasks: the server knows it, waits for it when it stops, and cancels it in the end.
        cycle.task = task = self._loop.create_task(cycle.run(self._config.loaded_app))
        self._state.tasks.add(task)
        task.add_done_callback(self._state.tasks.discard)

    def answered(self) -> None:
        """The request at the head of the line has its answer: the next one's turn."""
        self._cycle, self._idle = None, False
        if self.transport.is_closing():
            return
        if self._pipeline:
            self._start(self._pipeline.popleft())
        elif self._last_words:
            self._say_last_words()
        if not self.full():
            self._reader.resume()
        self.resume_reading()

    async def drained(self) -> None:
        """Wait until the client has read enough of what was written, or has left."""
        while self.write_paused:
            self._drained = self._loop.create_future()
            await self._drained

    def pause_reading(self) -> None:
        if not self._read_paused:
            self._read_paused = True
            self.transport.pause_reading()

    def resume_reading(self) -> None:
        if self._read_paused and not self.full():
            self._read_paused = False
            self.transport.resume_reading()

    def _hand_over(self) -> None:
        """To the server's WebSocket protocol, which parses the head anew."""
        reader, heir = self._reader, self._heir()
        lines = [b"%b: %b\r\n" % field for field in reader.fields]
        head = b"".join((reader.method.encode(), b" ", reader.target, b" HTTP/1.1\r\n", *lines, b"\r\n"))
        self._let_go()
        heir.connection_made(self.transport)
        heir.data_received(head)
        self.transport.set_protocol(heir)

    def _heir(self) -> Any:
        make: Any = self._config.ws_protocol_class
        return make(config=self._config, server_state=self._state, app_state=self._app_state)

    def _let_go(self) -> None:
        self._state.connections.discard(self)
        if self._timer is not None:
            self._timer.cancel()
        self._reader.close()

    # Time.

    def head_begun(self) -> None:
        """From now on a whole head must come in time."""
        self._look_in(HEAD_SECONDS)

    def _look_in(self, seconds: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = self._loop.call_later(seconds, self._look)
        self._idle = True

    def _look(self) -> None:
        """One timer a connection, which sees when it fires what has happened since: requests come too often for more.
        So an idle connection is closed after one to two times `timeout_keep_alive`."""
        unread = self.transport.get_write_buffer_size()
        nothing_read, self._unread = 0 < unread == self._unread, unread
        if nothing_read:  # since the last look; to close would be to wait until the client reads it
            self.transport.abort()
        elif unread or self._cycle is not None:  # we may be the ones who do not read
            self._look_in(HEAD_SECONDS)
        elif not self._reader.between:
            self.refused(TOO_LATE)
        elif self._idle:
            self.transport.close()
        else:
            self._look_in(self._config.timeout_keep_alive)
