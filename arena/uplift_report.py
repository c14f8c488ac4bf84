"""An estimated gain as a table: beside its negative control, with what it does not prove."""

from dataclasses import asdict

import polars as pl

from arena.display import amount, listing
from arena.pictures import uplift_pictures
from arena.tables import Sheet
from arena.uplift import Uplift
from arena.uplift_rows import ALL, CONTROL, MODEL, Estimate

SURE = 0.05
"""Below this probability a difference is said to be more than chance."""
FEW_CLUSTERS = 40
"""With fewer clusters of equal size, intervals by cluster are known to be too short."""


def uplift_sheet(told: Uplift) -> Sheet:
    """The gain, the control beside it, and what both say; all unexposed models in the frame."""
    shown = told.frame.filter(pl.col("group").is_in([ALL, MODEL, CONTROL]))
    rows = list(shown.iter_rows(named=True))
    summary = pl.DataFrame(
        {
            "model": [row["model"] for row in rows],
            "uplift": [_signed(row["uplift"]) for row in rows],
            f"{told.options['level'] * 100:g}% interval": [
                _between(row["uplift_lower"], row["uplift_upper"]) for row in rows
            ],
            "std_error": [_plain(row["std_error"]) for row in rows],
            "p": [_probability(row["p_value"]).removeprefix("= ") for row in rows],
            "battles": [round(row["battles"]) for row in rows],
            "seen": [round(row["seen"]) for row in rows],
            "share": [f"{row['share']:.1%}" for row in rows],
        }
    )
    if shown["note"].is_not_null().any():
        summary = summary.with_columns(note=shown["note"])
    return Sheet(
        "uplift",
        _title(told),
        told.frame,
        summary,
        lines(told),
        manifest(told),
        pictures=uplift_pictures(told),
    )


def clean_board_sheet(told: Uplift) -> Sheet:
    """The board with the gain taken out, beside the one with it."""
    exposed = told.exposure.select("model", "share")
    columns = ("model", "rank", "rating", "rating_lower", "rating_upper", "std_error")
    frame = (
        told.board.frame.select(columns)
        .join(told.changes, on="model", how="left", maintain_order="left")
        .join(exposed, on="model", how="left", maintain_order="left")
        .select(
            "rank",
            "model",
            "rating",
            "rating_lower",
            "rating_upper",
            "std_error",
            rank_with="rank_plain",
            rating_with="rating_plain",
            moved=pl.col("rating") - pl.col("rating_plain"),
            share="share",
        )
    )
    rows = list(frame.iter_rows(named=True))
    summary = pl.DataFrame(
        {
            "rank": frame["rank"],
            "model": frame["model"],
            "rating": frame["rating"],
            f"{told.options['level'] * 100:g}% interval": [
                _range(row["rating_lower"], row["rating_upper"]) for row in rows
            ],
            "with the gain": [_with_gain(row) for row in rows],
            "moved": [_signed(row["moved"]) for row in rows],
            "had seen": [f"{row['share']:.1%}" if row["share"] else "" for row in rows],
        }
    )
    title = (
        f"Ratings without the gain on seen prompts; {amount(told.n_battles, 'vote')}, intervals "
        f"{_by(told)}"
    )
    under = [
        "with the gain: rank, places lost to it or won by taking it out, and rating of all votes "
        "with no gain in the model.",
    ]
    return Sheet("ratings", title, frame, summary, under, manifest(told))


def _title(told: Uplift) -> str:
    gain = "A gain of each model" if told.options["per_model"] else "One gain for all models"
    controls = told.options["controls"]
    held = f"; held equal: {', '.join(controls)}" if controls else ""
    return (
        f"{gain} that had seen prompts, in rating points: {amount(told.n_battles, 'vote')}, "
        f"intervals {_by(told)}{held}"
    )


def _by(told: Uplift) -> str:
    cluster = told.options["cluster"]
    return f"by {cluster}" if cluster else "by vote"


def lines(told: Uplift) -> list[str]:
    """What the estimate says, and what it does not."""
    said = [_of_estimate(told), *_of_control(told)]
    if told.clusters is not None and told.clusters[1] < FEW_CLUSTERS:
        n, even = told.clusters
        said.append(
            f"The battles that tell of the gain are in {amount(n, 'cluster')} by "
            f"{told.options['cluster']}, which count as {even:.0f} of equal size: with so few, "
            "the interval is too short."
        )
    for left_out, why in (
        (told.n_unknown, "of which it is not known who had seen the prompt"),
        (told.n_missing, "that lack a control or a cluster"),
    ):
        if left_out:
            said.append(f"Left out: {amount(left_out, 'vote')} {why}.")
    said.append(
        "This is an association. It does not prove that training on the prompts made the "
        "difference: they may be of a kind that these models are good at anyway, and whoever "
        "trained on them may have trained on more of that kind."
    )
    if told.kinds:
        said.append(
            f"{listing(told.kinds)}: held equal by an advantage of the exposed models for each "
            "value; where the unexposed models are taken one by one, it is not."
        )
    return said


