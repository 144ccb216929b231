"""One scrape for several workers: each leaves its numbers in a directory, the asked one adds up.

A scrape reaches one worker, whichever accepts it. prometheus_client's own multiprocess mode knows
only its own metric classes, at three times the cost a request; ours are read from plain counters.
So every worker writes its whole registry to a file each second, and a scrape adds the files up.
"""

import json
import os
import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from prometheus_client.core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

_INTERVAL = 1.0  # seconds; Prometheus asks every 15 or so
_Labels = tuple[tuple[str, str], ...]
# name, help, type, samples: [name, labels, value]
_Family = tuple[str, str, str, list[tuple[str, dict[str, str], float]]]


class MultiprocessMetrics:
    """This worker's `registry`, written to `directory`, and everybody's, added up.

    A context manager: numbers are written while it is entered. Those of a worker that died are
    dropped, which Prometheus takes for a counter's restart.
    """

    def __init__(self, registry: CollectorRegistry, directory: Path) -> None:
        self._registry = registry
        self._directory = directory
        self._own = directory / f"{os.getpid()}.json"
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="metrics", daemon=True)
        self.everybody = CollectorRegistry()
        self.everybody.register(_Sum(directory))

    def __enter__(self) -> "MultiprocessMetrics":
        self.write()
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join()
        self._own.unlink(missing_ok=True)

    def write(self) -> None:
        """Write this worker's numbers now; they appear whole or not at all."""
        families = [
            (m.name, m.documentation, m.type, [(s.name, s.labels, s.value) for s in m.samples])
            for m in self._registry.collect()
        ]
        fresh = self._own.with_suffix(".new")
        fresh.write_text(json.dumps(families))
        fresh.replace(self._own)

    def _run(self) -> None:
        while not self._stop.wait(_INTERVAL):
            self.write()


class _Sum(Collector):
    """What all living workers have written."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def describe(self) -> Iterable[Metric]:
        """Nothing yet: asked at registration, before anybody has written."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """Each family once, its samples added up over the workers."""
        families: dict[str, Metric] = {}
        sums: dict[str, dict[tuple[str, _Labels], float]] = defaultdict(lambda: defaultdict(float))
        for name, help_text, kind, samples in self._written():
            families.setdefault(name, Metric(name, help_text, kind))
            for sample, labels, value in samples:
                sums[name][sample, tuple(labels.items())] += value
        for name, family in families.items():
            for (sample, labelled), value in sums[name].items():
                family.add_sample(sample, dict(labelled), value)
            yield family

    def _written(self) -> Iterator[_Family]:
        for path in sorted(self._directory.glob("*.json")):
            if not Path(f"/proc/{path.stem}").exists():
                path.unlink(missing_ok=True)
                continue
            with suppress(FileNotFoundError):  # it ended just now
                yield from json.loads(path.read_text())
