"""The population model: up to a million peers as arrays, epoch by epoch, where a world of real nodes ends at 10⁴.

What a node decides one task at a time is decided here for many at once: whom to ask, how much to audit, what to
remember, whom to trust. The figures come from ``trust`` itself: s(k) and its chance to miss, opinions, weights of local
trust, reputation, the Sybil bound.

What it leaves out, because it moves no figure here or because it is what the worlds of nodes are for:

- *time*: no messages, latency, losses or churn. All tasks of a batch are asked at once, and a proof is known to all
  before the next batch (``Population.batches``); a look-up or an answer never fails.
- *load*: nodes offer for every task they hear of, and an offer holds one of four places for strangers for two minutes.
  Where more is asked than that leaves room for, acquaintances decline and newcomers are asked instead: among 100 nodes
  bad picks were .10 at 200 tasks an hour, .06 at 40 an hour as here. ``Population.free`` stands for it, if set.
- *hearsay in picking*: opinions rest on own outcomes. Of a million peers two askers hardly know one in common, so that
  others' word adds nothing to the opinion of whom one has met; and offers of who was met push out all others
  (core/offers.py). Statements do make the trust graph, which reputation is reckoned on.
- *the two clocks of fading*: counts fade by the slower of days and tasks, one factor for all (trust/evidence.py).
- *memory*: an asker remembers the ``Population.acquaintances`` peers that it thinks best of.
- models, benchmarks and classes: an answer is right or a lie on ⌈Δn⌉ samples; honest peers do not err.
- what was accepted stays: a convicted peer's last 200 results are not looked at again.

It is held against ``sim.tables.checking_world`` and against worlds of 100 and 1000 nodes: tests/sim/test_population_*.
What only large populations show: all of them re-run a sample of each proven liar's, which in a world of 1000 nodes was
a third of all executions already. A node's own share of that is the proofs of its benchmark alone.
"""
