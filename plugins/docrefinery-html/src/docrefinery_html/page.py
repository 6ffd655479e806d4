"""Docling's own HTML in a page of ours, which lets nothing in that a document might bring."""

import re
from html import escape
from importlib.resources import files

from docling_core.transforms.serializer.html import HTMLDocSerializer, HTMLParams
from docling_core.types.doc import DoclingDocument, ImageRefMode

# The serializer escapes all text. Should markup of a document ever get through, this keeps it from running anything
# or fetching anything; styles stay open for the list marks, which it writes as style attributes.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
_HEAD = """<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>{title}</title>
<style>
{style}</style>
</head>"""
# What HTML does not allow in text at all: control characters, noncharacters and halves of surrogate pairs.
_FORBIDDEN = re.compile("[\0-\b\v\f\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\ud800-\udfff]")


def page(document: DoclingDocument) -> str:
    """Return the whole page."""
    head = _HEAD.format(
        policy=escape(POLICY),
        title=escape(document.name) or "Document",
        style=files(__package__).joinpath("page.css").read_text("utf-8"),
    )
    params = HTMLParams(image_mode=ImageRefMode.EMBEDDED, html_head=head)
    return _FORBIDDEN.sub("\ufffd", HTMLDocSerializer(doc=document, params=params).serialize().text) + "\n"
