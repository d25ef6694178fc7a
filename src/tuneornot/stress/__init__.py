"""The same cases asked in another way: what changes a text, and sets of changed cases.

    plan          what a study writes under `stress`
    base          what a perturbation is
    wording       which places of a text may be changed, and which a strength takes
    surface       typing errors, capitals, marks, words that say nothing
    register      casual English, another dialect
    order         fields in another order
    surroundings  text and other questions around it
    catalogue     the built-in perturbations by name
    own           a function of the study's own
    written       paraphrases and translations: what a writer is told, and what is kept of it
    sets          from eval cases and a plan to sets of changed cases

Nothing here knows arms, prompts or scores.
"""
