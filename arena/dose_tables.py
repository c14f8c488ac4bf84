"""Tables of a log with a growing share of its seen prompts, and of as many battles at random."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from arena.batch import Tables, block_size
from arena.bradley_terry import Fit
from arena.parts import KEPT, Parts
from arena.problem import problem

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class DosePlan:
    """Which prompts are in, at each of S shares of each of O random orders.

    Tables are made order by order: table o · S + s is of order o and share s.

    Attributes:
        fit: over whose pairs the tables are.
        parts: the votes, kept and rest; R rows.
        groups: sparse [G, 3R], the votes of the rest on each of G prompts; see `PartClusters`.
        shares: float [S], of the prompts that are in.
        orders: how many orders, O.
        seed: of the orders, and of what is drawn at random.
    """

    fit: Fit
    parts: Parts
    groups: csr_array
    shares: Floats
    orders: int
    seed: int

    @property
    def number(self) -> Integers:
        """How many prompts are in at each share [S]."""
        number: Integers = np.round(self.shares * self.groups.shape[0]).astype(np.int64)
        return number

    @property
    def doses(self) -> Tables:
        """The votes with so many of the prompts in."""
        return self._tables(self._inside)

    @property
    def placebo(self) -> Tables:
        """As many votes of every pair, drawn at random without replacement from all of them."""
        total = np.round(self.parts.sums.sum(axis=0)).astype(np.int64)[..., None]

        def drawn(block: int) -> Floats:
            rng = np.random.default_rng([self.seed, block, 1])
            n = np.round(self._inside(block).sum(axis=0)).astype(np.int64)
            won = rng.hypergeometric(total[0], total[1] + total[2], n)
            lost = rng.hypergeometric(total[1], total[2], n - won)
            return np.stack([won, lost, n - won - lost]).astype(np.float64)

        return self._tables(drawn)

    def battles(self) -> Floats:
        """Battles of each model of the fit that are in [S, m], the mean over the orders."""
        n_rows, size = self.parts.left.size, self.shares.size
        per_row = np.zeros((n_rows, size))
        for block in range(-(-self.orders // self._orders_at_once)):
            per_row += self._inside(block).sum(axis=0).reshape(n_rows, -1, size).sum(axis=1)
        place = {model: i for i, model in enumerate(self.fit.models)}
        index = np.array([place.get(model, -1) for model in self.parts.models])
        left, right = index[self.parts.left], index[self.parts.right]
        rated = (left >= 0) & (right >= 0)
        met = np.zeros((len(place), size))
        for side in (left, right):
            np.add.at(met, side[rated], per_row[rated] / self.orders)
        return met.T

    @property
    def _orders_at_once(self) -> int:
        return block_size(self.parts.left.size * self.shares.size, self.orders)

    def _inside(self, block: int) -> Floats:
        """Votes [3, R, o · S], for the o orders of a block."""
        first, size = block * self._orders_at_once, self._orders_at_once
        orders = range(first, min(first + size, self.orders))
        let_in = np.concatenate([self._let_in(order) for order in orders], axis=-1)
        inside: Floats = self.parts.sums[KEPT][..., None] + let_in
        return inside

    def _let_in(self, order: int) -> Floats:
        """Votes [3, R, S] on the prompts that are in at each share of an order."""
        n = self.groups.shape[0]
        place = np.random.default_rng([self.seed, order]).permutation(n)
        steps, at = np.unique(self.number, return_inverse=True)
        # A prompt comes in at the first share that lets more in than stand before it.
        step = np.searchsorted(steps, place, side="right")
        some = np.flatnonzero(step < steps.size)
        coming = csr_array((np.ones(some.size), (step[some], some)), shape=(steps.size, n))
        sums: Floats = (coming @ self.groups).toarray().cumsum(axis=0)[at]
        return sums.T.reshape(3, -1, self.shares.size)

    def _tables(self, make: Callable[[int], Floats]) -> Tables:
        """Tables over the pairs of the fit from votes [3, R, n] over those of the parts."""
        task = problem(self.fit.counts, self.fit.rule)
        cells = self.parts.cells(self.fit.models, task.left, task.right)

        def table(block: int) -> Floats:
            of_pairs: Floats = np.stack([cells @ kind for kind in make(block)])
            if not self.fit.rule.counts_ties:
                of_pairs[2] = 0.0
            return of_pairs

        n = self.orders * self.shares.size
        return Tables(n, self._orders_at_once * self.shares.size, table)
