"""One HTTP server that answers what it is told to for each path: an OpenStack API for a test."""

import json
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class StandIn:
    """`answers` by path, without the query; anything else is 404. `asked` counts them."""

    def __init__(self, url: str, answers: Mapping[str, Any]) -> None:
        self.url = url
        self.answers = dict(answers)
        self.asked: Counter[str] = Counter()


@contextmanager
def stand_in(answers: Mapping[str, Any]) -> Iterator[StandIn]:
    """Serve them on loopback until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            cloud.asked[path] += 1
            found = cloud.answers.get(path)
            body = json.dumps(found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_words: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    cloud = StandIn(f"http://127.0.0.1:{server.server_port}", answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield cloud
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
