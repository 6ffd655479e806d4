"""A Django project with the example's app: ``upload FILE`` prints the job, ``tell BODY`` the result."""

import os
import sys
import time
from pathlib import Path
from uuid import uuid4

import django
from django.conf import settings

settings.configure(
    ROOT_URLCONF="views",
    SECRET_KEY="example",
    ALLOWED_HOSTS=["testserver"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "papers.sqlite"}},
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    FILE_UPLOAD_MAX_MEMORY_SIZE=0,
)
django.setup()

from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from views import Paper  # type: ignore[import-not-found] # noqa: E402

from docrefinery.services.webhooks import signing  # noqa: E402


def main(what: str, argument: str) -> None:
    """Do one of the two."""
    browser = Client()
    if what == "upload":
        with connection.schema_editor() as editor:
            editor.create_model(Paper)
        file = SimpleUploadedFile("paper.pdf", Path(argument).read_bytes(), "application/pdf")
        answer = browser.post("/papers/", {"file": file})
        sys.stdout.write(str(answer.json()["job_id"]))
        return
    secret = os.environ["WEBHOOK_SECRET"]
    body = argument.encode()
    for key, status in (("wrong", 401), (secret, 204)):
        headers = signing.headers(body, event="job.updated", delivery=uuid4(), timestamp=int(time.time()), secret=key)
        answer = browser.post("/docrefinery/", body, content_type="application/json", headers=headers)
        assert answer.status_code == status, answer.content
    paper = Paper.objects.get()
    sys.stdout.write(f"{paper.status} {paper.markdown}")


if __name__ == "__main__":
    main(*sys.argv[1:])
