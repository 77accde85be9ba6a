"""One order out of several: reciprocal rank fusion.

Source: Cormack, Clarke, Büttcher, SIGIR 2009. It asks for the places alone, so scales need not be compared.
"""

from collections import defaultdict
from collections.abc import Sequence

# How little the first places count before the next ones, as in the source.
K = 60


def fused(*orders: Sequence[str]) -> list[str]:
    """All that are in any of the orders, the best first; of equals the one that an earlier order names first."""
    scores = defaultdict[str, float](float)
    for order in orders:
        for place, one in enumerate(order, 1):
            scores[one] += 1 / (K + place)
    return sorted(scores, key=lambda one: -scores[one])
