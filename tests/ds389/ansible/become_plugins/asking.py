"""Another user, who asks for a password, whoever it is: sudo would ask nobody who is root already."""

from __future__ import annotations

import shlex

from ansible.plugins.become import BecomeBase

DOCUMENTATION = '''
name: asking
short_description: asks for a password
description: Becomes nobody else, after it was told a password.
author: The Aviary authors
options:
  become_user:
    description: who to become
    default: root
    vars: [{name: ansible_become_user}]
  become_exe:
    description: unused
    vars: [{name: ansible_become_exe}]
  become_flags:
    description: unused
    vars: [{name: ansible_become_flags}]
  become_pass:
    description: the password
    vars: [{name: ansible_become_password}]
'''


class BecomeModule(BecomeBase):
    name = 'asking'
    prompt = 'Password of the test:'

    def build_become_command(self, cmd, shell):
        super().build_become_command(cmd, shell)
        if not cmd:
            return cmd
        script = f'printf "%s" "{self.prompt}" >&2; read -r said; [ -n "$said" ] && {self._build_success_command(cmd, shell)}'
        return f'/bin/sh -c {shlex.quote(script)}'
