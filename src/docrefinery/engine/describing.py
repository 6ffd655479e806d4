"""Descriptions of a document's pictures, by a model that somebody else asks."""

import io
from collections.abc import Iterator, Sequence

from docling_core.types.doc import DoclingDocument, PictureItem
from docling_core.types.doc.common.meta import DescriptionMetaField
from docling_core.types.doc.items.picture.meta import PictureMeta
from PIL import Image

from docrefinery.engine.base import Describe
from docrefinery.model import MOST_PICTURES, JobWarning

_FAILED = "PICTURE_DESCRIPTION_FAILED"
_ENDPOINT = "picture-description-endpoint"
_LONGEST_SIDE = 1024
_LARGEST_PNG = 1024 * 1024


def describe_pictures(document: DoclingDocument, describe: Describe | None, *, keep_images: bool) -> list[JobWarning]:
    """Have every picture that has an image described, and note what is said in the document.

    :param describe: ``None`` describes nothing.
    :param keep_images: whether the images stay in the document afterwards.
    """
    if describe is None:
        return []
    shown = [picture for picture in document.pictures if picture.image is not None]
    results = describe(_encoded(document, shown[:MOST_PICTURES]))
    problems = [f"more than {MOST_PICTURES} are not described"] * len(shown[MOST_PICTURES:])
    for picture, result in zip(shown[:MOST_PICTURES], results, strict=True):
        if result.text is None:
            problems.append(result.problem)
            continue
        picture.meta = picture.meta or PictureMeta()
        picture.meta.description = DescriptionMetaField(text=result.text, created_by=_ENDPOINT)
    if not keep_images:
        for picture in shown:
            picture.image = None
    if not problems:
        return []
    message = f"{len(problems)} of {len(shown)} pictures are not described: {problems[0]}"
    return [JobWarning(_FAILED, message)]


def drop_empty_descriptions(document: DoclingDocument) -> list[JobWarning]:
    """Remove descriptions that a model at hand failed to give: Docling leaves an empty text in their place."""
    described = [picture for picture in document.pictures if picture.meta and picture.meta.description]
    empty = [picture for picture in described if not _text(picture)]
    for picture in empty:
        assert picture.meta is not None
        picture.meta.description = None
        picture.annotations = [each for each in picture.annotations if each.kind != "description"]
    if not empty:
        return []
    message = f"{len(empty)} of {len(document.pictures)} pictures are not described: the model said nothing"
    return [JobWarning(_FAILED, message)]


def described(document: DoclingDocument, *, remotely: bool) -> bool:
    """Return whether a picture is described by somebody else, or else by a model at hand."""
    authors = [
        picture.meta.description.created_by
        for picture in document.pictures
        if picture.meta and picture.meta.description
    ]
    return any((author == _ENDPOINT) == remotely for author in authors)


def _text(picture: PictureItem) -> str:
    description = picture.meta.description if picture.meta else None
    return description.text.strip() if description else ""


def _encoded(document: DoclingDocument, pictures: Sequence[PictureItem]) -> Iterator[bytes]:
    for picture in pictures:
        image = picture.get_image(document)
        assert image is not None
        yield encoded(image)


def encoded(image: Image.Image) -> bytes:
    """Return an image as a file that is small enough to be sent: PNG, or JPEG where that would be large."""
    small = image.convert("RGB")
    small.thumbnail((_LONGEST_SIDE, _LONGEST_SIDE))
    file = io.BytesIO()
    small.save(file, "PNG")
    if file.tell() > _LARGEST_PNG:
        file = io.BytesIO()
        small.save(file, "JPEG", quality=90)
    return file.getvalue()
