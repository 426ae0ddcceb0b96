"""How much waits for workers."""

import concurrent.futures

import pytest

from mask_generation.workers import mapping


class Source:
    def __init__(self, size):
        self.data = bytes(size)


class Workers:
    """Takes everything and finishes nothing before it is asked for."""

    def __init__(self):
        self.waiting = 0
        self.most = 0

    def submit(self, function, source, lost):
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        return Later(self, function(source))


class Later(concurrent.futures.Future):
    def __init__(self, workers, value):
        super().__init__()
        self.set_result(value)
        self._workers = workers

    def result(self, timeout=None):
        self._workers.waiting -= 1
        return super().result(timeout)


@pytest.mark.parametrize(("size", "most"), [(0, 32), (400, 3), (5000, 2)])
def test_few_large_photographs_wait_or_many_small_ones(monkeypatch, size, most):
    """1,000 bytes: two of 400 and the one that is too much; of larger ones, one and the next."""
    monkeypatch.setattr(mapping, "_MOST_BYTES", 1000)
    workers = Workers()
    sources = [Source(size) for _ in range(50)]
    lengths = mapping._map_in_blocks(workers, 2, lambda source: len(source.data), sources)
    assert list(lengths) == [size] * 50
    assert workers.most == most
