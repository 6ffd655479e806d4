"""One conversion inside the child: engine, then exporters, with progress and times."""

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

from docrefinery.capabilities import Models, without_models
from docrefinery.engine.base import Engine, EngineOptions, EngineResult, Help, Parting, TooLarge
from docrefinery.engine.debugging import draw_pages
from docrefinery.engine.preflight import Pages, preflight
from docrefinery.engine.running import listed
from docrefinery.errors import ConversionFailed, ExportFailed, ModelsUnavailable
from docrefinery.model import JobWarning, Stage
from docrefinery.pipeline.beside import Beside
from docrefinery.pipeline.exporting import export_all, file_name
from docrefinery.pipeline.protocol import (
    PAGES_FILE,
    Convert,
    Done,
    Long,
    PagesRead,
    Read,
    Reply,
    Working,
    Written,
    drawing_name,
)
from docrefinery.plugin import Exporter
from docrefinery.plugin.registry import Registry

Send = Callable[[Reply], None]


def convert(
    engines: Mapping[str, Engine], models: Models, registry: Registry, request: Convert, send: Send, aid: Help
) -> Done | Long:
    """Convert a document and write its artifacts, or say that it is long.

    :param engines: ``geometric``, and ``docling`` where its models are held.
    :param models: those that are held, or why none are.
    :raises JobError: if the document cannot be converted or an exporter fails.
    """
    engine = _chosen(engines, models, request)
    exporters = [_exporter(registry, kind) for kind in request.exports]
    options = options_of(request.options, exporters)
    started = time.monotonic()
    if (long := _long(engine, request, options)) is not None:
        return long
    told = _without_models(engines, models, request)
    result = _converted(engines, engine, request, options, send, aid, told)
    convert_ms = _since(started)
    export_ms, chunk_ms = export_all(registry, exporters, result, request, send)
    return Done(
        page_count=result.page_count,
        pages_total=result.pages_total,
        artifacts=tuple(Written(exporter.kind, file_name(exporter)) for exporter in exporters),
        convert_ms=convert_ms,
        export_ms=export_ms,
        chunk_ms=chunk_ms,
        warnings=(*told, *result.warnings),
        engine=result.engine,
        partial=bool(result.failed_pages),
        failed_pages=result.failed_pages,
        drawn=tuple(_draw(result, request)) if request.draws_layout else (),
    )


def read(engines: Mapping[str, Engine], registry: Registry, request: Read, send: Send, aid: Help) -> PagesRead:
    """Read pages of a document and write what was read.

    :raises JobError: if the document cannot be read.
    """
    engine = engines["geometric"]
    assert isinstance(engine, Parting)
    options = options_of(request.options, [_exporter(registry, kind) for kind in request.exports])
    pages = Pages(request.last, request.first, request.last)

    def on_page(done: int, total: int) -> None:
        send(Working(Stage.CONVERTING, done, total))

    content = engine.read_pages(Path(request.source), pages, options, on_page, aid)
    Path(request.workdir, PAGES_FILE).write_bytes(content)
    return PagesRead()


def _chosen(engines: Mapping[str, Engine], models: Models, request: Convert) -> Engine:
    if request.engine != "geometric" and "docling" in engines:
        return engines["docling"]
    if request.engine == "docling":
        raise ModelsUnavailable(
            "DOCREFINERY_ENGINE=docling asks for Docling's models, and this worker has none "
            f"({models.problem or 'it is set up without them'}); set it to auto to convert without them, or use the "
            "profile fast_text or ocr_only, which want none"
        )
    return engines["geometric"]


def _without_models(engines: Mapping[str, Engine], models: Models, request: Convert) -> list[JobWarning]:
    if request.engine != "auto" or "docling" in engines:
        return []
    lack = without_models(models)
    return [JobWarning(lack.code, f"{lack.consequence}; that would need {lack.missing}")]


def _too_large(error: TooLarge) -> JobWarning:
    return JobWarning(
        "PAGE_TOO_LARGE",
        f"{listed(error.pages)} is larger on paper than Docling's models can be shown: the geometric engine converted",
    )


def _exporter(registry: Registry, kind: str) -> Exporter:
    if kind not in registry.exporters:
        raise ExportFailed(f"no plugin offers the export {kind!r} any more")
    return registry.exporters[kind]


def _long(engine: Engine, request: Convert, options: EngineOptions) -> Long | None:
    """Return which pages a document has that can be shared, if it has so many."""
    if not request.long_from or request.parts or not isinstance(engine, Parting):
        return None
    pages = preflight(Path(request.source), options, inspects=False)
    return Long(pages.first, pages.last) if pages.total >= request.long_from else None


def _converted(
    engines: Mapping[str, Engine],
    engine: Engine,
    request: Convert,
    options: EngineOptions,
    send: Send,
    aid: Help,
    told: list[JobWarning],
) -> EngineResult:
    source = Path(request.source)
    if request.parts and isinstance(engine, Parting):
        parts = {(part.first, part.last): Path(part.path) for part in request.parts}
        with Beside(request.processes) as meanwhile:
            return engine.put_together(source, request.name, options, parts, meanwhile, aid)
    send(Working(Stage.CONVERTING, 0, 0))

    def on_page(done: int, total: int) -> None:
        send(Working(Stage.CONVERTING, done, total))

    try:
        return engine.convert(source, request.name, options, on_page, aid)
    except TooLarge as error:
        told.append(_too_large(error))
        return engines["geometric"].convert(source, request.name, options, on_page, aid)


def options_of(given: Mapping[str, object], exporters: Iterable[Exporter]) -> EngineOptions:
    """Return a job's options with what its exporters need; raises :class:`ConversionFailed`."""
    options = dict(given)
    for exporter in exporters:
        options.update(exporter.needs)
    try:
        return msgspec.convert(options, EngineOptions)
    except msgspec.ValidationError as error:
        raise ConversionFailed(f"the options cannot be used: {error}") from error


def _draw(result: EngineResult, request: Convert) -> Iterator[int]:
    """Draw the pages, one by one, and yield their numbers."""
    for number, drawing in draw_pages(result.document, Path(request.source)):
        drawing.save(Path(request.workdir, drawing_name(number)))
        yield number


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
