"""The command `forewarn simulate`: what was asked for becomes a world, and what came of it a table."""

from pathlib import Path
from typing import Any

from rich.progress import Progress
from rich.table import Table

from config.settings import Settings
from connectors.simulator.parameters import Figures, load
from connectors.simulator.simulate import SimulationError, chosen_shocks, simulate
from connectors.simulator.world import world_of
from pipeline.shells.show import console
from pipeline.shells.texts import TEXTS, Language, counted

MOST_MONTHS = 60
MOST_SEED = 2**63 - 1


def run(
    out: Path,
    settings: Settings,
    progress: Progress,
    *,
    asked: dict[str, int],
    shocks: str | None,
    faults: float,
    firms: float | None = None,
) -> dict[str, Any]:
    """Simulate a portfolio; SimulationError with one sentence where that cannot begin."""
    for name, least, most in (("borrowers", 1, 9_999_999), ("months", 1, MOST_MONTHS), ("seed", 0, MOST_SEED)):
        if not least <= asked[name] <= most:
            raise SimulationError(f"--{name}: expected a whole number from {least} to {most}, got {asked[name]}")
    if not 0 <= faults <= 10:
        raise SimulationError(f"--faults: expected a number from 0 to 10 (1: the rates of the file), got {faults:g}")
    world = world_of(
        _figures(firms), settings, seed=asked["seed"], months=asked["months"], shocks=chosen_shocks(shocks)
    )
    task = progress.add_task("simulate", total=asked["borrowers"])
    return simulate(
        world,
        borrowers=asked["borrowers"],
        months=asked["months"],
        rate=faults,
        out=out,
        advance=lambda done: progress.update(task, completed=done),
    )


def _figures(firms: float | None) -> Figures:
    """The figures of the file, with another share of firms where one was asked for."""
    figures = load()
    if firms is None:
        return figures
    if not 0 <= firms <= 1:
        raise SimulationError(f"--firms: expected a share from 0 (none) to 1 (all), got {firms:g}")
    return figures.model_copy(update={"portfolio": figures.portfolio.model_copy(update={"firms": firms})})


def show(manifest: dict[str, Any], out: Path, lang: Language) -> None:
    """What a portfolio came to."""
    texts, page = TEXTS[lang], console()
    events = counted(manifest["events"], "event", lang)
    page.print(
        texts["simulated"].format(
            events=events,
            borrowers=counted(manifest["borrowers"], "borrower", lang),
            first=manifest["first_day"],
            last=manifest["last_day"],
        )
    )
    table = Table(title=texts["events_by_topic"], title_justify="left")
    table.add_column(texts["topic"])
    table.add_column(texts["records"], justify="right")
    for topic, count in manifest["topics"].items():
        table.add_row(topic, f"{count:,}")
    page.print(table)
    page.print(_causes(manifest, lang))
    page.print(_rates(manifest, lang))
    if manifest["faults_made"]:
        page.print(
            texts["faults_made"].format(
                faults=texts["comma"].join(f"{name} {count:,}" for name, count in manifest["faults_made"].items())
            )
        )
    page.print(texts["written"].format(folder=out), markup=False, soft_wrap=True)


def _causes(manifest: dict[str, Any], lang: Language) -> Table:
    texts = TEXTS[lang]
    table = Table(title=texts["what_went_wrong"], title_justify="left")
    table.add_column(texts["cause"])
    table.add_column(texts["borrowers"], justify="right")
    table.add_column(texts["of_them_defaulted"], justify="right")
    shocks, defaults = manifest["shocks"], manifest["defaults"]
    for name in sorted(shocks.keys() | defaults.keys()):
        table.add_row(texts[f"cause_{name}"], f"{shocks.get(name, 0):,}", f"{defaults.get(name, 0):,}")
    table.add_section()
    for name, count in manifest["look_alikes"].items():
        table.add_row(texts["only_looks_like"].format(name=texts[f"cause_{name}"]), f"{count:,}", "")
    return table


def _rates(manifest: dict[str, Any], lang: Language) -> Table:
    texts = TEXTS[lang]
    table = Table(title=texts["rates"], title_justify="left")
    for column in ("metric", "value", "band"):
        table.add_column(texts[column], justify="left" if column == "metric" else "right")
    for name, (low, high) in manifest["expected"].items():
        value = manifest["realised"][name]
        form = "{:.1%}" if high <= 1 else "{:.1f}"
        said = "-" if value is None else form.format(value)
        table.add_row(texts[f"rate_{name}"], said, f"{form} - {form}".format(low, high))
    return table
