"""McNemar's test: whether two runs are correct equally often on the same drawings."""

from scipy import stats


def mcnemar_test(only_first: int, only_second: int) -> float:
    """Computes the two-sided p-value of the exact McNemar test.

    Under the null hypothesis, the drawings that exactly one run predicts correctly are
    split evenly between the runs: a binomial test with probability 1/2
    (https://en.wikipedia.org/wiki/McNemar%27s_test).

    Args:
      only_first: number of drawings that only the first run predicts correctly.
      only_second: number of drawings that only the second run predicts correctly.
    """
    discordant = only_first + only_second
    if not discordant:
        return 1.0
    return float(stats.binomtest(only_first, discordant, 0.5).pvalue)
