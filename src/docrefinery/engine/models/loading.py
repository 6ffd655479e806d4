"""Loading Docling's models: once, before there is work, and with one line for whatever goes wrong."""

import io
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import psutil
import pypdfium2 as pdfium
from tqdm import tqdm

from docrefinery.capabilities import Hardware, Models
from docrefinery.capabilities.models import installed_models
from docrefinery.engine.base import EngineOptions
from docrefinery.engine.models.options import classification_options, description_options, pipeline_options
from docrefinery.engine.models.pipeline import ModelPdfPipeline

_LONGEST_PROBLEM = 300
_PATH = re.compile(r"(?:/[^\s/:'\"]+)+/([^\s/:'\"]+)")
_WARM_UP = EngineOptions(do_table_structure=True)


def load(hardware: Hardware, *, forks: bool = False) -> tuple[ModelPdfPipeline | None, Models]:
    """Load what the models folder holds.

    :param forks: start no thread, so that children can be forked of this process; :func:`spread_out` is for them.
    :returns: the pipeline, or ``None`` where layout or tables cannot be had, and what is held or why not.
    """
    before = psutil.Process().memory_info().rss
    if forks:
        # Its progress bars are watched by a thread.
        tqdm.monitor_interval = 0
        hardware = msgspec.structs.replace(hardware, threads=1)
    there = installed_models(Path(hardware.models_folder))
    if not there.usable:
        return None, there
    held = dict(there.held)
    try:
        device = _device(hardware)
    except Exception as error:  # noqa: BLE001 - torch, transformers and Docling raise anything
        reason = f"DOCREFINERY_DEVICE is {hardware.device}, which is not available here; set it to auto or cpu"
        return None, Models(problem=f"{reason} ({_told(error)})")
    try:
        pipeline = ModelPdfPipeline(pipeline_options(_WARM_UP, hardware))
    except Exception as error:  # noqa: BLE001 - torch, transformers and Docling raise anything
        return None, Models(problem=_problem("layout and table models", error))
    broken = {
        **_add(pipeline, held, "picture_classification", "classifier", lambda: _classifier(pipeline)),
        **_add(pipeline, held, "picture_description", "describer", lambda: _describer(pipeline, hardware)),
    }
    try:
        if not forks:
            _warm_up(pipeline, hardware)
    except Exception as error:  # noqa: BLE001 - as above
        return None, Models(problem=_problem("layout and table models", error))
    grown = psutil.Process().memory_info().rss - before
    return pipeline, Models(held, device, max(grown, 0), broken=broken)


def spread_out(threads: int) -> None:
    """Let the models compute in so many threads: in a child, when it has been forked."""
    import torch

    torch.set_num_threads(threads)


def _device(hardware: Hardware) -> str:
    from docling.utils.accelerator_utils import decide_device

    return decide_device(hardware.device)


def _add(
    pipeline: ModelPdfPipeline, held: dict[str, str], part: str, attribute: str, load_it: Callable[[], Any]
) -> dict[str, str]:
    """Load a model that may be missing; return what is wrong with one that should have been loaded."""
    if part not in held:
        return {}
    try:
        setattr(pipeline, attribute, load_it())
    except Exception as error:  # noqa: BLE001 - as above
        del held[part]
        return {part: _problem(part.replace("_", " ") + " model", error)}
    return {}


def _classifier(pipeline: ModelPdfPipeline) -> Any:
    from docling.models.stages.picture_classifier.document_picture_classifier import DocumentPictureClassifier

    return DocumentPictureClassifier(
        enabled=True,
        artifacts_path=pipeline.artifacts_path,
        options=classification_options(),
        accelerator_options=pipeline.pipeline_options.accelerator_options,
    )


def _describer(pipeline: ModelPdfPipeline, hardware: Hardware) -> Any:
    from docling.models.stages.picture_description.picture_description_vlm_engine_model import (
        PictureDescriptionVlmEngineModel,
    )

    return PictureDescriptionVlmEngineModel(
        enabled=True,
        enable_remote_services=False,
        artifacts_path=pipeline.artifacts_path,
        options=description_options(hardware),
        accelerator_options=pipeline.pipeline_options.accelerator_options,
    )


def _warm_up(pipeline: ModelPdfPipeline, hardware: Hardware) -> None:
    """Have a blank page converted: what is set up with the first one is not to cost the first job its time."""
    from docling.backend.docling_parse_backend import ThreadedDoclingParseDocumentBackend
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.document import InputDocument

    blank = pdfium.PdfDocument.new()
    blank.new_page(612, 792)
    content = io.BytesIO()
    blank.save(content)
    content.seek(0)
    document = InputDocument(
        path_or_stream=content,
        format=InputFormat.PDF,
        backend=ThreadedDoclingParseDocumentBackend,
        filename="blank.pdf",
    )
    pipeline.for_job(pipeline_options(_WARM_UP, hardware)).execute(document, raises_on_error=True)


def _problem(what: str, error: Exception) -> str:
    return f"the {what} cannot be loaded: {_told(error)}"


def _told(error: Exception) -> str:
    """Return an error in one line that clients may read: of a path of this machine its end alone."""
    cause = error.__cause__ or error
    text = _PATH.sub(r"\1", " ".join(str(cause).split())) or type(cause).__name__
    return text if len(text) <= _LONGEST_PROBLEM else f"{text[:_LONGEST_PROBLEM]}…"
