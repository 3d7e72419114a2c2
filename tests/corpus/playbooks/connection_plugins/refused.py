"""A connection that is always refused, without trying one."""
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: refused
short_description: always refused
description: Fails at once, as if nothing listened.
author: none
options: {}
"""


class Connection(ConnectionBase):
    transport = "refused"
    has_pipelining = False

    def _connect(self):
        raise AnsibleConnectionFailure(f"Failed to connect to the host via ssh: connect to host {self._play_context.remote_addr} port 22: Connection refused")

    def exec_command(self, cmd, in_data=None, sudoable=True):
        self._connect()

    def put_file(self, in_path, out_path):
        self._connect()

    def fetch_file(self, in_path, out_path):
        self._connect()

    def close(self):
        pass
