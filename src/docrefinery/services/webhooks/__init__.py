"""Webhooks: who is told, where that may lead, and how it gets there."""
