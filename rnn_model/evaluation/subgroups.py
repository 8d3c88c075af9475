"""Metrics of subgroups of the drawings, by country, number of points and so on."""

from typing import NamedTuple

import numpy as np

from rnn_model.evaluation.metrics import GroupSums
from tfrecords import schema

MAX_COUNTRIES = 10
"""Countries with a subgroup of their own, those with most drawings."""

POINT_LIMITS = (15, 25, 40, 60, 100)
"""Largest number of points in each subgroup but the last."""

RECOGNIZED, COUNTRY, NUMBER_OF_POINTS = "recognized", "country", "points"

UNKNOWN = "unknown"
"""Name of the subgroup of drawings that lack the attribute."""

_RECOGNIZED_NAMES = {1: "recognized", 0: "not recognized", -1: UNKNOWN}


class Subgroup(NamedTuple):
    """A subgroup of the drawings.

    Attributes:
      name: name for the report.
      sums: `<float64>[6, columns]`, sums of `metrics.per_drawing_values`.
    """

    name: str
    sums: np.ndarray


class SubgroupIndexer:
    """Assigns drawings to subgroups, the same for all runs.

    Args:
      kind: kind of drawing, one of `schema.KINDS`.
    """

    def __init__(self, kind: str):
        self._kind = kind
        self._countries: dict[bytes, int] = {}

    def assign(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Returns the subgroup indices of a batch, `<int>[n]`, by attribute."""
        indices = self._countries
        codes = batch[schema.COUNTRYCODE].tolist()
        country = [indices.setdefault(code, len(indices)) for code in codes]
        subgroups = {
            RECOGNIZED: batch[schema.RECOGNIZED],
            COUNTRY: np.array(country, np.int64),
        }
        if self._kind == schema.INK:
            bins = np.searchsorted(POINT_LIMITS, batch["length"])
            subgroups[NUMBER_OF_POINTS] = bins
        return subgroups

    def country_code(self, index: int) -> str:
        """Returns the code of a country, empty if it is unknown."""
        return list(self._countries)[index].decode(errors="replace")


class SubgroupSums:
    """Accumulates the metrics of one run in each subgroup.

    Args:
      indexer: assigns the subgroups.
    """

    def __init__(self, indexer: SubgroupIndexer):
        self._indexer = indexer
        self._sums: dict[str, GroupSums] = {}

    def add(
        self, subgroups: dict[str, np.ndarray], values: np.ndarray, weights: np.ndarray
    ) -> None:
        """Adds drawings.

        Args:
          subgroups: indices from `SubgroupIndexer.assign`.
          values: `<float64>[n, 6]` from `metrics.per_drawing_values`.
          weights: `<float32>[n, columns]`.
        """
        for attribute, indices in subgroups.items():
            sums = self._sums.setdefault(attribute, GroupSums())
            sums.add(indices, values, weights)

    def by_attribute(self) -> dict[str, list[Subgroup]]:
        """Returns the subgroups of each attribute that some drawing has."""
        make_subgroups = {
            RECOGNIZED: self._by_recognized,
            COUNTRY: self._by_country,
            NUMBER_OF_POINTS: self._by_points,
        }
        subgroups = {
            attribute: make_subgroups[attribute](sums)
            for attribute, sums in self._sums.items()
        }
        return {
            attribute: groups
            for attribute, groups in subgroups.items()
            if any(group.name != UNKNOWN for group in groups)
        }

    def _by_recognized(self, sums: GroupSums) -> list[Subgroup]:
        return [
            Subgroup(name, sums[value])
            for value, name in _RECOGNIZED_NAMES.items()
            if value in sums
        ]

    def _by_country(self, sums: GroupSums) -> list[Subgroup]:
        """Returns the largest countries, the sum of the others, and the unknown."""
        by_code = {
            self._indexer.country_code(index): country_sums
            for index, country_sums in sums.items()
        }
        unknown = by_code.pop("", None)
        ordered = sorted(by_code.items(), key=lambda item: (-item[1][0, 0], item[0]))
        groups = [Subgroup(*item) for item in ordered[:MAX_COUNTRIES]]
        if others := [country_sums for _, country_sums in ordered[MAX_COUNTRIES:]]:
            groups.append(Subgroup(f"{len(others)} others", np.sum(others, axis=0)))
        if unknown is not None:
            groups.append(Subgroup(UNKNOWN, unknown))
        return groups

    def _by_points(self, sums: GroupSums) -> list[Subgroup]:
        lowest = [1, *(limit + 1 for limit in POINT_LIMITS)]
        names = [f"{low} to {high}" for low, high in zip(lowest, POINT_LIMITS)]
        names.append(f"{lowest[-1]} or more")
        return [Subgroup(names[index], sums[index]) for index in sorted(sums)]
