"""One conversion inside the child: engine, then exporters, with progress and times."""

import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import msgspec

from docrefinery.capabilities import Models, without_models
from docrefinery.engine.base import Engine, EngineOptions, EngineResult, Help, TooLarge
from docrefinery.engine.debugging import draw_pages
from docrefinery.engine.running import listed
from docrefinery.errors import ConversionFailed, ExportFailed, ModelsUnavailable
from docrefinery.model import JobWarning, Stage
from docrefinery.pipeline.protocol import Convert, Done, Reply, Working, Written, drawing_name
from docrefinery.plugin import Exporter
from docrefinery.plugin.exporting import export, reason
from docrefinery.plugin.registry import Registry

Send = Callable[[Reply], None]


def convert(
    engines: Mapping[str, Engine], models: Models, registry: Registry, request: Convert, send: Send, aid: Help
) -> Done:
    """Convert a document and write its artifacts.

    :param engines: ``geometric``, and ``docling`` where its models are held.
    :param models: those that are held, or why none are.
    :raises JobError: if the document cannot be converted or an exporter fails.
    """
    engine = _chosen(engines, models, request)
    exporters = [_exporter(registry, kind) for kind in request.exports]
    options = _options(request, exporters)
    started = time.monotonic()
    send(Working(Stage.CONVERTING, 0, 0))

    def on_page(done: int, total: int) -> None:
        send(Working(Stage.CONVERTING, done, total))

    source, told = Path(request.source), _without_models(engines, models, request)
    try:
        result = engine.convert(source, request.name, options, on_page, aid)
    except TooLarge as error:
        told.append(_too_large(error))
        result = engines["geometric"].convert(source, request.name, options, on_page, aid)
    convert_ms = _since(started)
    plain = [exporter for exporter in exporters if exporter.stage is Stage.EXPORTING]
    chunks = [exporter for exporter in exporters if exporter.stage is Stage.CHUNKING]
    export_ms = _export(registry, plain, result, Path(request.workdir), send)
    chunk_ms = _export(registry, chunks, result, Path(request.workdir), send)
    return Done(
        page_count=result.page_count,
        pages_total=result.pages_total,
        artifacts=tuple(Written(exporter.kind, _file_name(exporter)) for exporter in exporters),
        convert_ms=convert_ms,
        export_ms=export_ms or 0,
        chunk_ms=chunk_ms,
        warnings=(*told, *result.warnings),
        engine=result.engine,
        partial=bool(result.failed_pages),
        failed_pages=result.failed_pages,
        drawn=tuple(_draw(result, request)) if request.draws_layout else (),
    )


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


def _options(request: Convert, exporters: list[Exporter]) -> EngineOptions:
    options = dict(request.options)
    for exporter in exporters:
        options.update(exporter.needs)
    try:
        return msgspec.convert(options, EngineOptions)
    except msgspec.ValidationError as error:
        raise ConversionFailed(f"the options cannot be used: {error}") from error


def _export(
    registry: Registry, exporters: list[Exporter], result: EngineResult, workdir: Path, send: Send
) -> int | None:
    if not exporters:
        return None
    send(Working(exporters[0].stage, result.pages_total, result.pages_total))
    started = time.monotonic()
    for exporter in exporters:
        try:
            export(exporter, result.document, workdir / _file_name(exporter))
        except MemoryError:
            raise
        except (Exception, SystemExit) as error:
            plugin = registry.provider(exporter)
            raise ExportFailed(
                f"the exporter {exporter.kind!r} of {plugin.distribution} {plugin.version} failed: {reason(error)}",
                details={"kind": exporter.kind, "plugin": plugin.name},
            ) from error
    return _since(started)


def _draw(result: EngineResult, request: Convert) -> Iterator[int]:
    """Draw the pages, one by one, and yield their numbers."""
    for number, drawing in draw_pages(result.document, Path(request.source)):
        drawing.save(Path(request.workdir, drawing_name(number)))
        yield number


def _file_name(exporter: Exporter) -> str:
    return f"{exporter.kind}{exporter.suffix}"


def _since(started: float) -> int:
    return round((time.monotonic() - started) * 1000)
