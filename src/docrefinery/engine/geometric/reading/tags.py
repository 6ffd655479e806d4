"""What a tagged PDF says its text is (ISO 32000-1, 14.7 and 14.8): the structure tree, as far as it is of one page."""

import ctypes
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from docrefinery.engine.geometric.model import Tag
from docrefinery.engine.geometric.reading import pdfium

ARTIFACT = -2
_MOST_ELEMENTS = 20_000
"""On one page; what comes after has no role."""
_MOST_USED = 10_000
_DEEPEST = 48
_MOST_MARKS = 4
_LONGEST_NAME = 128
"""In bytes, as UTF-16."""
_HEADING = re.compile(r"H([1-9]\d*)?")
_BLOCKS = ("P", "Title", "LI", "Caption", "Note", "Code", "BlockQuote", "TOCI", "TH", "TD", "Figure", "Formula")
_SAME = {"FENote": "Note"}
_HOLDERS = ("LI", "Caption", "Note", "Code", "TOCI", "TH", "TD", "Figure")
"""What a paragraph in it is part of."""
_WITHIN = ("Formula",)
"""What is a block only outside of blocks."""

# One buffer for all calls: whoever makes them holds pdfium's lock.
_name = ctypes.create_string_buffer(_LONGEST_NAME)
_name_at = ctypes.addressof(_name)
_length = ctypes.c_ulong()
_length_at = ctypes.addressof(_length)


def tag_of(text: int) -> int:
    """Return the id of a text object's marked content, -1 if it has none, ``ARTIFACT`` if it is one."""
    tag: int = pdfium.object_tag(text)
    return ARTIFACT if tag < 0 and _is_artifact(text) else tag


def _is_artifact(text: int) -> bool:
    for index in range(min(pdfium.count_marks(text), _MOST_MARKS)):
        mark = pdfium.object_mark(text, index)
        if (
            mark
            and pdfium.mark_name(mark, _name_at, _LONGEST_NAME, _length_at)
            and _decoded(_length.value) == "Artifact"
        ):
            return True
    return False


def read_tags(page: int, used: int) -> dict[int, Tag]:
    """Return the tag of each marked content of a page, by its id; whoever calls holds pdfium's lock.

    :param used: how many ids the text of the page has. Too many are not looked up: the time that pdfium takes grows
        with their square.
    """
    tree = pdfium.structure_tree(page) if 0 < used <= _MOST_USED else None
    if not tree:
        return {}
    reader = _Reader()
    try:
        for index in range(min(pdfium.count_roots(tree), _MOST_ELEMENTS)):
            if element := pdfium.root_element(tree, index):
                reader.read(element, None)
    finally:
        pdfium.close_structure(tree)
    return {**reader.tags, ARTIFACT: Tag("Artifact")} if reader.tags else {}


@dataclass(slots=True)
class _Holder:
    """A block while it is read.

    :param filled: whether it has text, so that another paragraph in it is one of its own.
    """

    tag: Tag
    filled: bool = False


@dataclass(slots=True)
class _Reader:
    tags: dict[int, Tag] = field(default_factory=dict)
    seen: int = 0
    blocks: int = 0

    def read(self, element: int, holder: _Holder | None, sections: int = 0, depth: int = 0) -> None:
        self.seen += 1
        if depth > _DEEPEST or self.seen > _MOST_ELEMENTS:
            return
        kind = _kind(element)
        sections += kind == "Sect"
        holder = self._holder(kind, holder, sections)
        for child, tag in _children(element):
            if child:
                self.read(child, holder, sections, depth + 1)
            elif tag >= 0:
                self.tags.setdefault(tag, holder.tag if holder is not None else Tag("Div"))
                if holder is not None and kind != "Lbl":
                    holder.filled = True
            if self.seen > _MOST_ELEMENTS:
                return

    def _holder(self, kind: str, around: _Holder | None, sections: int) -> _Holder | None:
        """Return the block that an element begins, or the one around it if it begins none."""
        if heading := _HEADING.fullmatch(kind):
            return self._begin(f"H{min(int(heading[1] or max(1, sections)), 6)}")
        if kind not in _BLOCKS or (kind in _WITHIN and around is not None):
            return around
        if kind == "P" and around is not None and around.tag.role in _HOLDERS:
            if not around.filled:
                around.filled = True
                return around
            return self._begin("P" if around.tag.role == "LI" else around.tag.role)
        return self._begin(kind)

    def _begin(self, role: str) -> _Holder:
        self.blocks += 1
        return _Holder(Tag(role, self.blocks))


def _children(element: int) -> Iterator[tuple[int, int]]:
    """Yield an element's children: of each the element, or 0 and the id of its marked content, -1 if it is neither."""
    for index in range(min(pdfium.count_children(element), _MOST_ELEMENTS)):
        child = pdfium.child_element(element, index)
        yield (child, -1) if child else (0, pdfium.child_tag(element, index))


def _kind(element: int) -> str:
    """Return the type of an element, which pdfium has looked up in the role map."""
    kind = _decoded(pdfium.element_kind(element, _name_at, _LONGEST_NAME))
    return _SAME.get(kind, kind)


def _decoded(length: int) -> str:
    return _name.raw[: length - 2].decode("utf-16-le", "replace") if 2 <= length <= _LONGEST_NAME else ""
