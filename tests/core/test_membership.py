"""What members and strangers may make a node keep and do."""

from __future__ import annotations

from small_world import World

from p2peval.core.effects import Learn
from p2peval.core.events import MessageReceived
from p2peval.core.messages import BenchmarkAnnouncement
from p2peval.core.types import BenchmarkId
from p2peval.defaults import MAX_NAMES, NETWORK_ID
from p2peval.wire.ids import cid_of


def test_one_author_cannot_fill_the_directory_with_names() -> None:
    world = World(2)
    reader, author = world.all
    for number in range(MAX_NAMES + 5):
        spec = BenchmarkId(cid_of(b"%d" % number))
        said = BenchmarkAnnouncement(NETWORK_ID, author.id, f"name-{number}", "", spec, int(world.now * 1000))
        reader.handle(MessageReceived(author.sealer.seal(said), author.id))
    assert len(reader.node.state.names) == MAX_NAMES
    assert reader.refusals == ["too_many_names"] * 5


def test_a_node_dials_of_its_own_accord_only_whom_it_shares_a_benchmark_with() -> None:
    world = World(3)
    author, member, stranger = world.all
    benchmark = world.publish(author)
    world.everybody_joins(benchmark, author)
    learned = {e.peer: e.meet for e in member.node.resume(world.now) if isinstance(e, Learn)}
    assert learned == {author.id: True, stranger.id: True}
    alone = World(2)
    learned = {e.peer: e.meet for e in alone.all[0].node.resume(alone.now) if isinstance(e, Learn)}
    assert learned == {alone.all[1].id: False}
