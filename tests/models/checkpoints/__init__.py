"""Docling's models, tiny and random: what a download gives, in a second and without a network.

``build(folder)`` fills a folder that Docling takes as its ``artifacts_path``. All the real code runs on it, from
loading to the document; only the answers are made up, and always the same:

- every page has the boxes of :data:`layout.BOXES`: a heading, a picture, its caption, a table and a paragraph;
- every table has the rows and columns of :data:`tables.SIZES`, with whatever words of the page are in its cells;
- every picture is most of all a :data:`classifier.FAVOURITE`, and :data:`description.TEXT` is what it shows.
"""

from pathlib import Path

from tests.models.checkpoints import classifier, description, layout, tables

__all__ = ["build"]


def build(folder: Path) -> None:
    """Write a checkpoint of each of Docling's models below a folder."""
    layout.build(folder)
    tables.build(folder)
    classifier.build(folder)
    description.build(folder)
