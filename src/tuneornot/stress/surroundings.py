"""What stands around a question: text that has nothing to do with it, and other people's questions.

Where a case has a context, the text goes there, after it; else it goes before what the user says.
"""

from __future__ import annotations

import msgspec

from tuneornot.records import Case
from tuneornot.stress import wording
from tuneornot.stress.base import Material

MOST_NOTICES = 10
MOST_OTHERS = 5

NOTICES = (
    "The lift in the north wing will be out of service on Monday between eight and ten. Please "
    "use the stairs or the lift beside the canteen; deliveries are taken at the rear entrance.",
    "The canteen has changed its hours: warm meals are served from half past eleven to two. Trays"
    " go to the belt at the end of the hall, and cups have a shelf of their own.",
    "Parking permits for the coming year can be ordered from the front desk. Old permits stay "
    "valid for two weeks after the change, and bicycles need none.",
    "A fire drill takes place this month. When the bell rings, leave by the nearest staircase, "
    "walk to the meadow behind the building and wait there until your floor has been counted.",
    "The printers on the second floor take both sides of the paper by themselves now. Whoever "
    "needs one side only can say so in the window that opens before printing.",
    "Keys that were found are kept at the reception for a month. A green bag and a pair of gloves"
    " are still waiting for somebody to ask for them.",
    "Windows on the side of the street stay shut until the works on the road have ended. The air "
    "in the meeting rooms is changed four times an hour.",
    "The library has a new shelf for books that anybody may take home. Nobody writes a list; "
    "bring back what you have read, and leave what others may like.",
    "Meeting rooms are booked for an hour at most between nine and noon. Rooms that stay empty "
    "for a quarter of an hour are given to whoever comes next.",
    "Plants in the corridors are watered by a firm on Thursdays. Please give them nothing else; "
    "three palms have died of coffee.",
)


def longer(material: Material, strength: float) -> Case:
    """Notices of an office before the question: at full strength ten, in an order of their own."""
    order = list(NOTICES)
    material.rng.shuffle(order)
    taken = order[: max(1, round(strength * MOST_NOTICES))]
    return _surrounded(material.case, "\n\n".join(taken))


def distractors(material: Material, strength: float) -> Case:
    """Other cases of the same set, told to be none of this one's business; at full strength five.

    Where the cases have contexts, contexts of other cases; else what others asked, without answers.
    """
    case = material.case
    others = [each for each in material.others if _differs(each, case)]
    material.rng.shuffle(others)
    taken = others[: max(1, round(strength * MOST_OTHERS))]
    if not taken:
        return case
    if case.context is not None:
        return _surrounded(case, "\n\n".join(each.context or "" for each in taken))
    asked = "\n".join(f"> {line}" for each in taken for line in each.text.splitlines())
    return _surrounded(case, f"Others have asked, and were answered already:\n{asked}")


def _differs(other: Case, case: Case) -> bool:
    """Whether it can stand beside a case: another question, which does not hold the answer."""
    if other.question == case.question or (case.context is not None) != (other.context is not None):
        return False
    if case.context is not None:
        return other.context != case.context
    return not (isinstance(case.expected, str) and case.expected in other.text)


def _surrounded(case: Case, text: str) -> Case:
    if case.context is not None:
        return msgspec.structs.replace(case, context=f"{case.context}\n\n{text}")
    return wording.asking(case, f"{text}\n\n{wording.asked(case)}")
