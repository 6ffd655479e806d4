"""The API behind a real server, in a thread or beside the test: for slow bodies, and answers that do not end."""

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn

from docrefinery.api.app import App
from docrefinery.api.middleware import observed
from docrefinery.bootstrap.api import build_api
from docrefinery.cli.http import BoundedProtocol, GracefulServer
from docrefinery.settings import Settings


class Serving:
    """A server that runs."""

    def __init__(self, app: App, server: GracefulServer) -> None:
        self._app = app
        self._server = server

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.servers[0].sockets[0].getsockname()[1]}"

    def waiting(self, job_id: int) -> bool:
        """Whether somebody waits for a job to change."""
        return job_id in self._app.state.services.jobs._changes._watches

    def stop(self) -> None:
        """Tell it to stop, as SIGTERM does."""
        self._server.should_exit = True


def _server(settings: Settings, grace_seconds: int, port: int = 0) -> tuple[App, GracefulServer]:
    app = build_api(settings)
    config = uvicorn.Config(
        observed(app),
        port=port,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=grace_seconds,
    )
    return app, GracefulServer(config, app.state.services.jobs.let_go)


@asynccontextmanager
async def serving_beside(settings: Settings, port: int = 0) -> AsyncIterator[Serving]:
    """Serve the API in the test's own loop, for tests that look into the database too; it stops without grace."""
    app, server = _server(settings, 1, port)
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            assert not task.done(), "the server did not start"
            await asyncio.sleep(0.01)
        yield Serving(app, server)
    finally:
        server.should_exit = True
        await task


@contextmanager
def serving(settings: Settings, grace_seconds: int = 3) -> Iterator[Serving]:
    """Serve the API on a free port."""
    app, server = _server(settings, grace_seconds)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            thread.join(0.01)
        yield Serving(app, server)
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
