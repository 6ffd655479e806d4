"""PDF files that say something of their structure: tagged ones, and ones with an outline."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from typing import NamedTuple

from tests.support.pdfs import file_of

_LEADING = 1.2
_FIXED = 6
"""Catalog, page tree, two fonts, the structure's root, and the outline's."""


class Text(NamedTuple):
    """Lines that are drawn from a place on, in points from the top left corner of the page.

    :param kind: ``""`` is marked as content of the structure, ``Artifact`` as none, ``None`` not at all.
    """

    text: str
    top: float
    left: float = 72
    size: float = 11
    bold: bool = False
    kind: str | None = ""


class Element(NamedTuple):
    """An element of the structure tree; those at the top of a page are children of the document."""

    kind: str
    children: "tuple[Element | Text, ...]"


class Bookmark(NamedTuple):
    """An entry of the outline; ``page`` counts from 1, 0 leads nowhere."""

    title: str
    page: int
    depth: int = 0


Page = Sequence[Element | Text]


def element(kind: str, *children: Element | Text) -> Element:
    """Return an element."""
    return Element(kind, children)


def structured(
    *pages: Page,
    outline: Sequence[Bookmark] = (),
    roles: Mapping[str, str] | None = None,
    tagged: bool = True,
    endless: bool = False,
) -> bytes:
    """Return a document.

    :param roles: its role map.
    :param tagged: whether it has a structure tree.
    :param endless: whether the tree's root is also among the children of its last element, and the outline's first
        entry follows its last one.
    """
    writer = _Writer()
    writer.add_pages(pages, tagged=tagged)
    writer.close_tree(roles or {}, endless=endless)
    writer.add_outline(outline, endless=endless)
    return file_of(writer.objects)


@dataclass
class _Writer:
    objects: dict[int, bytes] = field(default_factory=dict)
    pages: list[int] = field(default_factory=list)
    roots: list[int] = field(default_factory=list)
    parents: list[list[int]] = field(default_factory=list)
    reserved: int = _FIXED

    def reserve(self) -> int:
        self.reserved += 1
        return self.reserved

    def add_pages(self, pages: Sequence[Page], *, tagged: bool) -> None:
        self.pages = [self.reserve() for _ in pages]
        for index, page in enumerate(pages):
            self.parents.append([])
            drawn: list[bytes] = []
            for child in page:
                if isinstance(child, Text):
                    drawn.append(_drawn(child, -1))
                else:
                    self.roots.append(self._element(child, 5, index, drawn))
            content = self.reserve()
            self.objects[content] = b"<< /Length %d >>\nstream\n%s\nendstream" % (
                len(b"".join(drawn)),
                b"".join(drawn),
            )
            self.objects[self.pages[index]] = (
                b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents %d 0 R /StructParents %d "
                b"/Resources << /Font << /F1 3 0 R /F2 4 0 R >> >> >>" % (content, index)
            )
        tree = b"/MarkInfo << /Marked true >> /StructTreeRoot 5 0 R" if tagged else b""
        self.objects |= {
            1: b"<< /Type /Catalog /Pages 2 0 R /Outlines 6 0 R %s >>" % tree,
            2: b"<< /Type /Pages /Count %d /Kids [%s] >>" % (len(pages), _references(self.pages)),
            3: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
            4: b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica-Bold /Encoding /WinAnsiEncoding >>",
        }

    def _element(self, element: Element, parent: int, page: int, drawn: list[bytes]) -> int:
        number = self.reserve()
        kids = []
        for child in element.children:
            if isinstance(child, Element):
                kids.append(b"%d 0 R" % self._element(child, number, page, drawn))
                continue
            drawn.append(_drawn(child, len(self.parents[page])))
            kids.append(b"%d" % len(self.parents[page]))
            self.parents[page].append(number)
        self.objects[number] = b"<< /Type /StructElem /S /%s /P %d 0 R /Pg %d 0 R /K [%s] >>" % (
            element.kind.encode(),
            parent,
            self.pages[page],
            b" ".join(kids),
        )
        return number

    def close_tree(self, roles: Mapping[str, str], *, endless: bool) -> None:
        if endless and self.roots:
            last = self.roots[-1]
            self.objects[last] = self.objects[last].replace(b"/K [", b"/K [5 0 R %d 0 R " % self.roots[0])
            first = self.roots[0]
            self.objects[first] = self.objects[first].replace(b"/P 5 0 R", b"/P %d 0 R" % last)
        nums = b" ".join(b"%d [%s]" % (index, _references(each)) for index, each in enumerate(self.parents))
        mapped = b" ".join(b"/%s /%s" % (own.encode(), standard.encode()) for own, standard in roles.items())
        self.objects[5] = b"<< /Type /StructTreeRoot /K [%s] /ParentTree << /Nums [%s] >> /RoleMap << %s >> >>" % (
            _references(self.roots),
            nums,
            mapped,
        )

    def add_outline(self, outline: Sequence[Bookmark], *, endless: bool) -> None:
        numbers = [self.reserve() for _ in outline]
        entries = dict(zip(numbers, outline, strict=True))
        parents: list[int] = []
        family: dict[int, list[int]] = {6: []}
        for number, bookmark in entries.items():
            del parents[bookmark.depth :]
            family.setdefault(parents[-1] if parents else 6, []).append(number)
            parents.append(number)
        for parent, children in family.items():
            for child, following in zip_longest(children, children[1:], fillvalue=0):
                self.objects[child] = self._bookmark(entries[child], parent, family.get(child, []), following)
        if endless and family[6]:
            last = family[6][-1]
            self.objects[last] = self.objects[last].replace(b">>", b"/Next %d 0 R >>" % family[6][0])
        self.objects[6] = b"<< /Type /Outlines %s >>" % _ends(family[6])

    def _bookmark(self, bookmark: Bookmark, parent: int, children: Sequence[int], following: int) -> bytes:
        target = b"/Dest [%d 0 R /Fit]" % self.pages[bookmark.page - 1] if bookmark.page else b"/Dest (nowhere)"
        after = b"/Next %d 0 R" % following if following else b""
        title = b"FEFF" + bookmark.title.encode("utf-16-be").hex().encode()
        return b"<< /Title <%s> /Parent %d 0 R %s %s %s >>" % (title, parent, target, after, _ends(children))


def _ends(children: Sequence[int]) -> bytes:
    return b"/First %d 0 R /Last %d 0 R /Count %d" % (children[0], children[-1], len(children)) if children else b""


def _references(numbers: Sequence[int]) -> bytes:
    return b" ".join(b"%d 0 R" % number for number in numbers)


def _drawn(text: Text, tag: int) -> bytes:
    lines = b"".join(b"<%s> Tj T*\n" % line.encode("cp1252").hex().encode() for line in text.text.split("\n"))
    shown = b"BT /F%d %f Tf %f TL 1 0 0 1 %f %f Tm\n%sET\n" % (
        2 if text.bold else 1,
        text.size,
        _LEADING * text.size,
        text.left,
        792 - text.top,
        lines,
    )
    if text.kind == "Artifact":
        return b"/Artifact BMC\n%sEMC\n" % shown
    return b"/Any << /MCID %d >> BDC\n%sEMC\n" % (tag, shown) if tag >= 0 else shown
