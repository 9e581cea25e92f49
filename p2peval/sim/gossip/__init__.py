"""Gossipsub v1.1 at message level: who forwards what to whom and when, for ten thousand hosts in one process.

``Mesh`` is what a world uses; ``params`` says how its routers behave (ours, the paper's, the old protocol's);
``Conduct`` is what an adversarial host does instead. Hosts, topics and messages are ints. Sources: the gossipsub
v1.0 and v1.1 specifications; where py-libp2p, which our node runs on, does otherwise, ``params.OURS`` follows it.
"""
