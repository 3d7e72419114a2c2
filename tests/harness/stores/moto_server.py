# moto as a server of S3: moto_server.py HOST PORT [strict]. It says when it listens, and ends with its standard input, so that it
# outlives nobody. `strict` means that signatures are checked; then it tells the one key that may do anything.
import json
import logging
import os
import sys
import threading

HOST, PORT, STRICT = sys.argv[1], int(sys.argv[2]), sys.argv[3:] == ["strict"]
if STRICT:
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"

from moto.core import DEFAULT_ACCOUNT_ID  # noqa: E402
from moto.server import DomainDispatcherApplication, create_backend_app  # noqa: E402
from werkzeug.serving import make_server  # noqa: E402


def end_with_input():
    sys.stdin.buffer.read()
    os._exit(0)


def owner():
    from moto.iam.models import iam_backends

    iam = iam_backends[DEFAULT_ACCOUNT_ID]["aws"]
    iam.create_user("us-east-1", "owner")
    everything = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    iam.put_user_policy("owner", "everything", json.dumps(everything))
    key = iam.create_access_key("owner")
    return key.access_key_id, key.secret_access_key


class Application(DomainDispatcherApplication):
    # Google's account that asks nobody for tokens has an empty one, or none, which moto cannot read.
    def __call__(self, environ, start_response):
        if not STRICT and environ.get("HTTP_AUTHORIZATION", "").strip() in ("", "Bearer"):
            environ["HTTP_AUTHORIZATION"] = "Bearer none"
        return super().__call__(environ, start_response)


threading.Thread(target=end_with_input, daemon=True).start()
logging.getLogger("werkzeug").setLevel(logging.ERROR)
key, secret = owner() if STRICT else ("test", "test")
server = make_server(HOST, PORT, Application(create_backend_app), threaded=True)
print("listening", key, secret, flush=True)
server.serve_forever()
