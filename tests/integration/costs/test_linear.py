"""What a stranger sends costs in proportion to its size, by every way it is read."""

from pathlib import Path

from integration.costs.paths import PATHS
from support.instructions import count

MOST = 2.2  # times the instructions for twice as much


def growth(names: list[str], directory: Path) -> dict[str, float]:
    """By path, how many times as much it costs when n doubles; the larger of two doublings."""
    program = Path(__file__).with_name("paths.py")
    costs = count(program, *names, directory=directory)[::2]
    assert len(costs) == 3 * len(names)
    triples = zip(costs[::3], costs[1::3], costs[2::3], strict=True)
    return {
        name: max(twice / once, four_times / twice)
        for name, (once, twice, four_times) in zip(names, triples, strict=True)
    }


def test_all_ways(tmp_path: Path) -> None:
    """Heads, fields and trailers, chunks, pipelining, upgrades, escapes, JSON, YAML, gzip: twice as
    much costs about twice as many instructions. One planted `+=` shows that this would be seen."""
    grown = growth(list(PATHS), tmp_path)
    assert grown.pop("PLANTED") > MOST
    assert {name: by for name, by in grown.items() if by > MOST} == {}
