"""The API behind a real server in a thread: for bodies that arrive slowly and answers that do not end."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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


@contextmanager
def serving(settings: Settings, grace_seconds: int = 3) -> Iterator[Serving]:
    """Serve the API on a free port."""
    app = build_api(settings)
    config = uvicorn.Config(
        observed(app),
        port=0,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=grace_seconds,
    )
    server = GracefulServer(config, app.state.services.jobs.let_go)
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
