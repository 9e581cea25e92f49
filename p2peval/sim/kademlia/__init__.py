"""A Kademlia DHT at message level: what a node's discovery meets, without sockets.

``table`` and ``settled`` are whom a host knows; ``way`` and ``disjoint`` how it comes near a key; ``providers`` how it
announces and finds a key, as ``net.discovery`` does; ``network`` joins them; ``liars`` are who answer falsely.
Papers: Maymounkov & Mazières 2002; Baumgart & Mies 2007. Model: py-libp2p 0.8.1.
"""
