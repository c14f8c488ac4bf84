"""What may import what, and what only one module may do."""

import ast
from pathlib import Path

import pytest

import arena

PACKAGE = Path(arena.__file__).parent

ORDER = [
    "errors",
    "display",
    "showing",
    "prompt_texts",
    "alias",
    "world",
    "world_file",
    "training_texts",
    "compiling",
    "elo_kernel",
    "pair_kernel",
    "vote_kernel",
    "text_codes",
    "characters",
    "text_kernel",
    "text",
    "overlap_rules",
    "index_kernel",
    "ngram_table",
    "prompt_index",
    "overlap_kernel",
    "matches",
    "overlap",
    "near_kernel",
    "near_duplicates",
    "json_arrays",
    "sources",
    "corpora",
    "model_facts",
    "schema",
    "vote_setting",
    "vote_draws",
    "published_100k",
    "simulation",
    "raw_columns",
    "formats",
    "battles",
    "accounts",
    "counts",
    "combinations",
    "frame_counts",
    "dictionary_counts",
    "tally",
    "filters",
    "conditions",
    "prompt_match",
    "corpus_pass",
    "matching",
    "unseen_filter",
    "distributed",
    "exposure",
    "duplicates",
    "anomalous_judges",
    "judges",
    "clusters",
    "parts",
    "covariates",
    "design",
    "battle_order",
    "elo",
    "blas",
    "ties",
    "problem",
    "existence",
    "bradley_terry",
    "batch",
    "covariance",
    "ranks",
    "likelihood",
    "newton",
    "regression",
    "resample",
    "placebo",
    "uncertainty",
    "datasets",
    "leaderboard",
    "gains",
    "injection",
    "lead",
    "detection",
    "variants",
    "board_entry",
    "board_variants",
    "retirement",
    "board_pair",
    "comparison",
    "categories",
    "influence",
    "removal_search",
    "random_removal",
    "vote_influence",
    "removal",
    "dose_tables",
    "dosing",
    "winrates",
    "control",
    "uplift_design",
    "negative_control",
    "gain_fit",
    "uplift_rows",
    "uplift",
    "whatif",
    "heldout",
    "history",
    "prompt_survey",
    "report",
    "history_report",
    "tables",
    "palette",
    "plots",
    "plot_parts",
    "board_plots",
    "pair_plots",
    "comparison_plots",
    "time_plots",
    "heldout_plots",
    "match_plots",
    "supposition_plots",
    "detection_plots",
    "variant_plots",
    "exposure_plots",
    "pictures",
    "category_report",
    "comparison_report",
    "scenario_report",
    "uplift_report",
    "judge_report",
    "removal_report",
    "practice_report",
    "prompt_report",
    "outputs",
    "pipeline",
    "html_tables",
    "html_boards",
    "html_contamination",
    "html_suppositions",
    "html_data",
    "html_votes",
    "html_page",
    "options",
    "rating_options",
    "filter_options",
    "comparison_options",
    "prompt_options",
    "whatif_options",
    "exposure_options",
    "practice_options",
    "terminal",
    "notebooks",
    "giving",
    "steps",
    "rating_commands",
    "filter_commands",
    "prompt_commands",
    "report_commands",
    "simulate_commands",
    "exposure_commands",
    "practice_commands",
    "whatif_commands",
    "cli",
]
"""The modules of arena; each imports only from those before it."""

TREES = {path.stem: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.glob("*.py"))}
FRONT = TREES.pop("__init__")


def imports(tree: ast.Module) -> set[str]:
    """Every module named in an import, wherever it stands: in functions and TYPE_CHECKING too."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module == "arena":
            found |= {f"arena.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add(node.module or ".")
    return found


def assigned(name: str) -> object:
    """The literal that `arena/__init__.py` assigns to a name."""
    for node in FRONT.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == name:
            return ast.literal_eval(node.value)
    raise AssertionError(f"arena/__init__.py assigns no {name}")


def test_every_module_has_one_place_in_the_order():
    """A new module is put into ORDER, and a removed one is taken out."""
    assert sorted(ORDER) == sorted(TREES)
    assert "utils" not in TREES


@pytest.mark.parametrize("module", ORDER)
def test_imports_point_one_way(module):
    """A module imports only from modules before it, also inside its functions."""
    before = {f"arena.{name}" for name in ORDER[: ORDER.index(module)]}

    own = {name for name in imports(TREES[module]) if name.split(".")[0] == "arena"}

    assert own <= before


def running(tree: ast.Module) -> ast.Module:
    """A module without what only type checkers import."""
    checked = ("TYPE_CHECKING", "typing.TYPE_CHECKING")
    body = [
        node
        for node in tree.body
        if not (isinstance(node, ast.If) and ast.unparse(node.test) in checked)
    ]
    return ast.Module(body, [])


def test_only_plots_imports_matplotlib():
    """One module knows how pictures look; the others draw with it, and import types alone."""
    users = {
        module
        for module, tree in TREES.items()
        if any(name.split(".")[0] == "matplotlib" for name in imports(running(tree)))
    }

    assert users == {"plots"}


def test_pictures_are_imported_when_they_are_drawn():
    """Whoever draws nothing never waits for matplotlib."""
    drawing = {f"arena.{name}" for name in TREES if name == "plots" or name.endswith("_plots")}
    drawing.add("arena.plot_parts")

    waiting = {
        module
        for module, tree in TREES.items()
        if f"arena.{module}" not in drawing
        for node in running(tree).body
        if isinstance(node, ast.Import | ast.ImportFrom)
        and imports(ast.Module([node], [])) & drawing
    }

    assert waiting == set()


def test_only_one_module_looks_others_up_by_name():
    """No import hides from the order, but for results that show themselves."""
    users = {module for module, tree in TREES.items() if "importlib" in imports(tree)}

    assert users == {"showing"}


def test_only_the_command_line_prints():
    """A library call leaves the terminal alone."""
    writers = {
        module
        for module, tree in TREES.items()
        for node in ast.walk(tree)
        if (isinstance(node, ast.Name) and node.id == "print")
        or (isinstance(node, ast.Attribute) and node.attr in ("echo", "secho", "stdout", "stderr"))
    }

    assert writers == {"cli", "terminal"}


def test_public_names_agree():
    """The names exported, the homes they are loaded from, and what type checkers see are one."""
    checked = {
        alias.name: str(node.module).removeprefix("arena.")
        for node in ast.walk(FRONT)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("arena.")
        for alias in node.names
    }

    homes = assigned("_HOME")

    assert homes == checked
    assert assigned("__all__") == sorted(homes)


@pytest.mark.parametrize("name", arena.__all__)
def test_public_name_is_what_its_home_defines(name):
    """A name imported from arena is the object of its module, loaded when first used."""
    home = assigned("_HOME")[name]

    found = getattr(arena, name)

    assert found.__module__ == f"arena.{home}"


def test_importing_arena_imports_nothing_else():
    """`__init__` holds names only: what it imports while running is importlib and typing."""
    at_run_time = {
        name
        for node in FRONT.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in imports(ast.Module([node], []))
    }

    assert at_run_time == {"importlib", "typing"}
