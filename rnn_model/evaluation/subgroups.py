"""The drawings in groups: recognised or not, by country, by number of points."""

from typing import NamedTuple

import numpy as np

from rnn_model.evaluation.metrics import GroupSums
from tfrecords import schema

COUNTRIES = 10
"""So many are told one by one, the largest; the others are added up."""

POINTS = (15, 25, 40, 60, 100)
"""Most points of a drawing in each bin but the last."""

RECOGNIZED, COUNTRY, NUMBER_OF_POINTS = "recognized", "country", "points"

_RECOGNIZED_NAMES = {1: "recognised", 0: "not recognised", -1: "not known"}


class Group(NamedTuple):
    """A part of the drawings: its name for people, and sums `<float64>[6, columns]`."""

    name: str
    sums: np.ndarray


class Grouping:
    """Numbers the groups of drawings, the same for all runs."""

    def __init__(self, kind: str):
        self._kind = kind
        self._countries: dict[bytes, int] = {}

    def of(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """The number of each drawing's group, `<int>[batch]`, in each breakdown."""
        numbers = self._countries
        codes = batch[schema.COUNTRYCODE].tolist()
        country = [numbers.setdefault(code, len(numbers)) for code in codes]
        groups = {
            RECOGNIZED: batch[schema.RECOGNIZED],
            COUNTRY: np.array(country, np.int64),
        }
        if self._kind == schema.INK:
            bins = np.searchsorted(POINTS, batch["length"])
            groups[NUMBER_OF_POINTS] = bins
        return groups

    def country(self, number: int) -> str:
        """The code of a country, empty where it is not known."""
        return list(self._countries)[number].decode(errors="replace")


class Breakdowns:
    """The sums of one run in each group."""

    def __init__(self, grouping: Grouping):
        self._grouping = grouping
        self._sums: dict[str, GroupSums] = {}

    def add(
        self, groups: dict[str, np.ndarray], values: np.ndarray, weights: np.ndarray
    ) -> None:
        """Adds drawings: what `Grouping.of`, `metrics.values_of` and so on give."""
        for name, numbers in groups.items():
            self._sums.setdefault(name, GroupSums()).add(numbers, values, weights)

    def groups(self) -> dict[str, list[Group]]:
        """The groups of each breakdown that tells anything, in order."""
        naming = {
            RECOGNIZED: self._by_recognized,
            COUNTRY: self._by_country,
            NUMBER_OF_POINTS: self._by_points,
        }
        found = {name: naming[name](sums) for name, sums in self._sums.items()}
        known = ("not known",)
        return {
            name: groups
            for name, groups in found.items()
            if any(group.name not in known for group in groups)
        }

    def _by_recognized(self, sums: GroupSums) -> list[Group]:
        names = _RECOGNIZED_NAMES.items()
        return [Group(name, sums[value]) for value, name in names if value in sums]

    def _by_country(self, sums: GroupSums) -> list[Group]:
        """The largest ones, the others together, and those without a country."""
        named = {self._grouping.country(number): some for number, some in sums.items()}
        unknown = named.pop("", None)
        ordered = sorted(named.items(), key=lambda item: (-item[1][0, 0], item[0]))
        groups = [Group(code, some) for code, some in ordered[:COUNTRIES]]
        if others := [some for _, some in ordered[COUNTRIES:]]:
            groups.append(Group(f"{len(others)} others", np.sum(others, axis=0)))
        if unknown is not None:
            groups.append(Group("not known", unknown))
        return groups

    def _by_points(self, sums: GroupSums) -> list[Group]:
        firsts = [1, *(most + 1 for most in POINTS)]
        names = [f"{first} to {most}" for first, most in zip(firsts, POINTS)]
        names.append(f"{firsts[-1]} and more")
        return [Group(names[number], sums[number]) for number in sorted(sums)]
