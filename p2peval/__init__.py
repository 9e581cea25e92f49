"""p2peval: a peer-to-peer network that evaluates machine-learning models and checks its own results.

The module map, lowest first. A room imports only rooms above it in this list, except that evaluation,
store and net do not know each other; import-linter holds this (``make check``).

    defaults      every default: its value, its unit, its source
    errors        every exception we raise on purpose
    config        config.toml, environment and flags -> settings; paths: where files lie
    trust/        PURE: evidence about peers, and whom to believe
    core/         PURE: what the network decides; one state machine, events in and effects out
    wire/         objects to bytes and back; signatures over the exact bytes; nonces; a node's record
    evaluation/   one evaluation, from blobs to outputs and metrics, in a child process
    store/        what survives a restart: tables, outbox, blobs, the key
    net/          py-libp2p behind one Network interface
    interop/      results in formats that others have defined; pure
    daemon/       the shell: performs effects, feeds events, serves the local API
    sim/          the lab: worlds in which the rules of trust play; knows neither net, store nor daemon
    cli/          one file per noun; talks to the daemon through its API

The path of one result: bytes -> wire -> ``core.node.Node.handle(event, now)`` -> effects -> the daemon
performs them, by way of net, store and evaluation.
"""

__version__ = "0.1.0"
