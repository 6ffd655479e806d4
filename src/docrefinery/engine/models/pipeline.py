"""Docling's standard pipeline whose models outlive a job."""

import copy
from collections import OrderedDict
from typing import Any

from docling.datamodel.pipeline_options import TesseractCliOcrOptions, ThreadedPdfPipelineOptions
from docling.models.base_model import GenericEnrichmentModel
from docling.models.factories import get_ocr_factory
from docling.models.stages.page_preprocessing.page_preprocessing_model import (
    PagePreprocessingModel,
    PagePreprocessingOptions,
    resolve_skip_cell_extraction,
)
from docling.pipeline.standard_pdf_pipeline import StandardPdfPipeline

from docrefinery.engine.models.tesseract import Notes, TellingTesseract

_OCR_MODELS_KEPT = 4


class ModelPdfPipeline(StandardPdfPipeline):
    """Docling's pipeline, loaded once.

    Docling loads its models with each new set of options, of which jobs have many. Here a job gets a copy of the
    pipeline that shares its models and differs in what its options say.

    :ivar classifier: classifies pictures; ``None`` where it is not installed.
    :ivar describer: describes pictures; ``None`` where it is not installed.
    """

    def __init__(self, pipeline_options: ThreadedPdfPipelineOptions) -> None:
        super().__init__(pipeline_options)
        self.classifier: GenericEnrichmentModel[Any] | None = None
        self.describer: GenericEnrichmentModel[Any] | None = None
        self._ocr_models: OrderedDict[str, Any] = OrderedDict()

    def for_job(self, options: ThreadedPdfPipelineOptions) -> "ModelPdfPipeline":
        """Return the pipeline of a job.

        :param options: made by the same function as those of this pipeline; what they ask of models that are not
            held is left out.
        """
        job = copy.copy(self)
        job.pipeline_options = options
        job.keep_images = options.generate_page_images or options.generate_picture_images
        job.preprocessing_model = PagePreprocessingModel(
            options=PagePreprocessingOptions(
                images_scale=options.images_scale,
                skip_cell_extraction=resolve_skip_cell_extraction(options),
                capture_reading_order_separators=options.use_reading_order_separators,
            )
        )
        job.ocr_model = self._ocr_model(options)
        if isinstance(job.ocr_model, TellingTesseract):
            job.ocr_model.notes = Notes()
        job.table_model = copy.copy(self.table_model)
        job.table_model.enabled = options.do_table_structure
        wanted = [
            self.classifier if options.do_picture_classification else None,
            self.describer if options.do_picture_description else None,
        ]
        job.enrichment_pipe = [model for model in wanted if model is not None]
        job.keep_backend = bool(job.enrichment_pipe)
        return job

    @property
    def read_notes(self) -> Notes:
        """What happened while a job's document was read."""
        return self.ocr_model.notes if isinstance(self.ocr_model, TellingTesseract) else Notes()

    def _ocr_model(self, options: ThreadedPdfPipelineOptions) -> Any:
        """Return the OCR model of some options, loaded when they are first asked for."""
        key = f"{options.do_ocr} {options.ocr_options.kind} {options.ocr_options.model_dump_json()}"
        if key not in self._ocr_models:
            self._ocr_models[key] = self._new_ocr_model(options)
            if len(self._ocr_models) > _OCR_MODELS_KEPT:
                self._ocr_models.popitem(last=False)
        self._ocr_models.move_to_end(key)
        return self._ocr_models[key]

    def _new_ocr_model(self, options: ThreadedPdfPipelineOptions) -> Any:
        tesseract = isinstance(options.ocr_options, TesseractCliOcrOptions)
        make = TellingTesseract if tesseract else get_ocr_factory().create_instance
        return make(
            options=options.ocr_options,
            enabled=options.do_ocr,
            artifacts_path=self.artifacts_path,
            accelerator_options=options.accelerator_options,
        )
