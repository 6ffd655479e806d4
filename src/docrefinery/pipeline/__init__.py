"""Conversion in a child process that is warm, limited and killable."""
