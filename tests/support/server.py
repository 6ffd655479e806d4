"""The API behind a real server in a thread: for bodies that arrive slowly and answers that do not end."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn

from docrefinery.api.middleware import observed
from docrefinery.bootstrap.api import build_api
from docrefinery.cli.http import BoundedProtocol
from docrefinery.settings import Settings


@contextmanager
def serving(settings: Settings) -> Iterator[str]:
    """Serve the API on a free port, and yield its base URL."""
    config = uvicorn.Config(
        observed(build_api(settings)),
        port=0,
        http=BoundedProtocol,
        log_config=None,
        access_log=False,
        ws="none",
        timeout_graceful_shutdown=3,
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()), daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            thread.join(0.01)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
        assert not thread.is_alive(), "the server did not stop"