def _of_estimate(told: Uplift) -> str:
    estimate = told.estimate
    exposed = told.exposure.filter(pl.col("seen") > 0)["model"]
    found = (
        f"{', '.join(exposed)}: {_signed(estimate.uplift)} points "
        f"({_between(estimate.lower, estimate.upper)}) on prompts seen, against models that had "
        "not seen them"
    )
    if estimate.p_value < SURE:
        return f"{found}; p {_probability(estimate.p_value)} if there were no gain."
    return f"{found}; p {_probability(estimate.p_value)}, so there may be no gain at all."


def _of_control(told: Uplift) -> list[str]:
    """The negative control in sentences, or why there is none."""
    if told.control is None:
        return [
            f"No negative control: {told.no_control}. Without one, nothing says how much models "
            "differ on these prompts anyway."
        ]
    control, level = told.control, told.options["level"]
    inside = control.lower <= 0.0 <= control.upper
    verdict = "as it should be" if inside else "which it should not be: be wary of the estimate"
    said = [
        f"Control: as if {_how_chosen(told)} of the models that had seen nothing had seen them, "
        f"{_signed(control.uplift)} ({_between(control.lower, control.upper)}); "
        f"{'near' if inside else 'not near'} zero, {verdict}."
    ]
    against, tested = told.against_spread, told.homogeneity
    if against is None or tested is None or told.tau is None:
        few = "Too few unexposed models, or clusters, to say how much they differ on these prompts."
        return [*said, few]
    chi_square, freedom, p_value = tested
    differ = "more than chance would have it" if p_value < SURE else "as chance would have it"
    said.append(
        f"One by one, the {freedom + 1} unexposed models differ on the seen prompts {differ} "
        f"(chi-square {chi_square:.1f}, {freedom} degrees of freedom, p "
        f"{_probability(p_value)}); the best guess of what lies beyond chance is a standard "
        f"deviation of {told.tau:.1f} points."
    )
    left = "still stands out" if against.p_value < SURE else "does not stand out"
    said.append(
        f"Against models that differ so much anyway, the gain {left}: {level * 100:g}% interval "
        f"{_between(against.lower, against.upper)}, p {_probability(against.p_value)}."
    )
    return said


def _how_chosen(told: Uplift) -> str:
    if told.options["pseudo_exposed"] is None:
        return f"{len(told.pseudo)} at random"
    return listing(told.pseudo)


def manifest(told: Uplift) -> dict[str, object]:
    """What is needed to make the estimate again, and its figures."""
    return {
        "inputs": [reading.described() for reading in told.tally.readings],
        "filters": told.tally.funnel.to_dicts(),
        "options": dict(told.options),
        "estimate": _figures(told.estimate),
        "control": _figures(told.control) or told.no_control,
        "pseudo_exposed": list(told.pseudo),
        "against_spread": _figures(told.against_spread),
        "tau": told.tau,
        "homogeneity": None if told.homogeneity is None else list(told.homogeneity),
        "exposure": told.exposure.filter(pl.col("seen") > 0).to_dicts(),
        "coefficients": []
        if told.board.coefficients is None
        else told.board.coefficients.to_dicts(),
    }


def _figures(estimate: Estimate | None) -> dict[str, float] | None:
    return None if estimate is None else asdict(estimate)


def _with_gain(row: dict[str, float | int | None]) -> str:
    """Rank, places moved by taking the gain out, and rating with the gain."""
    if row["rank_with"] is None or row["rank"] is None:
        return ""
    places = int(row["rank_with"]) - int(row["rank"])
    moved = f"{places:+d}" if places else ""
    return f"{row['rank_with']:3d} {moved:>4} {row['rating_with']:8,.1f}"


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+.1f}"


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.1f}"


def _between(lower: float | None, upper: float | None) -> str:
    return "" if lower is None or upper is None else f"{lower:+.1f} to {upper:+.1f}"


def _range(lower: float | None, upper: float | None) -> str:
    return "" if lower is None or upper is None else f"{lower:,.1f} to {upper:,.1f}"


def _probability(p: float | None) -> str:
    """A probability, as far as normal intervals can tell it."""
    if p is None:
        return ""
    return f"= {p:.3f}" if p >= 0.001 else "< 0.001"
