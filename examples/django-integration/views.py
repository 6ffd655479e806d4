"""PDFs of a Django project through DocumentRefinery: upload, remember the job, and take the result when it is told.

Put the model, the two views and their URLs into an app of yours; ``DOCREFINERY_SERVER``, ``DOCREFINERY_API_KEY`` and
``WEBHOOK_SECRET`` are environment variables. Register the second view's URL once:

    Client().create_webhook(name="Django", url="https://…/docrefinery/", secret=os.environ["WEBHOOK_SECRET"])
"""

import os

from django.db import models
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from docrefinery.client import Client, ClientError, DuplicateDocument, InvalidSignature, JobEvent, verify_webhook


class Paper(models.Model):
    """A PDF that was sent, and its text once that is there."""

    document_id = models.BigIntegerField()
    job_id = models.BigIntegerField(unique=True)
    status = models.CharField(max_length=20, default="QUEUED")
    markdown = models.TextField(default="")

    class Meta:
        app_label = "papers"


@require_POST
def upload(request: HttpRequest) -> JsonResponse:
    """Send an uploaded file on, as a stream, and remember its job."""
    file = request.FILES["file"]
    with Client() as client:
        try:
            document = client.upload(file, name=file.name, profile="structured")
            document_id, job_id = document.id, document.job_id
        except DuplicateDocument as duplicate:
            document_id = duplicate.existing.document_id
            job_id = client.process(document_id, profile="structured").id
        except ClientError as error:
            return JsonResponse({"error": str(error)}, status=502)
    paper, _ = Paper.objects.get_or_create(job_id=job_id, defaults={"document_id": document_id})
    return JsonResponse({"paper": paper.pk, "job_id": job_id}, status=202)


@csrf_exempt
@require_POST
def changed(request: HttpRequest) -> HttpResponse:
    """Take a webhook. In a large project a task fetches the result, since an answer is expected within 15 s."""
    try:
        event = verify_webhook(request.body, request.headers, os.environ["WEBHOOK_SECRET"])
    except InvalidSignature as error:
        return HttpResponse(str(error), status=401)
    if isinstance(event, JobEvent):
        papers = Paper.objects.filter(job_id=event.job_id)
        papers.update(status=event.status)
        if event.status == "SUCCEEDED" and papers.exists():
            with Client() as client:
                for artifact in client.artifacts(job_id=event.job_id, kind="markdown"):
                    papers.update(markdown=client.read(artifact).decode())
    return HttpResponse(status=204)


urlpatterns = [path("papers/", upload), path("docrefinery/", changed)]
