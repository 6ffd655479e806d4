"""The installation's figures as Prometheus metrics, beside those that this process counts itself."""

from collections.abc import Iterator
from typing import get_args

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from docrefinery.model import CLASS_OF, FAST, MODEL, OCR, JobStatus
from docrefinery.pipeline.away import Needed
from docrefinery.pipeline.keeper import Cause
from docrefinery.services.dashboard import NO_PROFILE
from docrefinery.services.metrics import Disk
from docrefinery.store.counters import Counted
from docrefinery.store.metrics import COUNTED, Figures, StageBucket
from docrefinery.store.sql.counters import STAGE_BOUNDS_MS

STAGES = ("scan", "convert", "export", "chunk")
# What the code counts: the help text, and what the label is called where there is one.
LABELS = {
    Counted.WEBHOOK_DELIVERIES: ("Attempts to deliver a webhook, by how they ended.", "outcome"),
    Counted.JOBS_RECOVERED: ("Jobs that were taken from workers that were lost.", ""),
    Counted.JOBS_PUT_OFF: ("Times a job was put off, by what it needs and was away.", "reason"),
    Counted.JOBS_FAILED: ("Jobs that failed, by the code of the error.", "code"),
    Counted.CONVERTERS_REPLACED: ("Converter processes that were replaced, by the reason.", "reason"),
}
# Told from the start, with 0: what an alert waits for would otherwise be born at 1, which is no increase.
KNOWN = {
    Counted.WEBHOOK_DELIVERIES: ("delivered", "retried", "failed"),
    Counted.JOBS_PUT_OFF: get_args(Needed),
    Counted.CONVERTERS_REPLACED: get_args(Cause),
}


class Snapshot(Collector):
    """Figures of one moment."""

    def __init__(self, figures: Figures) -> None:
        self._figures = figures

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        yield from self._gauges()
        yield from self._totals()
        yield self._finished()
        yield self._stages()
        yield from self._counted()

    def _gauges(self) -> Iterator[Metric]:
        figures = self._figures
        jobs = GaugeMetricFamily("docrefinery_jobs", "Jobs of all tenants by status.", labels=["status"])
        for status in JobStatus:
            jobs.add_metric([status], figures.jobs.get(status, 0))
        memory = GaugeMetricFamily(
            "docrefinery_worker_resident_memory_bytes",
            "Resident memory of a worker and its converter.",
            labels=["worker", "hostname"],
        )
        for worker in figures.workers:
            memory.add_metric([worker.id, worker.hostname], worker.rss_bytes)
        yield from (jobs, memory, *self._queues())
        for name, text, value in (
            ("workers", "Workers that are alive.", len(figures.workers)),
            ("documents", "Documents that are stored.", figures.volume.documents),
            ("stored_bytes", "Bytes of files and artifacts that are stored.", figures.volume.stored_bytes),
        ):
            yield GaugeMetricFamily(f"docrefinery_{name}", text, value=value)

    def _queues(self) -> Iterator[Metric]:
        depth = GaugeMetricFamily(
            "docrefinery_queue_depth", f"Jobs that are queued, up to {COUNTED} of each tenant.", labels=["queue"]
        )
        age = GaugeMetricFamily(
            "docrefinery_queue_oldest_seconds", "Age of the oldest queued job; 0 with an empty queue.", labels=["queue"]
        )
        for name in (FAST, OCR, MODEL):
            # Those that the previous release queues, under names of its own, are among them.
            found = [queue for queue in self._figures.queues if CLASS_OF[queue.name] == name]
            depth.add_metric([name], sum(queue.depth for queue in found))
            age.add_metric([name], max((queue.oldest_seconds for queue in found), default=0.0))
        yield from (depth, age)

    def _totals(self) -> Iterator[Metric]:
        volume = self._figures.volume
        for name, text, value in (
            ("documents_received", "Documents that were uploaded.", volume.documents_received),
            ("received_bytes", "Bytes of documents that were uploaded.", volume.bytes_received),
            ("pages_converted", "Pages of jobs that succeeded.", volume.pages_converted),
        ):
            yield CounterMetricFamily(f"docrefinery_{name}", text, value=value)

    def _finished(self) -> Metric:
        family = CounterMetricFamily(
            "docrefinery_jobs_finished", "Ends of jobs by profile and status.", labels=["profile", "status"]
        )
        found = {(ended.profile or NO_PROFILE, ended.status): ended.n for ended in self._figures.finished}
        for profile in sorted({NO_PROFILE, *(name for name, _ in found)}):
            for status in (status for status in JobStatus if status.terminal):
                family.add_metric([profile, status], found.get((profile, status), 0))
        return family

    def _stages(self) -> Metric:
        family = HistogramMetricFamily(
            "docrefinery_stage_duration_seconds", "Time that stages of ended jobs took.", labels=["stage"]
        )
        for stage in STAGES:
            found = [bucket for bucket in self._figures.stages if bucket.stage == stage]
            family.add_metric([stage], _cumulative(found), sum(bucket.total_ms for bucket in found) / 1000)
        return family

    def _counted(self) -> Iterator[Metric]:
        for name, (text, label) in LABELS.items():
            family = CounterMetricFamily(f"docrefinery_{name}", text, labels=[label] if label else [])
            known = KNOWN.get(name, ()) if label else ("",)
            found = {counter.label: counter.n for counter in self._figures.counters if counter.name == name}
            for value, n in (dict.fromkeys(known, 0) | found).items():
                family.add_metric([value] if label else [], n)
            yield family


def _cumulative(found: list[StageBucket]) -> list[tuple[str, float]]:
    """Return upper bounds in seconds and how many stages took no longer, as Prometheus wants its buckets."""
    by_bucket = {bucket.bucket: bucket.n for bucket in found}
    bounds = [*(str(bound / 1000) for bound in STAGE_BOUNDS_MS), "+Inf"]
    counted, buckets = 0, []
    for number, bound in enumerate(bounds):
        counted += by_bucket.get(number, 0)
        buckets.append((bound, float(counted)))
    return buckets


class Surroundings(Collector):
    """What this process sees around it."""

    def __init__(self, parts: dict[str, bool], disk: Disk | None) -> None:
        self._parts = parts
        self._disk = disk

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        up = GaugeMetricFamily(
            "docrefinery_part_up", "Whether a part that the service needs is there: 1, or 0.", labels=["part"]
        )
        for part, there in self._parts.items():
            up.add_metric([part], int(there))
        yield up
        size = GaugeMetricFamily("docrefinery_storage_disk_bytes", "Size of the storage folder's disk.")
        free = GaugeMetricFamily("docrefinery_storage_disk_free_bytes", "Bytes that are free on that disk.")
        if self._disk is not None:
            size.add_metric([], self._disk.size)
            free.add_metric([], self._disk.free)
        yield from (size, free)


def exposition(figures: Figures | None, parts: dict[str, bool], disk: Disk | None) -> bytes:
    """Return everything in Prometheus' text format.

    :param figures: ``None`` while the database is away; what this process knows by itself is told all the same.
    """
    registry = CollectorRegistry()
    if figures is not None:
        registry.register(Snapshot(figures))
    registry.register(Surroundings(parts, disk))
    return generate_latest(registry) + generate_latest()
