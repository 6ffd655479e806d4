"""What became of each file, and the sum of it."""

from collections import Counter
from enum import StrEnum
from pathlib import Path

from msgspec import Struct, field

from docrefinery.cli.output import encodable


class State(StrEnum):
    """Where a file's way ended."""

    DONE = "done"
    KEPT = "kept"
    SUBMITTED = "submitted"
    FAILED = "failed"
    SKIPPED = "skipped"


class Outcome(Struct, frozen=True, kw_only=True):
    """What became of one file; ``sent`` is whether its bytes were sent now, ``error_code`` is the service's or ours."""

    path: str
    status: State
    folder: str = ""
    document_id: int | None = None
    job_id: int | None = None
    sent: bool = False
    error_code: str = ""
    message: str = ""


ADVICE = {
    "NO_SUCH_FILE": "check the path, or mend the link",
    "UNREADABLE": "check the permissions",
    "EMPTY_FILE": "nothing to convert; remove it",
    "NOT_A_PDF": "remove it, or name only PDFs",
    "FILE_CHANGED": "push again when nobody writes to it",
    "CANNOT_WRITE": "make room in --out, or name another folder; then push again",
    "UNSUPPORTED_MEDIA_TYPE": "remove it, or name only PDFs",
    "FILE_TOO_LARGE": "split it, or ask the operator for a higher limit",
    "PAGE_LIMIT_EXCEEDED": "push again with --options '{\"page_range\": [1, 100]}', or ask for a higher limit",
    "ENCRYPTED_PDF": "remove the password, and push the new file",
    "INVALID_PDF": "repair it, and push the new file",
    "MALWARE_DETECTED": "delete it; if that is an error, ask the operator",
    "CONVERSION_TIMEOUT": "push again with a longer document_timeout, or a simpler profile",
    "OUT_OF_MEMORY": "push again with a simpler profile, or ask the operator for more memory",
    "QUOTA_EXCEEDED": "delete documents that are not needed, then push again",
    "MISSING_ARTIFACT": "name other --artifacts, or have them made with --profile or --options '{\"exports\": [...]}'",
    "ARTIFACT_EXPIRED": "push again: it is converted anew",
}
"""What to do about a code; of all others: push again."""


def advice(code: str) -> str:
    """Return what to do about an error."""
    return ADVICE.get(code, "push again; if it stays, ask the operator with the request's or job's id")


class Summary(Struct):
    """The sum; ``failures`` are listed at the end."""

    files: int = 0
    counts: Counter[State] = field(default_factory=Counter)
    sent: int = 0
    duplicates: int = 0
    failures: list[Outcome] = []

    def add(self, outcome: Outcome) -> None:
        """Count a file."""
        self.counts[outcome.status] += 1
        self.sent += outcome.sent
        if outcome.status is State.FAILED:
            self.failures.append(outcome)

    @property
    def sentence(self) -> str:
        """All of it in a line."""
        words = {State.KEPT: "complete already", State.SUBMITTED: "submitted", State.SKIPPED: "passed over"}
        told = [f"{self.counts[state]} {words.get(state, state)}" for state in State if self.counts[state]]
        left = self.files - self.counts.total()
        parts = [*told, f"{self.sent} sent", f"{self.duplicates} duplicates" if self.duplicates else ""]
        named = "1 file" if self.files == 1 else f"{self.files} files"
        return f"{named}: {', '.join(filter(None, [*parts, f'{left} left' if left else '']))}."


def shown(path: Path) -> str:
    """Return a path as text, whatever its bytes are."""
    return encodable(str(path))
