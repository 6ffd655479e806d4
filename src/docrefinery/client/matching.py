"""Whether a job that is there does what is asked: its profile, its exports and all options that decide its result."""

from typing import Any

from docrefinery.client.operations import Processing
from docrefinery.client.resources import Job, Plan

LIMITS = frozenset({"max_num_pages", "max_file_size", "document_timeout"})
"""Options that decide whether there is a result, but not which."""
ALWAYS = "docling_json"
"""The kind that every job makes."""


def fits(job: Job, plan: Plan, wanted: Processing) -> bool:
    """Whether a job is what would be made.

    Of a job that succeeded, limits that nobody asked for now do not count: its result would be the same.
    """
    passed = unasked_limits(wanted) if job.succeeded else frozenset[str]()
    return deciding(job, passed) == deciding(plan, passed)


def unasked_limits(wanted: Processing) -> frozenset[str]:
    """Return the limits that come from the installation, the tenant or the key, and not from what is asked."""
    asked = wanted.get("options") or {}
    return LIMITS - {name for name, value in asked.items() if value is not None}


def deciding(of: Job | Plan, passed: frozenset[str]) -> tuple[str | None, list[str], dict[str, Any], dict[str, Any]]:
    """Return what decides the result of a job, or of one that would be made; options in ``passed`` do not."""
    options = {name: value for name, value in of.options.items() if name != "exports" and name not in passed}
    return of.profile, sorted(made(of)), options, of.ignored_options


def made(of: Job | Plan) -> set[str]:
    """Return the kinds that a job makes."""
    return {*of.exports, ALWAYS}
