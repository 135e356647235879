"""Every link of the graph is drawn exactly once, every public name is shown, and nothing that is not in the graph."""

from collections import Counter
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ops.diagram.picture import EDGE, HOST, INTERNET, MANY, OPERATORS, VISITORS, Picture, pictures
from ops.recorded import Stack
from tests.ops.diagram.stacks import node, stack, watched

NAMES = st.sampled_from([f"s{index}" for index in range(9)])
LINKS = st.sets(st.tuples(NAMES, NAMES).filter(lambda pair: pair[0] != pair[1]), min_size=1, max_size=30)


def _links(drawn: tuple[Picture, ...]) -> Counter[tuple[str, str]]:
    return Counter((a.client, a.server) for picture in drawn for a in picture.arrows if a.way == "link")


def _declared(found: Stack) -> Counter[tuple[str, str]]:
    return Counter((network.client, network.server) for network in found.networks if network.client)


@given(LINKS)
def test_every_link_is_drawn_exactly_once(links: set[tuple[str, str]]) -> None:
    found = stack(sorted(links))
    assert _links(pictures(found)) == _declared(found)


def test_a_link_that_is_left_out_would_be_seen() -> None:
    found = stack([("api", "postgres"), ("worker", "postgres")])
    drawn = pictures(found)[0]
    short = replace(drawn, arrows=tuple(arrow for arrow in drawn.arrows if arrow.client != "worker"))
    assert _links((short,)) != _declared(found)


def test_every_container_has_one_box_and_no_box_is_made_up() -> None:
    found = stack([("api", "postgres")])
    (drawn,) = pictures(found)
    ids = [box.id for box in drawn.boxes]
    assert sorted(ids) == sorted([*found.nodes, VISITORS, OPERATORS, EDGE, HOST, INTERNET, "ssh://127.0.0.1:22"])


def test_every_public_name_stands_in_the_box_that_serves_it() -> None:
    boxes = {box.id: box for box in pictures(stack([("api", "postgres")]))[0].boxes}
    assert (boxes["api"].public, boxes["api"].admin) == (("api.example.org/v2",), ("admin.example.org",))
    assert boxes["ssh://127.0.0.1:22"].admin == ("ssh.example.org",)
    assert [name for name, box in boxes.items() if box.public or box.admin] == ["api", "ssh://127.0.0.1:22"]


def test_requests_come_through_the_tunnels_and_nowhere_else() -> None:
    (drawn,) = pictures(stack([("api", "postgres")]))
    inside = {box.id for box in drawn.boxes if box.inside}
    assert [a for a in drawn.arrows if a.server in inside and a.client not in inside] == []
    assert {a.client for a in drawn.arrows if a.way == "tunnel"} == {"cloudflared", HOST}
    assert [(a.client, a.server) for a in drawn.arrows if a.way == "request" and a.client == "cloudflared"] == [
        ("cloudflared", "gateway")
    ]


def test_who_is_on_the_network_that_leads_out_has_an_arrow_to_the_internet() -> None:
    (drawn,) = pictures(stack())
    assert [(a.client, a.server) for a in drawn.arrows if a.way == "out"] == [("resolver", INTERNET)]


def test_whoever_watches_many_has_a_picture_of_its_own_and_the_main_one_says_so() -> None:
    main, apart = pictures(watched(MANY))
    assert apart.concern == "monitoring"
    assert {arrow.client for arrow in apart.arrows} == {"prometheus"}
    assert "prometheus" not in {box.id for box in main.boxes}
    assert main.notes == (f"monitoring: {MANY + 1} links, in a picture of its own",)
    assert _links((main, apart)) == _declared(watched(MANY))


def test_whoever_watches_few_stays_in_the_main_picture() -> None:
    (main,) = pictures(watched(MANY - 2))
    assert "prometheus" in {box.id for box in main.boxes}


def test_a_service_that_reaches_many_stays_in_the_main_picture() -> None:
    (main,) = pictures(stack([("api", f"s{index}") for index in range(MANY + 1)]))
    assert len(_links((main,))) == MANY + 1


def test_without_a_tunnel_there_is_no_edge_and_nobody_outside() -> None:
    found = stack([("api", "postgres")])
    nodes = {name: each for name, each in found.nodes.items() if name != "cloudflared"}
    networks = tuple(
        replace(network, members=tuple(member for member in network.members if member != "cloudflared"))
        for network in found.networks
    )
    (drawn,) = pictures(replace(found, nodes=nodes, networks=networks, entrances=(), server=""))
    assert {box.kind for box in drawn.boxes} == {"way-in", "own", "service", "internet"}
    assert drawn.frame == "this machine's Docker Engine"


def test_what_a_service_may_call_and_that_it_keeps_data_is_shown() -> None:
    caller = replace(node("worker"), calls=("hooks.example.net",), data=("x-worker-data",))
    boxes = {box.id: box for box in pictures(stack([("worker", "queue")], more=[caller]))[0].boxes}
    assert (boxes["worker"].kind, boxes["worker"].lines) == ("data", ("may call hooks.example.net",))


def test_the_description_says_every_arrow() -> None:
    assert "api to postgres" in pictures(stack([("api", "postgres")]))[0].description
