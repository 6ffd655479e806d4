"""What all jobs need and may be away: a job waits for it for a time, and then says what it was."""

from typing import Literal

from msgspec import Struct

from docrefinery import errors
from docrefinery.pipeline.converter import ConverterUnavailable
from docrefinery.plugin import ScannerDown

Needed = Literal["scanner", "storage", "converter", "database"]
"""What a job needs, by the word under which jobs are counted that were put off for its sake."""


class Away(Struct, frozen=True):
    """What is away, by a word, and how a job fails that has waited for it too long."""

    reason: Needed
    code: str
    message: str


def away(error: Exception, seconds: float) -> Away:
    """Return what an error says is away.

    :param seconds: how long jobs wait for it.
    """
    # The error's own words may name paths of this machine.
    match error:
        case ScannerDown():
            message = f"The scanner could not be reached for {seconds:g} s, so the file was not converted."
            return Away("scanner", errors.ScannerUnavailable.error_code, message)
        case errors.StorageError():
            message = f"The storage could not be reached for {seconds:g} s."
            return Away("storage", errors.StorageError.error_code, message)
        case _:
            reason: Needed = "converter" if isinstance(error, ConverterUnavailable) else "database"
            message = f"The service could not work on this job for {seconds:g} s; its log says why."
            return Away(reason, errors.InternalError.error_code, message)
