"""Two ways from a PDF to a document without a model, and what each costs."""

import io
import logging
import resource
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from msgspec import Struct

if TYPE_CHECKING:
    from docling_core.types.doc import DoclingDocument

T = TypeVar("T")


class Engine(Struct, frozen=True):
    """From a PDF to a document, and from that to Markdown."""

    document: Callable[[Path], "DoclingDocument"]
    markdown: Callable[["DoclingDocument"], str]


class Converted(Struct):
    """What came of converting files.

    :param pages: of the documents that were made.
    :param document_ms: CPU time of reading the files and making the documents.
    :param exports_ms: CPU time of writing them as Markdown, text, DocTags and JSON.
    :param failed: why files could not be converted, by name.
    :param empty: names of those whose Markdown has nothing in it.
    """

    pages: int = 0
    document_ms: float = 0
    exports_ms: float = 0
    failed: dict[str, str] = {}
    empty: list[str] = []


def geometric() -> Engine:
    """Return the engine of this project, with tables."""
    from docrefinery.engine.geometric import assemble, read, read_outline
    from docrefinery.exporters.markdown_serializer import Serializer

    return Engine(
        lambda path: assemble(read(path, tables=True), path.stem, read_outline(path)),
        lambda document: Serializer(doc=document).serialize().text,
    )


def docling() -> Engine:
    """Return Docling's native PDF pipeline, without the images that it renders by default: ours has none either."""
    from docling.datamodel.base_models import InputFormat
    from docling.datamodel.pipeline_options import NativePdfPipelineOptions
    from docling.document_converter import DocumentConverter, NativePdfFormatOption

    from docrefinery.exporters.markdown_serializer import Serializer

    options = NativePdfPipelineOptions(generate_page_images=False, generate_picture_images=False)
    converter = DocumentConverter([InputFormat.PDF], {InputFormat.PDF: NativePdfFormatOption(pipeline_options=options)})
    return Engine(
        lambda path: converter.convert(path).document, lambda document: Serializer(doc=document).serialize().text
    )


ENGINES: dict[str, Callable[[], Engine]] = {"ours": geometric, "Docling": docling}


def alone(function: Callable[..., T], *arguments: object) -> T:
    """Call a function in a new process, so that its imports and its memory are nobody else's."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def convert_all(make: Callable[[], Engine], paths: Sequence[Path], predictions: Path) -> Converted:
    """Convert files, and write the Markdown of each to a folder under the file's name."""
    _keep_quiet()
    engine, converted = make(), Converted()
    _warm_up(engine, paths)
    for path in paths:
        started = time.process_time()
        try:
            document = engine.document(path)
            made = time.process_time()
            markdown = _exported(engine, document)
        except Exception as error:  # noqa: BLE001 - an engine may fail of anything, and the others are to be scored
            converted.failed[path.stem] = f"{type(error).__name__}: {error}"
            continue
        converted.pages += len(document.pages)
        converted.document_ms += 1000 * (made - started)
        converted.exports_ms += 1000 * (time.process_time() - made)
        predictions.joinpath(f"{path.stem}.md").write_text(markdown, "utf-8", "replace")
        if not markdown.strip():
            converted.empty.append(path.stem)
    return converted


def peak_mib(make: Callable[[], Engine], path: Path) -> float:
    """Return the largest resident memory that this process has had once a file is converted and exported."""
    _keep_quiet()
    engine = make()
    _exported(engine, engine.document(path))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def _keep_quiet() -> None:
    """Docling warns of boxes that stick out of their pages, and of plugins that are there for others."""
    warnings.simplefilter("ignore")
    logging.getLogger("docling.models.factories.base_factory").setLevel(logging.ERROR)


def _warm_up(engine: Engine, paths: Sequence[Path]) -> None:
    """Convert one file that can be converted: whatever is loaded on first use is not the documents' cost."""
    for path in paths:
        try:
            _exported(engine, engine.document(path))
        except Exception:  # noqa: BLE001 - told when its turn comes
            continue
        return


def _exported(engine: Engine, document: "DoclingDocument") -> str:
    """Write a document in every format and return its Markdown."""
    from docrefinery.exporters import docling_json, doctags, text

    for exporter in (text, doctags, docling_json):
        exporter.write(document, io.BytesIO())
    return engine.markdown(document)
