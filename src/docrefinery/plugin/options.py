"""Options that the core understands, for profiles and for what exporters need."""

from collections.abc import Mapping

import msgspec
from msgspec import Struct

from docrefinery.model import ConversionOptions


class OcrOptions(Struct, frozen=True, forbid_unknown_fields=True):
    """What is read of Docling's ``ocr_options``."""

    lang: list[str]


class PipelineOptions(ConversionOptions, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """What a request may ask for, and what only profiles and exporters set, in Docling's names."""

    do_ocr: bool | None = None
    ocr_options: OcrOptions | None = None
    force_full_page_ocr: bool | None = None
    do_picture_description: bool | None = None
    do_picture_classification: bool | None = None
    generate_parsed_pages: bool | None = None
    generate_picture_images: bool | None = None


KNOWN = tuple(field for field in PipelineOptions.__struct_fields__ if field != "exports")


def wrong_options(options: Mapping[str, object]) -> list[str]:
    """Return a sentence for each option that the core does not read, or whose value it cannot use."""
    unknown = [
        f"{name!r} is no option that anything reads; there are {', '.join(sorted(KNOWN))}"
        for name in options
        if name not in KNOWN
    ]
    return unknown + wrong_values(options)


def wrong_values(options: Mapping[str, object]) -> list[str]:
    """Return a sentence for each option whose value cannot be used; what the core does not read may be anything."""
    return [sentence for name, value in options.items() if name in KNOWN and (sentence := _wrong(name, value))]


def _wrong(name: str, value: object) -> str:
    try:
        # As a request would bring it: what cannot be JSON cannot be kept with a job.
        msgspec.convert(msgspec.json.decode(msgspec.json.encode({name: value})), PipelineOptions)
    except (TypeError, msgspec.ValidationError) as error:
        return f"the value {value!r} of {name!r} cannot be used: {str(error).partition(' - at ')[0]}"
    return ""
