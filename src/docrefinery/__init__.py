"""DocumentRefinery: PDFs in, structured artifacts out, over HTTP."""

from importlib.metadata import version

__version__ = version("docrefinery")
