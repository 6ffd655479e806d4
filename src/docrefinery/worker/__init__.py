"""Dramatiq around the pipeline: a message is a nudge, an actor a shell."""
