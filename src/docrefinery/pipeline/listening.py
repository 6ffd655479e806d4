"""Hearing a child out: progress and pictures on the way, an answer at the end."""

from collections.abc import Callable

from docrefinery.errors import OutOfMemory
from docrefinery.model import Stage
from docrefinery.pipeline import protocol
from docrefinery.pipeline.describing import Describing
from docrefinery.pipeline.hearsay import following, rejected
from docrefinery.pipeline.outcomes import Progress, Rejected
from docrefinery.pipeline.postmortem import out_of_memory
from docrefinery.pipeline.process import ChildProcess
from docrefinery.pipeline.protocol import ProtocolError

OnProgress = Callable[[Progress], None]
Answer = protocol.Done | protocol.Scanned | protocol.Long | protocol.PagesRead


async def listen(
    child: ChildProcess, request: protocol.Request, on_progress: OnProgress, describing: Describing, memory_bytes: int
) -> Answer | Rejected:
    """Return a child's answer.

    :param request: what it was asked.
    :param memory_bytes: what it may use, to be said if it needed more.
    :raises ChildGone: if it ends before.
    :raises ProtocolError: if it says what it must not say.
    """
    stage = Stage.CONVERTING
    while True:
        match await child.receive():
            case protocol.Working() as working:
                stage = following(working.stage, stage)
                on_progress(Progress(stage, working.pages_done, working.pages_total))
            case protocol.Picture() as picture:
                describing.take(picture)
            case protocol.Failed(code=OutOfMemory.error_code):
                return out_of_memory(memory_bytes)
            case protocol.Failed() as failed:
                describing.end()
                return rejected(failed, scanning=isinstance(request, protocol.Scan))
            case protocol.Done() | protocol.Scanned() | protocol.Long() | protocol.PagesRead() as answer:
                describing.end()
                return answer
            case other:
                raise ProtocolError(f"an unexpected {type(other).__name__}")
