"""An agent of somebody else's behind our proxy, when it is away."""

from firstlight.relay.contract import Origin, Via
from firstlight.relay.proxy.handler import ExternalAgent
from firstlight.relay.upstream.address import UnixUpstream
from firstlight.relay.upstream.balancer import Balancer
from firstlight.relay.upstream.client import UpstreamClient
from support.relay.agent_thread import NETWORK, ask
from support.servers.http_server import Serving


def test_away_is_news_once(tmp_path, caplog):
    """Each guest is answered 503; that the agent is away is logged once in a minute, not for each
    request."""
    now = [0.0]
    upstream = UpstreamClient(
        UnixUpstream(str(tmp_path / "nobody")), connections=4, connect_timeout=2.0, max_body=1000
    )
    agent = ExternalAgent(Balancer([upstream]), 5.0, lambda: now[0])

    def said():
        return [
            record for record in caplog.records if record.name == "firstlight.relay.proxy.handler"
        ]

    with Serving(agent.handle, stands_for=Origin(Via.NETWORK, NETWORK)) as serving:
        assert [ask(serving).status for _ in range(20)] == [503] * 20
        assert len(said()) == 1
        now[0] = 61.0
        assert ask(serving).status == 503
        assert len(said()) == 2
