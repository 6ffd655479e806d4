"""The geometric engine: a structured document from a PDF's own geometry, without a model.

Two halves, so that pages can be read in other processes than the one that makes the document::

    # Page by page: text, tables, figures, reading order.
    layouts = read(path)
    # What crosses pages: headings, lists, paragraphs, page headers and footers.
    document = assemble(layouts, outline=read_outline(path))

A :class:`Layout` is plain data: :func:`encode` and :func:`decode` take it from one process to another.
"""

from docrefinery.engine.geometric.assembly.assemble import assemble
from docrefinery.engine.geometric.layout.layout import Layout, decode, encode
from docrefinery.engine.geometric.read import read, read_outline

__all__ = ["Layout", "assemble", "decode", "encode", "read", "read_outline"]
