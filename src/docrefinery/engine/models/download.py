"""Filling a models folder: with the hub's client, as Docling's own downloader does, but for files that nothing reads.

https://huggingface.co/docs/huggingface_hub/guides/download
"""

import shutil
import textwrap
from collections.abc import Callable, Iterable, Iterator
from importlib.metadata import version
from pathlib import Path

import httpx
import msgspec

from docrefinery.capabilities.checkpoints import STAMP, Checkpoint, Found, Stamp, examine, stamp_of
from docrefinery.capabilities.checksums import wrong_files

SILENCE_SECONDS = 30.0
_MARGIN = 1.1


class DownloadFailed(Exception):
    """A model was not downloaded; the message says which one and why."""


def download(
    folder: Path, checkpoints: Iterable[Checkpoint], tell: Callable[[str], None], *, progress: bool, force: bool
) -> None:
    """Download models; files that are there already are compared and left alone.

    :param tell: told what is being done.
    :param progress: whether the hub's client draws its bars.
    :param force: fetch everything again.
    :raises DownloadFailed: at the first model that cannot be had; what is complete by then stays.
    """
    for checkpoint in checkpoints:
        _check_room(folder, checkpoint)
        tell(f"{checkpoint.purpose}: {checkpoint.repo} ({checkpoint.megabytes} MB)")
        _fetch(folder, checkpoint, progress=progress, force=force)
        wrong = wrong_files(folder, checkpoint)
        if wrong:
            tell(f"not what the hub has, fetched again: {', '.join(wrong)}")
            _remove(folder, checkpoint, wrong)
            _fetch(folder, checkpoint, progress=progress, force=False)
        _check(folder, checkpoint, tell)
        _sweep(folder / checkpoint.folder)
        _stamp(folder, checkpoint)


def _check_room(folder: Path, checkpoint: Checkpoint) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free, there = shutil.disk_usage(folder).free, examine(folder, checkpoint).size_bytes
    except OSError as error:
        raise DownloadFailed(f"{folder} cannot be used: {error.strerror}") from error
    needed = int(checkpoint.megabytes * 10**6 * _MARGIN) - there
    if needed > free:
        raise DownloadFailed(
            f"{checkpoint.repo} needs {needed // 10**6} MB, and {folder} has room for {free // 10**6} MB"
        )


def _fetch(folder: Path, checkpoint: Checkpoint, *, progress: bool, force: bool) -> None:
    try:
        from huggingface_hub import set_client_factory, snapshot_download
        from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars
    except ImportError as error:
        raise DownloadFailed(f"{error.name} is not installed: pip install 'docrefinery[models]'") from error
    set_client_factory(_client)
    (enable_progress_bars if progress else disable_progress_bars)()
    try:
        snapshot_download(
            repo_id=checkpoint.repo,
            revision=checkpoint.revision,
            local_dir=folder / checkpoint.folder,
            force_download=force,
            ignore_patterns=list(checkpoint.skipped),
        )
    except (OSError, httpx.HTTPError) as error:
        reason = textwrap.shorten(str(error), 300, placeholder=" …") or type(error).__name__
        raise DownloadFailed(
            f"{checkpoint.repo} was not downloaded: {reason}. Start it again: what is complete is not fetched twice"
        ) from error


def _client() -> httpx.Client:
    return httpx.Client(event_hooks={"request": [_bound], "response": [_continuable]}, follow_redirects=True)


def _bound(request: httpx.Request) -> None:
    """The hub's client asks for its lists without a time limit."""
    asked = request.extensions.get("timeout", {})
    request.extensions["timeout"] = {
        kind: asked.get(kind) or SILENCE_SECONDS for kind in ("connect", "read", "write", "pool")
    }


def _continuable(response: httpx.Response) -> None:
    response.stream = _Continuable(response)


class _Continuable(httpx.SyncByteStream):
    """A body whose connection may be reset: the hub's client continues only those that end too early."""

    def __init__(self, response: httpx.Response) -> None:
        assert isinstance(response.stream, httpx.SyncByteStream)
        self._stream = response.stream
        self._request = response.request

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._stream
        except httpx.ReadError as error:
            raise httpx.RemoteProtocolError(str(error), request=self._request) from error

    def close(self) -> None:
        """Pass it on."""
        self._stream.close()


def _check(folder: Path, checkpoint: Checkpoint, tell: Callable[[str], None]) -> None:
    """The client takes a folder that is there for complete when the hub does not answer."""
    found: Found = examine(folder, checkpoint)
    wrong = wrong_files(folder, checkpoint)
    if wrong is None:
        tell(f"{checkpoint.repo} could not be compared with the hub's checksums, as there is no list of them")
    # What is not right must not pass for ready.
    _remove(folder, checkpoint, wrong or [])
    if problem := found.problem or (f"{wrong[0]} is not what the hub has" if wrong else ""):
        raise DownloadFailed(f"{checkpoint.repo} is not complete: {problem}; start it again, or with --force")


def _remove(folder: Path, checkpoint: Checkpoint, names: Iterable[str]) -> None:
    for name in names:
        (folder / checkpoint.folder / name).unlink(missing_ok=True)


def _sweep(place: Path) -> None:
    """Remove the beginnings of files that a download left that was killed: the client begins a new one each time."""
    for beginning in place.rglob("*.incomplete"):
        beginning.unlink(missing_ok=True)


def _stamp(folder: Path, checkpoint: Checkpoint) -> None:
    before = stamp_of(folder)
    revisions = (before.revisions if before else {}) | {checkpoint.repo: checkpoint.revision}
    new = folder / f"{STAMP}.new"
    new.write_bytes(msgspec.json.encode(Stamp(version("docling-slim"), revisions)))
    new.replace(folder / STAMP)
