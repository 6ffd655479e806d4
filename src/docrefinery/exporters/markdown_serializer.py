"""Docling's Markdown with no more escapes than CommonMark 0.31 needs: ``&`` and ``_`` in words stay what they are."""

import re
from typing import Any

from docling_core.transforms.serializer.markdown import MarkdownDocSerializer

from docrefinery.exporters.excluding import ExcludingOnce
from docrefinery.exporters.valid import ValidDocument

_TAG = re.compile(r"<(?=[A-Za-z/!?])")
_QUOTE = re.compile(r"^>", re.MULTILINE)
_ENTITY = re.compile(r"&(?=#?\w+;)")
# Between letters an underscore is one; elsewhere it may open or close emphasis.
_EMPHASIS = re.compile(r"(?<!\\)(?:(?<![^\W_])_|_(?![^\W_]))")


class Serializer(MarkdownDocSerializer, ExcludingOnce):
    """Docling's serializer with fewer escapes; what would be read as a tag is escaped as ever."""

    doc: ValidDocument

    def post_process(
        self, text: str, *, escape_html: bool = True, escape_underscores: bool = True, **kwargs: Any
    ) -> str:
        """Escape what would be read as a tag, an entity, a quotation or emphasis, and nothing else."""
        params = self.params.merge_with_patch(patch=kwargs)
        if escape_underscores and params.escape_underscores:
            text = _EMPHASIS.sub(r"\_", text)
        if escape_html and params.escape_html:
            text = _QUOTE.sub("&gt;", _TAG.sub("&lt;", _ENTITY.sub("&amp;", text)))
        return super().post_process(text, escape_html=False, escape_underscores=False, **kwargs)
