"""This machine, by a connection on which every login prints something of its own before and after."""

from __future__ import annotations

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = '''
name: with_banner
short_description: local, with a banner
description: As local, but for lines around what commands print.
author: The Aviary authors
extends_documentation_fragment: [connection_pipelining]
'''


class Connection(Local):
    transport = 'with_banner'

    def exec_command(self, cmd, in_data=None, sudoable=True):
        code, out, err = super().exec_command(cmd, in_data, sudoable)
        # Of what is no JSON, Ansible itself takes the last line.
        after = b'Bye\n' if b'"' in out else b''
        return code, b'Welcome to this machine\n' + out + after, err
