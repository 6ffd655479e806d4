"""What Docling's serializers leave out of a document, found once for each document.

Docling asks for it at every item and finds the answer by the JSON of all parameters: a tenth of an export's time.
"""

from functools import cached_property
from typing import Any

from docling_core.transforms.serializer.common import DocSerializer

_DECISIVE = ("labels", "layers", "pages", "start_idx", "stop_idx")
"""The parameters that say which items are left out."""


class ExcludingOnce(DocSerializer):
    """Comes after Docling's serializer of a format among the bases, whose defaults would else be lost."""

    def get_excluded_refs(self, **kwargs: Any) -> set[str]:
        """Return the references of what is left out."""
        own = ((name, getattr(self.params, name)) for name in _DECISIVE)
        if any(kwargs.get(name, value) != value for name, value in own):
            return super().get_excluded_refs(**kwargs)
        return self._left_out

    @cached_property
    def _left_out(self) -> set[str]:
        return super().get_excluded_refs()
