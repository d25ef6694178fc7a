"""What the arms cost over the months: totals, break-even volume, what matters, the frontier.

measured   what every arm's answers cost, took and were worth, by case, and the error of the means
inputs     what the study states and what was measured, as draws of one simulation
totals     money over the months from the inputs, and the volume at which two arms cost the same
frontier   which arm leaves which behind
pace       latency's quantiles, and answers a second

No verdict rests on any of this: it stands beside the verdict. Ranges that the study states are its
own and are held to be uniform; what was measured carries the error of its mean.
"""

from tuneornot.economics.balance import of

__all__ = ["of"]
