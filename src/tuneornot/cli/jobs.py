"""``jobs``: trainings that were ordered from hosts, and what can be done about them."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console

from tuneornot.cli.progress import console
from tuneornot.cli.working import AsJson, ResultsPath, StudyPath, print_json, protocol
from tuneornot.errors import StudyError
from tuneornot.protocol import Protocol
from tuneornot.records import Order
from tuneornot.report import amounts

PANEL = "Measure"
OVER = ("done", "failed", "cancelled")


def add(app: typer.Typer) -> None:
    """Register the command."""
    app.command("jobs", rich_help_panel=PANEL)(jobs)


def jobs(
    path: StudyPath,
    results: ResultsPath = None,
    arm: Annotated[
        str | None, typer.Option("--arm", help="Only this arm of the study.", metavar="NAME")
    ] = None,
    cancel: Annotated[
        bool, typer.Option("--cancel", help="End the jobs that are not done, at their hosts.")
    ] = False,
    forget: Annotated[
        bool, typer.Option("--forget", help="Let failed and cancelled jobs be ordered again.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show the trainings that were ordered from hosts; orders nothing."""
    if cancel and forget:
        raise StudyError("jobs", ["found --cancel and --forget"], "Give one, then the other.")
    with protocol(path, results, quiet=True) as opened:
        known = _known(opened, arm)
        if cancel:
            known = [
                opened.elsewhere.hosted[one.arm].cancelled(one, opened.elsewhere.books)
                if one.state not in OVER
                else one
                for one in known
            ]
        elif forget:
            known = [
                opened.elsewhere.hosted[one.arm].forgotten(one, opened.elsewhere.books)
                if one.state in ("failed", "cancelled", "ordering")
                else one
                for one in known
            ]
    if as_json:
        print_json(known)
        return
    for one in known:
        Console(highlight=False).print(_told(one), markup=False, soft_wrap=True)
    if not known:
        console.print("No training was ordered from a host under this study as it stands now.")


def _known(opened: Protocol, arm: str | None) -> list[Order]:
    """The orders under the present plan."""
    found = []
    for name, hosted in opened.elsewhere.hosted.items():
        for seed in hosted.plan.seeds if arm in (None, name) else ():
            order = opened.store.order(hosted.key(seed))
            if order is not None:
                found.append(order)
    return found


def _told(order: Order) -> str:
    job = order.job or "no job yet"
    line = f"{order.arm}, seed {order.seed}: {order.state}, {job} at {order.host}"
    if order.served is not None:
        line += f", served as {order.served}"
    if order.n_tokens is not None:
        line += f", {order.n_tokens:,} tokens trained"
    if order.seconds:
        line += f", {amounts.duration(order.seconds)} waited"
    return line if order.error is None else f"{line}: {order.error}"
