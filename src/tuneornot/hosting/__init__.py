"""Training that is ordered from a host by its job API: a file goes there, a model comes back.

    plan      what a study writes under an arm's `hosted`
    file      the training file, from cases
    hosts     what the hosts' APIs have in common, and where they differ; no network
    line      one request at a time to one host
    order     order once, follow to the end, cancel

It trains nothing itself, knows no store (what is to be kept is handed to a function), and does not
know whether the model is any good.
"""

from __future__ import annotations

from tuneornot.hosting.order import Desk
from tuneornot.hosting.plan import HostedPlan

__all__ = ["Desk", "HostedPlan"]
