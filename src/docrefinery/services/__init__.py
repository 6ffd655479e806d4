"""What the product does, without HTTP and without Docling: handlers, workers and commands call these."""
