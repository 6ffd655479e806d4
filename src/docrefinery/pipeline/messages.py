"""A job as a converter child is asked for it, and its answer as the pipeline takes it."""

from pathlib import Path

from docrefinery.pipeline import protocol
from docrefinery.pipeline.artifacts import accept, accept_drawings, accept_file
from docrefinery.pipeline.outcomes import Converted, Task
from docrefinery.pipeline.staging import Staged
from docrefinery.plugin import Clean, Infected, Unscannable, Verdict


def convert_request(
    task: Task, staged: Staged, cpu_seconds: float, *, describer: str, long_from: int
) -> protocol.Convert:
    """Return what a child is asked.

    :param describer: name of what the parent has pictures described by, if by anything.
    :param long_from: pages from which a document is not converted, if it can be read in parts; 0 is none.
    """
    return protocol.Convert(
        source=str(staged.source),
        name=task.name,
        workdir=str(staged.results),
        options=task.options,
        exports=tuple(task.exports),
        cpu_seconds=cpu_seconds,
        engine=task.engine,
        ocr_engine=task.ocr_engine,
        describer=describer,
        draws_layout=task.draws_layout,
        long_from=long_from,
        parts=tuple(protocol.Part(*pages, str(path)) for pages, path in staged.parts.items()),
        processes=task.processes,
    )


def read_request(
    task: Task, staged: Staged, first: int, last: int, cpu_seconds: float, *, describer: str
) -> protocol.Read:
    """Return what a child is asked that is to read pages, from the first to the last one."""
    return protocol.Read(
        source=str(staged.source),
        workdir=str(staged.results),
        options=task.options,
        exports=tuple(task.exports),
        first=first,
        last=last,
        cpu_seconds=cpu_seconds,
        ocr_engine=task.ocr_engine,
        describer=describer,
    )


def accepted(task: Task, staged: Staged, done: protocol.Done) -> Converted:
    """Take over what a child says that it has done; raises as :func:`~docrefinery.pipeline.artifacts.accept` does."""
    results = staged.results_descriptor
    return Converted(
        page_count=done.page_count,
        pages_total=done.pages_total,
        artifacts=accept(results, task.workdir, task.exports, task.content_types, done.artifacts),
        convert_ms=done.convert_ms,
        export_ms=done.export_ms,
        chunk_ms=done.chunk_ms,
        warnings=done.warnings,
        engine=done.engine,
        partial=done.partial,
        failed_pages=done.failed_pages,
        drawings=accept_drawings(results, task.workdir, asked=task.draws_layout, drawn=done.drawn),
    )


def accepted_pages(task: Task, staged: Staged) -> Path:
    """Take over the pages that a child says that it has read; raises as :func:`accepted` does."""
    return accept_file(staged.results_descriptor, task.workdir, protocol.PAGES_FILE)


def verdict_of(scanned: protocol.Scanned) -> Verdict:
    """Return what a scanner in the child found."""
    match scanned:
        case protocol.Scanned(signature=str(signature)):
            return Infected(signature=signature)
        case protocol.Scanned(unscannable=str(reason)):
            return Unscannable(reason=reason)
        case _:
            return Clean()
