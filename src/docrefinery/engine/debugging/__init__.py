"""The debug view: each page of a PDF as a picture, with what a document says is there drawn over it."""

from docrefinery.engine.debugging.pages import draw_pages

__all__ = ["draw_pages"]
