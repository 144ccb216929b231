"""Several services that read the same instance at the same time."""

import json
import subprocess
import sys

# Reads one instance at the word, as a second service would.
READER = """
import sys
from firstlight import conf
from firstlight.sources.nova import open_nova
source = open_nova(conf.load("metadata", [sys.argv[1]]))
source.prepare()
print("ready", flush=True)
sys.stdin.readline()
ids = source.instance(sys.argv[2]).ec2_ids
print([ids.instance, ids.image, ids.kernel, ids.ramdisk])
"""


def read_at_once(nova_conf, uuid, *, processes):
    """What each of several processes shows as the EC2 ids, asked at the same time."""
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", READER, nova_conf, uuid],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(processes)
    ]
    try:
        for reader in readers:
            assert reader.stdout.readline() == "ready\n"
        for reader in readers:
            reader.stdin.write("\n")
            reader.stdin.flush()
        return [tuple(json.loads(reader.communicate(timeout=60)[0])) for reader in readers]
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()
