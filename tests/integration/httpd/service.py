"""A small service as a process of its own: python service.py PORT LOG WORKERS TROUBLE.

TROUBLE is a file whose content says how the next start fails: "raise", "exit", or nothing.
"""

import os
import sys

from firstlight.httpd.process import master
from firstlight.httpd.process.channel import is_master

if __name__ == "__main__" and is_master(os.environ):
    sys.exit(master.run(os.environ))

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from firstlight.httpd.limits import Limits
from firstlight.httpd.listener import Listener
from firstlight.httpd.monitoring.access_log import AccessLog
from firstlight.httpd.process import generation
from firstlight.httpd.protocol.messages import Response
from firstlight.httpd.server import Server
from firstlight.httpd.sockets.listening import Tcp

port, log_path, workers, trouble = sys.argv[1:]


@contextmanager
def build(opened):
    if Path(trouble).read_text() == "raise":
        raise RuntimeError("a bad configuration")
    with AccessLog(log_path) as log, ThreadPoolExecutor(4) as threads:

        def answer(request):
            if request.target == "/slow":
                return threads.submit(lambda: time.sleep(0.5) or Response(200, b"slow"))
            if request.target == "/hang":
                time.sleep(3600)
            return Response(200, str(os.getpid()).encode())

        listener = Listener(opened["front"], answer, "front")
        yield Server([listener], observe=log.observer, limits=Limits(drain_idle=0.3))


if __name__ == "__main__":
    if Path(trouble).read_text() == "exit":
        sys.exit(3)
    sys.exit(generation.run(build, {"front": Tcp("127.0.0.1", int(port))}, workers=int(workers)))
