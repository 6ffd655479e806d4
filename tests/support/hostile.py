"""PDF files that nobody should have made: bombs, loops, and real files that are cut off or have bits turned over."""

import random
import zlib
from collections.abc import Iterator
from pathlib import Path

from tests.support.pdfs import born_digital, file_of, stream

REPORT = Path(__file__).parents[1] / "data/harbour-report.pdf"
CATALOG, PAGES = b"<< /Type /Catalog /Pages 2 0 R >>", b"<< /Type /Pages /Count 1 /Kids [3 0 R] >>"
FONT = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
TEXT = b"BT /F1 11 Tf 72 700 Td (What stands on it.) Tj ET\n"


def page(content: int = 4, box: bytes = b"0 0 612 792", more: bytes = b"") -> bytes:
    """Return a page, object 3, below object 2."""
    return (
        b"<< /Type /Page /Parent 2 0 R /MediaBox [%s] /Contents %d 0 R /Resources << /Font << /F1 5 0 R >> %s >> >>"
    ) % (box, content, more)


def one_page(
    content: bytes, *, entries: bytes = b"", box: bytes = b"0 0 612 792", more: bytes = b""
) -> dict[int, bytes]:
    """Return the objects of a document of one page."""
    return {1: CATALOG, 2: PAGES, 3: page(box=box, more=more), 4: stream(content, entries), 5: FONT}


def deep_tree(depth: int = 20_000) -> bytes:
    """Return a page tree that goes down and down."""
    objects = {1: CATALOG, 5: FONT, 4: stream(TEXT)}
    numbers = [2, *range(6, 6 + depth)]
    for number, below in zip(numbers, [*numbers[1:], 3], strict=True):
        objects[number] = b"<< /Type /Pages /Count 1 /Kids [%d 0 R] >>" % below
    objects[3] = page()
    return file_of(objects)


def circular_tree() -> bytes:
    """Return a page tree that is its own branch."""
    return file_of(one_page(TEXT) | {2: b"<< /Type /Pages /Count 2 /Kids [2 0 R 3 0 R] /Parent 2 0 R >>"})


def circular_references() -> bytes:
    """Return a document whose lengths, fonts and contents lead to themselves."""
    objects = one_page(TEXT)
    objects[4] = b"<< /Length 6 0 R >>\nstream\n%s\nendstream" % TEXT
    objects[5] = b"<< /Type /Font /Subtype /Type0 /BaseFont /A /DescendantFonts [5 0 R] /Encoding 5 0 R >>"
    objects[6] = b"6 0 R"
    return file_of(objects)


def flate_bomb(layers: int = 3, mebibytes: int = 256) -> bytes:
    """Return a page whose content inflates, layer by layer, to blanks without end."""
    packer = zlib.compressobj(9)
    packed = b"".join(packer.compress(b" " * 2**20) for _ in range(mebibytes)) + packer.flush()
    for _ in range(layers - 1):
        packed = zlib.compress(packed, 9)
    return file_of(one_page(packed, entries=b"/Filter [%s]" % (b"/FlateDecode " * layers)))


def huge_box(points: int = 2_000_000_000) -> bytes:
    """Return a page larger than a country."""
    return file_of(one_page(TEXT, box=b"-%d -%d %d %d" % ((points,) * 4)))


def many_objects(count: int = 200_000) -> bytes:
    """Return a document with so many objects that nobody needs."""
    return file_of(one_page(TEXT) | dict.fromkeys(range(6, 6 + count), b"null"))


def many_pages(count: int = 1_000_000, there: int = 5_000) -> bytes:
    """Return a document that says that it has so many pages, and lists one again and again, fewer times."""
    return file_of(one_page(TEXT) | {2: b"<< /Type /Pages /Count %d /Kids [%s] >>" % (count, b"3 0 R " * there)})


def wide_tree(pages: int = 100_000, branch: int = 100) -> bytes:
    """Return a document with so many pages that are all there, each with its object."""
    objects = one_page(TEXT) | {3: b"null"}
    branches = []
    number = 6
    for start in range(0, pages, branch):
        leaves = range(number + 1, number + 1 + min(branch, pages - start))
        leaf = b"<< /Type /Page /Parent %d 0 R /MediaBox [0 0 612 792] /Contents 4 0 R >>" % number
        objects |= dict.fromkeys(leaves, leaf)
        listed = b" ".join(b"%d 0 R" % kid for kid in leaves)
        objects[number] = b"<< /Type /Pages /Parent 2 0 R /Count %d /Kids [%s] >>" % (len(leaves), listed)
        branches.append(b"%d 0 R" % number)
        number = leaves.stop
    return file_of(objects | {2: b"<< /Type /Pages /Count %d /Kids [%s] >>" % (pages, b" ".join(branches))})


