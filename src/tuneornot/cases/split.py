"""Division of cases into parts: seeded, whole blocks, each slice in proportion.

A block is what must not be torn apart: cases that ask the same question and, where asked for,
cases of one group. The order in which blocks are dealt out depends on the seed and on what the
cases say, never on the order of rows, so that a file that was sorted anew is split as before.

It knows counts and blocks only: what the parts are for is ``dataset``'s business, and near
repeats in two parts are found by ``overlap``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from tuneornot import fingerprint
from tuneornot.cases.likeness import normalised
from tuneornot.records import Case

Block = tuple[Case, ...]


def blocks(cases: Sequence[Case], *, by_group: bool) -> list[Block]:
    """Cases that must stay together, each block and the blocks in an order of their content."""
    parent = list(range(len(cases)))

    def root(position: int) -> int:
        while parent[position] != position:
            parent[position] = parent[parent[position]]
            position = parent[position]
        return position

    first: dict[object, int] = {}
    for position, case in enumerate(cases):
        ties: list[object] = [("asks", normalised(case.text), normalised(case.context or ""))]
        if by_group and case.group is not None:
            ties.append(("group", case.group))
        for tie in ties:
            parent[root(position)] = root(first.setdefault(tie, position))
    members: dict[int, list[Case]] = defaultdict(list)
    for position, case in enumerate(cases):
        members[root(position)].append(case)
    sorted_members = [tuple(sorted(block, key=_content)) for block in members.values()]
    return sorted(sorted_members, key=lambda block: _content(block[0]))


def order(parts: Sequence[Block], seed: int) -> list[Block]:
    """The blocks in the order in which they are dealt out.

    Within a slice the order is a seeded hash's. The slices are then laid over each other evenly:
    the i-th of a slice's n blocks stands at (i + u) / n, where u is the slice's own seeded number
    in [0, 1), so every stretch of the order holds each slice in proportion, and a slice with one
    block is as likely to stand in one place as in another.
    """
    slices: dict[str, list[tuple[str, Block]]] = defaultdict(list)
    for block in parts:
        drawn = fingerprint.of([seed, [_content(case) for case in block]])
        slices[block[0].slice or ""].append((drawn, block))
    placed: list[tuple[float, str, Block]] = []
    for name, drawn_blocks in slices.items():
        offset = int(fingerprint.of([seed, "slice", name])[:12], 16) / 16**12
        n = len(drawn_blocks)
        for position, (drawn, block) in enumerate(sorted(drawn_blocks, key=lambda item: item[0])):
            placed.append(((position + offset) / n, drawn, block))
    return [block for _, _, block in sorted(placed, key=lambda item: item[:2])]


def take(dealt: Sequence[Block], size: int) -> tuple[list[Block], list[Block]]:
    """Blocks that together hold as nearly ``size`` cases as taking them in order allows.

    A block that is too large for what is still missing is passed over; if a gap remains, the
    smallest of those is taken where that brings the count nearer.

    Returns:
        The blocks taken, and the rest, both in the given order.
    """
    taken: set[int] = set()
    missing = size
    for position, block in enumerate(dealt):
        if len(block) <= missing:
            taken.add(position)
            missing -= len(block)
    passed = [position for position in range(len(dealt)) if position not in taken]
    if missing and passed:
        smallest = min(passed, key=lambda position: len(dealt[position]))
        if len(dealt[smallest]) - missing < missing:
            taken.add(smallest)
    chosen = [block for position, block in enumerate(dealt) if position in taken]
    rest = [block for position, block in enumerate(dealt) if position not in taken]
    return chosen, rest


def _content(case: Case) -> tuple[str, str]:
    return (case.question, case.id)
