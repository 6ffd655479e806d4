"""``docrefinery push``: folders of PDFs to a service, and their results back."""

from docrefinery.cli.push.command import push

__all__ = ["push"]