def xref_loop() -> bytes:
    """Return a file whose cross-reference table is its own predecessor."""
    whole = file_of(one_page(TEXT))
    return whole.replace(b"/Root 1 0 R", b"/Prev %d /Root 1 0 R" % whole.rindex(b"xref\n0"), 1)


def recursive_forms(width: int = 12) -> bytes:
    """Return a page whose form draws itself, and each of its neighbours."""
    names = b" ".join(b"/X%d %d 0 R" % (n, 6 + n) for n in range(width))
    drawn = b" ".join(b"/X%d Do" % n for n in range(width))
    entries = b"/Type /XObject /Subtype /Form /BBox [0 0 612 792] /Resources << /XObject << %s >> >>" % names
    forms = {6 + n: stream(drawn, entries) for n in range(width)}
    return file_of(one_page(drawn, more=b"/XObject << %s >>" % names) | forms)


def deep_nesting(depth: int = 100_000) -> bytes:
    """Return a page with an array in an array in an array, and as many saved states."""
    objects = one_page(b"q " * depth + TEXT)
    objects[6] = b"[" * depth + b"]" * depth
    objects[1] = b"<< /Type /Catalog /Pages 2 0 R /Names 6 0 R >>"
    return file_of(objects)


def bad_stream(filters: bytes) -> bytes:
    """Return a page whose content is not what its filters say."""
    entries = b"/Filter [%s] /DecodeParms [<< /Predictor 15 /Columns 2147483647 >>]" % filters
    return file_of(one_page(b"\x78\x9c" + TEXT * 3, entries=entries))


def huge_image(side: int = 46_340) -> bytes:
    """Return a page with a picture of 2 billion pixels that is a few bytes long."""
    entries = b"/Type /XObject /Subtype /Image /ColorSpace /DeviceGray /BitsPerComponent 8 /Filter /FlateDecode"
    image = stream(zlib.compress(bytes(64)), entries + b" /Width %d /Height %d" % (side, side))
    return file_of(one_page(b"q 612 0 0 792 0 0 cm /X0 Do Q", more=b"/XObject << /X0 6 0 R >>") | {6: image})


def made() -> Iterator[tuple[str, bytes]]:
    """Yield the bombs and loops, by name."""
    for build in (
        deep_tree, circular_tree, circular_references, flate_bomb, huge_box, many_objects, many_pages, xref_loop,
        recursive_forms, deep_nesting, huge_image,
    ):  # fmt: skip
        yield build.__name__, build()
    for filters in (b"/FlateDecode", b"/LZWDecode", b"/ASCII85Decode /FlateDecode", b"/RunLengthDecode", b"/NoSuch"):
        yield f"bad_stream{filters.decode().replace('/', '_').replace(' ', '')}", bad_stream(filters)


def truncations(content: bytes, every: int) -> Iterator[tuple[str, bytes]]:
    """Yield a file cut off at every ``every``-th byte."""
    for at in range(every, len(content), every):
        yield f"cut_at_{at}", content[:at]


def flips(content: bytes, count: int, seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield a file with some of its bits turned over, differently each time."""
    choose = random.Random(seed)
    for number in range(count):
        changed = bytearray(content)
        for _ in range(choose.choice((1, 8, 64, 512))):
            changed[choose.randrange(len(changed))] ^= 1 << choose.randrange(8)
        yield f"flipped_{seed}_{number}", bytes(changed)


def sample(seed: int, *, cuts: int = 8, flipped: int = 12) -> Iterator[tuple[str, bytes]]:
    """Yield the made ones, and some of the cut and flipped ones."""
    report = REPORT.read_bytes()
    yield from made()
    for name, content in (("report", report), ("small", born_digital(3))):
        for what, changed in (*truncations(content, len(content) // cuts), *flips(content, flipped // 2, seed)):
            yield f"{name}_{what}", changed


def full(seed: int) -> Iterator[tuple[str, bytes]]:
    """Yield everything at full size: more objects and pages than any document has, and hundreds of broken files."""
    yield "a_million_objects", many_objects(10**6)
    yield "a_hundred_thousand_pages", wide_tree()
    yield from sample(seed, cuts=200, flipped=400)
