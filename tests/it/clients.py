"""ARA's own clients in one long-lived process: a JSON request per line in, a JSON answer per line out.

    {"server": URL, "ara": [ARGUMENTS]}     the command line, called as its script calls it: {"status", "out", "err"}
    {"server": URL, "client": [CALLS]}      the class AraHttpClient; a call is [method, endpoint, parameters]: {"out", "err"}

With arguments it is the exporter of metrics instead: `clients.py prometheus --server URL ...`, on a port that it chooses
and writes to its standard output.
"""

import contextlib
import io
import json
import logging
import os
import sys
import traceback

os.environ.update(ARA_API_CLIENT="http", COLUMNS="160", TZ="UTC")

from ara.cli import prometheus  # noqa: E402
from ara.cli.base import AraCli  # noqa: E402
from ara.clients.http import AraHttpClient  # noqa: E402


def command(server, arguments):
    os.environ["ARA_API_SERVER"] = server
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = AraCli().run(arguments)
        except SystemExit as end:
            status = end.code
    # What cliff has set up stays behind, with the streams of this command.
    root = logging.getLogger("")
    for handler in list(root.handlers):
        root.removeHandler(handler)
    return {"status": status, "out": out.getvalue(), "err": err.getvalue()}


def calls(server, wanted):
    client = AraHttpClient(endpoint=server)
    out, err = [], io.StringIO()
    with contextlib.redirect_stderr(err):
        for method, endpoint, parameters in wanted:
            try:
                out.append(getattr(client, method)(endpoint, **parameters))
            except Exception as error:
                out.append("".join(traceback.format_exception_only(error)))
    return {"out": json.dumps(out), "err": err.getvalue()}


def exporter(arguments):
    start = prometheus.start_http_server

    def start_and_tell(port, **more):
        server, thread = start(0, **more)
        print(f"listening on port {server.server_port}", flush=True)
        return server, thread

    prometheus.start_http_server = start_and_tell
    return AraCli().run(arguments)


def main():
    if sys.argv[1:]:
        sys.exit(exporter(sys.argv[1:]))
    for line in sys.stdin:
        request = json.loads(line)
        server = request["server"]
        answer = command(server, request["ara"]) if "ara" in request else calls(server, request["client"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
