"""Pictures described by an endpoint: asked by the parent, for a child that has no network."""

import io
from collections.abc import AsyncIterator, Callable, Iterator

import pytest
from docling_core.types.doc import DoclingDocument
from PIL import Image

from docrefinery.pipeline.converter import ChildLimits, Converter
from docrefinery.pipeline.describing import LONGEST_TEXT, PictureDescriber
from docrefinery.pipeline.outcomes import Converted, Task
from tests.integration.pipeline.conftest import ignore
from tests.support import pdfs, scans
from tests.support.openai import Endpoint, completion, endpoint

Tasks = Callable[..., Task]
WANTED = {"do_picture_description": True, "generate_picture_images": True}


@pytest.fixture(scope="module")
def server() -> Iterator[Endpoint]:
    with endpoint() as running:
        yield running


@pytest.fixture(scope="module")
async def describing(server: Endpoint, anyio_backend: str) -> AsyncIterator[Converter]:
    converter = Converter(ChildLimits(), (), describer=PictureDescriber(server.url, "eyes-1", "hush"))
    yield converter
    await converter.close()


@pytest.fixture(autouse=True)
def fresh(server: Endpoint) -> None:
    server.asked.clear()
    server.keys.clear()
    server.answer = lambda number: (200, completion(f"A red square, number {number}."))


async def document_of(converter: Converter, task: Task) -> tuple[DoclingDocument, Converted]:
    outcome = await converter.convert(task, ignore)
    assert isinstance(outcome, Converted), outcome
    path = next(artifact.path for artifact in outcome.artifacts if artifact.kind == "docling_json")
    return DoclingDocument.model_validate_json(path.read_bytes()), outcome


def descriptions(document: DoclingDocument) -> list[str]:
    return [
        picture.meta.description.text if picture.meta and picture.meta.description else ""
        for picture in document.pictures
    ]


async def test_each_picture_is_described_and_the_markdown_says_it(
    describing: Converter, server: Endpoint, task: Tasks
) -> None:
    content = scans.joined(*[pdfs.with_figure()] * 6)
    document, outcome = await document_of(describing, task(content, "docling_json", "markdown", **WANTED))
    assert sorted(descriptions(document)) == [f"A red square, number {number}." for number in range(1, 7)]
    assert outcome.warnings == ()
    markdown = next(artifact.path for artifact in outcome.artifacts if artifact.kind == "markdown").read_text()
    assert "A red square, number 6." in markdown
    assert {asked["model"] for asked in server.asked} == {"eyes-1"}
    assert set(server.keys) == {"Bearer hush"}
    assert [Image.open(io.BytesIO(image)).size for image in server.images()] == [(200, 200)] * 6


async def test_images_that_were_only_needed_for_the_description_are_not_kept(
    describing: Converter, task: Tasks
) -> None:
    document, _ = await document_of(describing, task(pdfs.with_figure(), "docling_json", do_picture_description=True))
    assert descriptions(document) == ["A red square, number 1."]
    assert document.pictures[0].image is None


async def test_an_endpoint_that_stumbles_is_asked_again(describing: Converter, server: Endpoint, task: Tasks) -> None:
    server.answer = lambda number: (503, b"busy") if number < 3 else (200, completion("At last."))
    document, outcome = await document_of(describing, task(pdfs.with_figure(), "docling_json", **WANTED))
    assert descriptions(document) == ["At last."]
    assert outcome.warnings == ()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"no", "answered 401"),
        (500, b"no", "answered 500"),
        (200, b"<html>", "not a chat completion"),
        (200, b'{"choices": []}', "not a chat completion"),
        (200, completion(""), "not a chat completion"),
        (200, completion("x") + b" " * 2**21, "too long"),
    ],
)
async def test_what_cannot_be_described_is_told_and_the_document_is_there(
    describing: Converter, server: Endpoint, task: Tasks, status: int, body: bytes, reason: str
) -> None:
    server.answer = lambda _: (status, body)
    document, outcome = await document_of(describing, task(pdfs.with_figure(), "docling_json", **WANTED))
    assert descriptions(document) == [""]
    [warning] = outcome.warnings
    assert warning.code == "PICTURE_DESCRIPTION_FAILED"
    assert reason in warning.message
    assert "hush" not in warning.message


async def test_an_endpoint_that_is_away_is_told_without_its_address(task: Tasks) -> None:
    converter = Converter(ChildLimits(), (), describer=PictureDescriber("http://user:secret@127.0.0.1:9/v1"))
    try:
        _, outcome = await document_of(converter, task(pdfs.with_figure(), "docling_json", **WANTED))
    finally:
        await converter.close()
    [warning] = outcome.warnings
    assert "cannot be reached" in warning.message
    assert "secret" not in warning.message


async def test_without_an_endpoint_it_is_said_that_pictures_are_not_described(
    converter: Converter, task: Tasks
) -> None:
    _, outcome = await document_of(converter, task(pdfs.with_figure(), "docling_json", **WANTED))
    assert [warning.code for warning in outcome.warnings] == ["PICTURE_DESCRIPTION_NOT_AVAILABLE"]


async def test_what_an_endpoint_says_is_one_paragraph_of_bounded_length(
    describing: Converter, server: Endpoint, task: Tasks
) -> None:
    server.answer = lambda _: (200, completion("\x00 A red\n\n# square\u202e." + "A" * 20_000))
    document, outcome = await document_of(describing, task(pdfs.with_figure(), "docling_json", **WANTED))
    [said] = descriptions(document)
    assert said.startswith("A red # square.AAA")
    assert len(said) == LONGEST_TEXT
    assert outcome.engine["picture_description"] == "eyes-1"


async def test_the_engine_names_no_describer_that_said_nothing(
    describing: Converter, server: Endpoint, task: Tasks
) -> None:
    server.answer = lambda _: (200, completion("\x00\n"))
    document, outcome = await document_of(describing, task(pdfs.with_figure(), "docling_json", **WANTED))
    assert descriptions(document) == [""]
    assert "picture_description" not in outcome.engine
