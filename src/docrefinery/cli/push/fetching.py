"""Results on their way into the folder of their file."""

import asyncio
import re
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from docrefinery.cli.push.files import File
from docrefinery.cli.push.inputs import stem_of
from docrefinery.cli.push.looking import is_there
from docrefinery.client import Artifact, AsyncClient, Document, Job
from docrefinery.client.flows import check_kinds


class Results(Struct, frozen=True):
    """The files of one folder, with their hashes; all names begin with ``stem``."""

    folder: Path
    stem: str
    files: dict[str, str]

    def copied(self, file: File) -> "Results":
        """Copy them for a file of the same bytes, under its name."""
        file.folder.mkdir(parents=True, exist_ok=True)
        files = {}
        for name, sha256 in self.files.items():
            own = file.input.stem + name.removeprefix(self.stem)
            part = file.folder / f".{sha256[:32]}.part"
            shutil.copyfile(self.folder / name, part)
            part.replace(file.folder / own)
            files[own] = sha256
        return Results(file.folder, file.input.stem, files)


class Fetching:
    """Fetches the artifacts of jobs; ``kinds`` are those that are wanted, all of them if there are none."""

    def __init__(self, client: AsyncClient, kinds: Sequence[str], stop: threading.Event) -> None:
        self._client = client
        self._kinds = tuple(kinds)
        self._stop = stop

    async def fetch(self, file: File, document: Document, job: Job) -> Results:
        """Fetch what is not there yet of a job's artifacts.

        :raises MissingArtifacts: if it has not all that are wanted; then nothing is fetched.
        """
        artifacts = [artifact async for artifact in self._client.artifacts(job_id=job.id, page_size=200)]
        check_kinds(self._kinds, {artifact.kind for artifact in artifacts})
        file.folder.mkdir(parents=True, exist_ok=True)
        files: dict[str, str] = {}
        for artifact in artifacts:
            if self._kinds and artifact.kind not in self._kinds:
                continue
            name = self._name(artifact, document, file.input.stem, files)
            if not await asyncio.to_thread(is_there, file.folder / name, artifact.sha256, self._stop):
                await self._client.download(artifact, file.folder / name)
            files[name] = artifact.sha256
        return Results(file.folder, file.input.stem, files)

    @staticmethod
    def _name(artifact: Artifact, document: Document, stem: str, taken: dict[str, str]) -> str:
        """Return an artifact's name with the file's own stem: the document may have come under another name."""
        suffix = re.split(r"[/\\\0]", artifact.filename.removeprefix(stem_of(document.original_filename)))[-1]
        name = stem + (suffix if suffix.startswith(".") else f".{artifact.kind}")
        # Two plugins may have one suffix, and neither result is to be lost.
        return name if name not in taken else f"{stem}.{artifact.kind}{suffix}"
