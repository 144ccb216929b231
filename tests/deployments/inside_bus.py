"""Run by the lab's Python: answers agents as Neutron's RPC server does, until it is killed.

Arguments are those of the agent, so that exchanges and queues are declared as its files say; what
another deployment left of them is deleted first. The port is in PORT, as JSON.
"""

import json
import os
import sys
import time

import oslo_messaging
from kombu import Connection
from oslo_config import cfg

PORT = json.loads(os.environ["PORT"])
TOPICS = ("q-plugin", "q-reports-plugin")


class Plugin:
    """What agents call."""

    target = oslo_messaging.Target(version="1.10")

    def get_ports(self, context, filters):
        """The port, if it is asked for by its network and address."""
        address = filters.get("fixed_ips", {}).get("ip_address", [None])[0]
        if PORT["ip_address"] == address and PORT["network_id"] in filters.get("network_id", ()):
            return [PORT]
        return []

    def report_state(self, context, **report):
        """Whatever it reports, it is alive."""
        return "alive"

    def has_alive_neutron_server(self, context, **report):
        """There is one."""
        return True


def main() -> None:
    """Serve both topics."""
    conf = cfg.CONF  # the queue manager takes a lock, whose folder is looked for there
    oslo_messaging.set_transport_defaults("neutron")
    conf(read(sys.argv[1:]), project="neutron", prog="neutron-metadata-agent")
    transport = oslo_messaging.get_rpc_transport(conf)
    forget(str(conf.transport_url))
    for topic in TOPICS:
        target = oslo_messaging.Target(topic=topic, server="controller")
        oslo_messaging.get_rpc_server(transport, target, [Plugin()], executor="threading").start()
    print("serving", flush=True)
    while True:
        time.sleep(3600)


def read(arguments):
    """The agent's own arguments, without the options of a log, in either form."""
    words = iter(arguments)
    return [
        each if "=" in each else f"{each}={next(words)}"
        for each in words
        if not (each.startswith("--log-file") and ("=" in each or next(words)))
    ]


def forget(url):
    """Exchanges and queues of the deployment before, which may have been declared otherwise."""
    with Connection(url.replace("rabbit://", "amqp://").partition("?")[0]) as connection:
        channel = connection.default_channel
        channel.exchange_delete("neutron")
        for topic in TOPICS:
            channel.exchange_delete(f"{topic}_fanout")
            for queue in (topic, f"{topic}.controller"):
                channel.queue_delete(queue)


main()
