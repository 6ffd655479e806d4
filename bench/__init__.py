"""What the figures in the README come from: ``make bench`` (``ARGS=folder`` for PDFs of your own)."""
