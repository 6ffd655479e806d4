"""Text recognition: pages a minute for each engine that is installed, on all cores."""

import io
import os
import tempfile
import time
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import get_args

import pypdfium2 as pdfium

from docrefinery.capabilities import installed_ocr
from docrefinery.engine.base import EngineOptions, Help
from docrefinery.engine.geometric_engine import GeometricEngine
from docrefinery.settings import OcrEngine

PAGES = 16
DPI = 200


def _scan(paths: Sequence[Path]) -> bytes:
    """Return the first pages of files as a scanner would make one file of them."""
    images = []
    for path in islice(paths, PAGES):
        with pdfium.PdfDocument(path) as document:
            images.append(document[0].render(scale=DPI / 72).to_pil().convert("L").copy())
    file = io.BytesIO()
    images[0].save(file, "PDF", resolution=DPI, save_all=True, append_images=images[1:])
    return file.getvalue()


def pages_per_minute(paths: Sequence[Path]) -> dict[str, float]:
    """Recognise the first pages of files with each engine."""
    figures: dict[str, float] = {}
    cores = len(os.sched_getaffinity(0))
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "scan.pdf")
        source.write_bytes(_scan(paths))
        for name in get_args(OcrEngine):
            if name == "auto" or installed_ocr(name) is None:
                continue
            aid, options = Help(ocr_engine=name, ocr_threads=cores), EngineOptions(do_ocr=True)
            started = time.perf_counter()
            result = GeometricEngine().convert(source, "scan.pdf", options, lambda *_: None, aid)
            figures[f"OCR pages/min, {name}"] = 60 * result.pages_total / (time.perf_counter() - started)
    return figures
