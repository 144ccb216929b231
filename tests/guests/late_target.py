"""A target that answers everybody alike, on loopback at port 9091."""

import http.server


class Handler(http.server.BaseHTTPRequestHandler):
    """One JSON object for each question."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"enable_sriov": true}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


http.server.ThreadingHTTPServer(("127.0.0.1", 9091), Handler).serve_forever()
