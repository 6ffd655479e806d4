"""A small server that speaks OpenAI's chat completions, as llama.cpp and others do."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, bytes]


class Endpoint:
    """What was asked, and what is answered: ``answer`` is given the number of the request, from 1."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self.answer: Callable[[int], Answer] = lambda number: (200, completion(f"A red square, number {number}."))

    def images(self) -> list[bytes]:
        """Return the pictures that were sent."""
        urls = [asked["messages"][0]["content"][1]["image_url"]["url"] for asked in self.asked]
        return [base64.b64decode(url.partition(",")[2]) for url in urls]


def completion(text: str) -> bytes:
    """Return the body of a chat completion."""
    message = {"role": "assistant", "content": text}
    return json.dumps({"object": "chat.completion", "choices": [{"index": 0, "message": message}]}).encode()


@contextmanager
def endpoint() -> Iterator[Endpoint]:
    """Run a server."""
    state = Endpoint()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            with lock:
                state.asked.append(asked)
                state.keys.append(self.headers["Authorization"])
                status, body = state.answer(len(state.asked))
            if self.path != "/v1/chat/completions":
                status, body = 404, b"{}"
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        state.url = f"http://127.0.0.1:{server.server_address[1]}/v1"
        try:
            yield state
        finally:
            server.shutdown()
            thread.join()
