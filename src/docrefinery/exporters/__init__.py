"""The built-in exporters, one a file. What they need of Docling they import when they run."""
