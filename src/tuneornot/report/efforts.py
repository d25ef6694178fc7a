"""Pictures of the effort: the prompt search's best so far, and the training's losses."""

from __future__ import annotations

from collections.abc import Sequence

from tuneornot.records import Adapter, Ledger, Scale
from tuneornot.report import amounts, drawing
from tuneornot.report.drawing import Figure, Row, Spec


def progress(ledger: Ledger, scale: Scale | None) -> Figure | None:
    """The leader's dev score against the calls that were spent."""
    if len(ledger.progress) < 2:
        return None
    unit = 100.0 if scale is not None and amounts.is_share(scale) else 1.0
    rows: list[Row] = [
        {"calls": step.n_calls, "best": unit * step.best} for step in ledger.progress
    ]
    name = amounts.title(ledger.metric)

    def build(width: int) -> Spec:
        mark = {
            "type": "line",
            "interpolate": "step-after",
            "color": drawing.BASELINE,
            "strokeWidth": 2.5,
            "point": {"color": drawing.BASELINE, "filled": True, "size": 40},
        }
        title = f"{name} on dev{', percent' if unit == 100 else ''}"
        encoding = {
            "x": drawing.quantity("calls", "Calls spent", ticks=5),
            "y": drawing.quantity("best", title, ticks=5),
        }
        return {**drawing.layer(rows, mark, encoding), "height": 200}

    first, last = ledger.progress[0], ledger.progress[-1]
    return drawing.draw(
        build,
        alt_text=(
            f"The best prompt so far went from {unit * first.best:.3g} after {first.n_calls} calls"
            f" to {unit * last.best:.3g} after {last.n_calls} calls."
        ),
        caption=(
            "Best prompt so far, on the dev cases it had answered; a curve that still climbs at"
            " the right end means that the search was stopped early."
        ),
    )


def curve(adapters: Sequence[Adapter]) -> Figure | None:
    """Training and dev loss by step, one pair of lines for each seed."""
    rows: list[Row] = []
    for adapter in adapters:
        for point in adapter.curve:
            for kind, loss in (("training", point.train_loss), ("dev", point.dev_loss)):
                if loss is not None:
                    rows.append(
                        {"seed": str(adapter.seed), "kind": kind, "step": point.step, "loss": loss}
                    )
    if len(rows) < 2:
        return None

    def build(width: int) -> Spec:
        encoding = {
            "x": drawing.quantity("step", "Step", ticks=6 if width > 500 else 4),
            "y": drawing.quantity("loss", "Loss, nats per answer token", ticks=5),
            "detail": {"field": "seed", "type": "nominal"},
            "color": drawing.colours(
                ("training", "dev"), (drawing.MUTED, drawing.CANDIDATE), "kind"
            ),
        }
        return {
            **drawing.layer(rows, {"type": "line", "strokeWidth": 2.2}, encoding),
            "height": 220,
        }

    ends = [
        f"seed {adapter.seed}: dev loss {point.dev_loss:.3g} at step {point.step}"
        for adapter in adapters
        for point in [point for point in adapter.curve if point.dev_loss is not None][-1:]
    ]
    return drawing.draw(
        build,
        alt_text=f"Training curves. {'; '.join(ends) or 'No dev loss was measured'}.",
        caption="Loss on the answers only; a dev curve that turns up: learnt by heart.",
    )
