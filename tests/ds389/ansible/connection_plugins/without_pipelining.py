"""This machine, by a connection that does not hand standard input on."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = '''
name: without_pipelining
short_description: local, without pipelining
description: As local, but for what is written to commands.
author: The Aviary authors
'''


class Connection(Local):
    transport = 'without_pipelining'
    has_pipelining = False

    def exec_command(self, cmd, in_data=None, sudoable=True):
        assert in_data is None
        return super().exec_command(cmd, None, sudoable)
