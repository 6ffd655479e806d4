"""Docling's own pipeline with its models: imported only where a converter is to hold them."""
