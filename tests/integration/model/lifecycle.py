"""What jobs and documents go through, as simply as it can be said."""

from dataclasses import dataclass, field

ACTIVE = ("QUEUED", "RUNNING")
RETRYABLE = ("FAILED", "QUARANTINED")
MAX_CRASHES = 3


@dataclass
class ModelJob:
    """A job; ``turn`` is its place in the queue, ``changes`` how often its status or stage changed."""

    id: int
    document: "ModelDocument"
    turn: int
    status: str = "QUEUED"
    stage: str = "SCANNING"
    attempt: int = 1
    crashes: int = 0
    cancel: bool = False
    published: int = 0
    changes: int = 0

    def becomes(self, status: str, stage: str | None = None) -> None:
        """Change; a change to the same is none."""
        before = (self.status, self.stage)
        self.status, self.stage = status, stage or self.stage
        self.changes += (self.status, self.stage) != before

    def claimed(self) -> None:
        """A worker takes it."""
        self.becomes("RUNNING", "SCANNING")

    def ends(self, status: str) -> None:
        """It ends; a cancel that was accepted wins, but not over malware."""
        self.becomes("CANCELED" if self.cancel and status != "QUARANTINED" else status)
        self.published += self.status == "SUCCEEDED"
        self.document.settle(clean=status != "QUARANTINED")

    def given_back(self) -> None:
        """Its worker leaves it, and nobody is to blame."""
        if self.cancel:
            self.becomes("CANCELED")
            self.document.settle()
        else:
            self.becomes("QUEUED", "SCANNING")

    def crashed(self) -> None:
        """Its worker or converter dies."""
        self.crashes += 1
        if self.cancel:
            self.becomes("CANCELED")
        elif self.crashes >= MAX_CRASHES:
            self.becomes("FAILED")
        else:
            self.becomes("QUEUED", "SCANNING")
        self.document.settle()

    def canceled(self) -> int:
        """Somebody cancels it; returns the answer's status."""
        if self.status == "CANCELED":
            return 200
        if self.status not in ACTIVE:
            return 409
        self.cancel = True
        if self.status == "RUNNING":
            return 202
        self.becomes("CANCELED")
        self.document.settle()
        return 200

    def retried(self, turn: int) -> int:
        """Somebody wants it again; returns the answer's status."""
        if self.status not in RETRYABLE or self.document.deleted:
            return 409
        self.turn, self.attempt, self.crashes, self.cancel = turn, self.attempt + 1, 0, False
        self.becomes("QUEUED", "SCANNING")
        self.document.settle()
        return 202


@dataclass
class ModelDocument:
    """A document and its jobs."""

    id: int
    content: bytes
    status: str = "UPLOADED"
    deleted: bool = False
    jobs: list[ModelJob] = field(default_factory=list)

    def settle(self, *, clean: bool = False) -> None:
        """Derive the status from the jobs: a quarantine is lifted by a clean scan alone."""
        statuses = {job.status for job in self.jobs}
        latest = max(self.jobs, key=lambda job: (job.turn, job.id)).status
        if (self.status == "QUARANTINED" and not clean) or "QUARANTINED" in statuses:
            self.status = "QUARANTINED"
        elif "SUCCEEDED" in statuses:
            self.status = "READY"
        elif latest in ACTIVE:
            self.status = "PROCESSING"
        else:
            self.status = "FAILED" if latest == "FAILED" else "UPLOADED"

    def delete(self) -> None:
        """Somebody deletes it: what is under way is canceled, and nothing of it stays but its jobs."""
        for job in self.jobs:
            job.canceled()
            job.published = 0
        self.deleted = True
