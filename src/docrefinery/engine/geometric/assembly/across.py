"""What is found across all pages and needs nothing but them and the file: it may be looked for meanwhile."""

from collections.abc import Callable, Sequence

from msgspec import Struct

from docrefinery.engine.base import Meanwhile
from docrefinery.engine.geometric.assembly.edges import copies
from docrefinery.engine.geometric.assembly.text import compounds
from docrefinery.engine.geometric.layout.layout import Layout
from docrefinery.engine.geometric.model import Entry


class Across(Struct, frozen=True):
    """What is found, as it is asked for.

    :param copies: numbers of pages whose lines are mostly on others too.
    :param outline: of the document, in order.
    :param compounds: words with a hyphen that the document never has without it.
    """

    copies: Callable[[], set[int]]
    outline: Callable[[], list[Entry]]
    compounds: Callable[[], set[str]]

    @classmethod
    def of(cls, layouts: Sequence[Layout], outline: Callable[[], list[Entry]]) -> "Across":
        """Return what is looked for when it is asked for.

        :param outline: returns that of the document.
        """
        return cls(
            lambda: copies(layouts),
            outline,
            lambda: compounds(line for layout in layouts for line in layout.lines),
        )

    def found(self, meanwhile: Meanwhile) -> "Across":
        """Return the same, looked for meanwhile."""
        return Across(
            meanwhile.later(self.copies, set[int]),
            meanwhile.later(self.outline, list[Entry]),
            meanwhile.later(self.compounds, set[str]),
        )
