"""What-if: what a board would be, had models seen more or fewer of the prompts.

From counts alone, so from any board: `inject`, `break_even`, `power`, `best_of_n`, `retire`.
From battles, and what is known of their prompts: `remove`, `estimate`, `dose`.
From either: `influence`.
"""

from arena.board_variants import best_of_n_on_board
from arena.detection import detection_power as power
from arena.dosing import dose
from arena.exposure import expose
from arena.injection import inject
from arena.lead import break_even
from arena.removal import remove_seen as remove
from arena.retirement import retire_early as retire
from arena.uplift import estimate_uplift as estimate
from arena.variants import best_of_n
from arena.vote_influence import fewest_votes as influence

__all__ = [
    "best_of_n",
    "best_of_n_on_board",
    "break_even",
    "dose",
    "estimate",
    "expose",
    "influence",
    "inject",
    "power",
    "remove",
    "retire",
]
