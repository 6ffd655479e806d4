"""What parent and child tell each other: length-prefixed JSON over a socket pair of their own.

The parent believes nothing: whatever parses untrusted files may have been taken over by one. So the frames are
bounded, the types strict, and a child names its files by their plain name in the task's folder.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from docrefinery.capabilities import NONE, Hardware, Measure, Models
from docrefinery.model import JobWarning, PageNumber, Stage
from docrefinery.pipeline.jail.cell import Cell
from docrefinery.settings import Engine, OcrEngine

MAX_FRAME = 4 * 1024 * 1024
PICTURES_AT_ONCE = 4
"""Pictures that a child may have out for description before it has an answer."""
HEADER_BYTES = 4
MAX_PACKET = 64 * 1024
PAGES_FILE = "pages.msgpack"

Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Text = Annotated[str, Meta(max_length=64 * 1024)]


class Setup(Struct, frozen=True, tag="setup"):
    """First message to a child or a zygote: its jail, its bounds, its plugins, and whether it loads Docling's models.

    ``problem`` is what an earlier child said of models that it could not load, where this one is not to try.
    """

    cell: Cell
    memory_bytes: int
    plugins: tuple[str, ...] | None
    ocr_threads: int = 1
    hardware: Hardware | None = None
    problem: str = ""


class Scan(Struct, frozen=True, tag="scan"):
    """Judge a file with a scanner that runs in the child; ``cpu_seconds`` are what it may compute for it."""

    scanner: str
    path: str
    cpu_seconds: float


class Part(Struct, frozen=True):
    """Pages of a document that were read before, and the file with what was read."""

    first: int
    last: int
    path: str


class Convert(Struct, frozen=True, tag="convert"):
    """Convert a file and write its artifacts.

    ``cpu_seconds`` are what it may compute, all threads together. ``describer`` names what the parent has pictures
    described by, if by anything; ``draws_layout`` says that the pages are to be drawn as well, each under its
    :func:`drawing_name`. A document of ``long_from`` pages or more is not converted if it can be read in parts; 0 has
    every document converted. ``parts`` are all of a document's pages, where they were read so. ``processes`` exporters
    may work at a time.
    """

    source: str
    name: str
    workdir: str
    options: dict[str, object]
    exports: tuple[str, ...]
    cpu_seconds: float
    engine: Engine = "auto"
    ocr_engine: OcrEngine = "auto"
    describer: str = ""
    draws_layout: bool = False
    long_from: int = 0
    parts: tuple[Part, ...] = ()
    processes: int = 1


class Read(Struct, frozen=True, tag="read"):
    """Read pages of a file and write what was read to :data:`PAGES_FILE`; fields as of a conversion."""

    source: str
    workdir: str
    options: dict[str, object]
    exports: tuple[str, ...]
    first: int
    last: int
    cpu_seconds: float
    ocr_engine: OcrEngine = "auto"
    describer: str = ""


class Description(Struct, frozen=True, tag="description"):
    """What a model says of a picture, or why it says nothing."""

    number: int
    text: str | None
    problem: str = ""


class Forget(Struct, frozen=True, tag="forget"):
    """Close the document that was worked on last, which is taken away; nothing is answered."""


Request = Setup | Scan | Convert | Read | Description | Forget


class Ready(Struct, frozen=True, tag="ready"):
    """The child is warm, holds these models, and is kept apart by these measures."""

    models: Models = NONE
    jail: tuple[Measure, ...] = ()


class Unusable(Struct, frozen=True, tag="unusable"):
    """The child cannot be used at all, for example because a plugin cannot be loaded."""

    message: Text


class Working(Struct, frozen=True, tag="working"):
    """Stage and pages of the running conversion."""

    stage: Stage
    pages_done: Count
    pages_total: Count


class Picture(Struct, frozen=True, tag="picture"):
    """A picture to be described: a PNG or JPEG file."""

    number: Count
    content: bytes


class Scanned(Struct, frozen=True, tag="scanned"):
    """A verdict: neither field is clean, else the signature or the reason for which it cannot be scanned."""

    signature: Text | None = None
    unscannable: Text | None = None


class Written(Struct, frozen=True):
    """One artifact, by the plain name of its file in the task's folder."""

    kind: Text
    file_name: Text


class Done(Struct, frozen=True, tag="done"):
    """The conversion is complete; ``drawn`` are the pages that were drawn."""

    page_count: Count
    pages_total: Count
    artifacts: tuple[Written, ...]
    convert_ms: Count
    export_ms: Count
    chunk_ms: Count | None
    warnings: Annotated[tuple[JobWarning, ...], Meta(max_length=1000)]
    engine: Annotated[dict[str, str], Meta(max_length=100)]
    partial: bool
    failed_pages: tuple[Count, ...]
    drawn: tuple[Count, ...] = ()


class Long(Struct, frozen=True, tag="long"):
    """The document was not converted: it has so many pages, from the first to the last one, that they may be shared."""

    first: PageNumber
    last: PageNumber


class PagesRead(Struct, frozen=True, tag="pages"):
    """The pages were read."""


class Failed(Struct, frozen=True, tag="failed"):
    """The request ended with an error that has a code."""

    code: Text
    message: Text
    details: dict[str, object]


class Fork(Struct, frozen=True, tag="fork"):
    """To a zygote, along with the descriptors of a socket and of a file for stderr: make a child with this folder."""

    folder: str


class Bury(Struct, frozen=True, tag="bury"):
    """To a zygote: wait for a child that has ended."""

    pid: int


class Warm(Struct, frozen=True, tag="warm"):
    """From a zygote: all is loaded; ``threads`` is how many it has, and with more than one it cannot fork."""

    threads: Count


class Forked(Struct, frozen=True, tag="forked"):
    """From a zygote: the new child's process id, or why there is none."""

    pid: int
    problem: str = ""


class Buried(Struct, frozen=True, tag="buried"):
    """From a zygote: how a child ended, as an exit code or minus the signal."""

    returncode: int


Order = Setup | Fork | Bury
Report = Warm | Unusable | Forked | Buried
Reply = Ready | Unusable | Working | Picture | Scanned | Done | Long | PagesRead | Failed

_encoder = msgspec.json.Encoder()
requests: msgspec.json.Decoder[Request] = msgspec.json.Decoder(Request)
replies: msgspec.json.Decoder[Reply] = msgspec.json.Decoder(Reply)
orders: msgspec.json.Decoder[Order] = msgspec.json.Decoder(Order)
reports: msgspec.json.Decoder[Report] = msgspec.json.Decoder(Report)


class ProtocolError(Exception):
    """The other side sent what it must not send."""


def drawing_name(page: int) -> str:
    """Return the file name of a page's drawing in the task's folder; no exporter's kind has a hyphen."""
    return f"layout-{page:04d}.png"


def packet(message: Order | Report) -> bytes:
    """Return a message between a worker and its zygote, whose socket keeps them apart."""
    return _encoder.encode(message)


def encode(message: Request | Reply) -> bytes:
    """Return the frame of a message."""
    body = _encoder.encode(message)
    if len(body) > MAX_FRAME:
        raise ProtocolError(f"a message of {len(body)} bytes is over the limit of {MAX_FRAME}")
    return len(body).to_bytes(HEADER_BYTES, "big") + body


def body_length(header: bytes) -> int:
    """Return how many bytes follow a header.

    :raises ProtocolError: if it is more than the limit.
    """
    length = int.from_bytes(header, "big")
    if length > MAX_FRAME:
        raise ProtocolError(f"a message of {length} bytes is over the limit of {MAX_FRAME}")
    return length
