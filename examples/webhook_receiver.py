"""Receive DocumentRefinery's webhooks in plain Python: ``WEBHOOK_SECRET=… python webhook_receiver.py 8001``."""

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from docrefinery.webhooks import InvalidSignature, verify

SECRET = os.environ["WEBHOOK_SECRET"]
seen: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to what is DocumentRefinery's, 401 to everything else."""

    def do_POST(self) -> None:
        """Take an event."""
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        try:
            event = verify(body, self.headers, SECRET)
        except InvalidSignature as error:
            self.send_error(401, explain=str(error))
            return
        # An event may come more than once; its id stays the same. Keep the ids where they outlive this process.
        delivery = self.headers["X-DocRefinery-Delivery"]
        if delivery not in seen:
            seen.add(delivery)
            print(event.get("job_id"), event.get("status"), event.get("stage"), flush=True)
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Receiver)
    print(f"Listening on port {server.server_port}", flush=True)
    server.serve_forever()
