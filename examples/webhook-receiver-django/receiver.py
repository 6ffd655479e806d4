"""Receive DocumentRefinery's webhooks in Django: ``WEBHOOK_SECRET=… python receiver.py 8001``.

In a project of yours the view and its URL are all that is needed, and the secret among your settings.
"""

import os
import sys
from wsgiref.simple_server import make_server

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from docrefinery.webhooks import InvalidSignature, verify

settings.configure(
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.urandom(32).hex(),
    ALLOWED_HOSTS=["127.0.0.1"],
    WEBHOOK_SECRET=os.environ["WEBHOOK_SECRET"],
)
seen: set[str] = set()


@csrf_exempt
@require_POST
def docrefinery(request: HttpRequest) -> HttpResponse:
    """Take an event; slow work belongs into a task, since an answer is expected within 15 s."""
    try:
        event = verify(request.body, request.headers, settings.WEBHOOK_SECRET)
    except InvalidSignature as error:
        return HttpResponse(str(error), status=401)
    # An event may come more than once; its id stays the same. In a project, a unique column keeps it.
    delivery = request.headers["X-DocRefinery-Delivery"]
    if delivery not in seen:
        seen.add(delivery)
        print(event.get("job_id"), event.get("status"), event.get("stage"), flush=True)
    return HttpResponse(status=204)


urlpatterns = [path("webhooks/docrefinery", docrefinery)]
application = get_wsgi_application()

if __name__ == "__main__":
    server = make_server("127.0.0.1", int(sys.argv[1]), application)
    print(f"Listening on port {server.server_port}", flush=True)
    server.serve_forever()
