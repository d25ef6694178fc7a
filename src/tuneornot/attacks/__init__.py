"""What a red team asks: requests that should be declined, ways of putting them, and look-alikes.

    behaviours   what is asked for, by category, and how a success is seen
    techniques   the ways of putting one request
    foreign      suites that users have as files, of other tools too
    suite        both together as two frozen sets of cases
    plan         what a study writes under `redteam`

Each request of ours is one abstract sentence; no text here holds working instructions for harm.
Nothing is asked or judged here (`redteam` and `metrics.refusal` do).
"""
