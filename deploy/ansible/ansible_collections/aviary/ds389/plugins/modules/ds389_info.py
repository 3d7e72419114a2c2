#!/usr/bin/python
"""The page of ds389_info. All that it does is done by the action plugin of the same name and by the program aviary-ds389."""

from __future__ import annotations

DOCUMENTATION = r'''
---
module: ds389_info
short_description: Facts of the 389 Directory Servers of a host
version_added: 0.1.0
description:
  - Reads the configuration of all instances of a host out of their C(dse.ldif), whether they run or not, and tells it in the
    words of M(aviary.ds389.ds389_server). It changes nothing.
  - Secrets are no part of facts, and neither is what is the same in every backend, such as indexes of the system.
  - The facts are below C(ansible_facts.ds389). They do not stand in the place of any variable that says what should be.
author:
  - The Aviary authors (@aviary-project)
requirements:
  - 389-ds-base 2.0 or newer on the host
attributes:
  check_mode:
    description: Changes nothing in any case.
    support: full
  diff_mode:
    description: There is no change to show.
    support: none
  async:
    description: Runs in the background.
    support: none
  platform:
    description: Where it works.
    support: full
    platforms: posix
options:
  ds389_prefix:
    description: Folder below which 389 DS is installed, if that is not the system's.
    type: str
    aliases: [ds389_server_prefix]
notes:
  - The variable C(ds389_binary) names the program on the controller, C(ds389_binary_cache) the folder for it on hosts.
seealso:
  - module: aviary.ds389.ds389_server
'''

EXAMPLES = r'''
- name: Find out what the directory servers are
  hosts: ldap
  become: true
  tasks:
    - name: Facts
      aviary.ds389.ds389_info:
    - name: Show them as a file that ds389_server would take
      ansible.builtin.debug:
        msg: "{{ ansible_facts.ds389 | to_nice_yaml }}"
'''

RETURN = r'''
ansible_facts:
  description: What the host has.
  returned: always
  type: dict
  contains:
    ds389:
      description: As variables that would ask for it.
      returned: always
      type: dict
      contains:
        ds389_instances:
          description: The instances, with the options that M(aviary.ds389.ds389_server) has.
          returned: always
          type: list
          elements: dict
        ds389_prefix:
          description: The prefix, if there is one.
          returned: with a prefix
          type: str
        state:
          description: V(present), so that the facts can be applied.
          returned: always
          type: str
        version:
          description: The version of 389 DS that is installed.
          returned: always
          type: str
msg:
  description: Nothing; when the task fails, a text that says why.
  returned: always
  type: list
  elements: str
message:
  description: Nothing, as ds389.ansible_ds returns it.
  returned: always
  type: list
  elements: str
changed:
  description: Always false.
  returned: always
  type: bool
exception:
  description: What was being done when it failed.
  returned: when the task fails on the host
  type: str
stderr:
  description: What went wrong, line by line.
  returned: when the task fails on the host
  type: str
invocation:
  description: The arguments of the module as it received them. Ansible shows it from verbosity 3 and keeps it from variables.
  returned: when the module ran
  type: dict
raw_invocation:
  description: The same, as ds389.ansible_ds returns it.
  returned: when the module ran
  type: dict
original_message:
  description: What the module was asked for, as it received it.
  returned: when the module ran
  type: dict
cooked_message:
  description: The same as it was understood.
  returned: when the module ran
  type: dict
debug:
  description: What happened, line by line. Errors always, warnings from verbosity 1, all else from 3.
  returned: when the module ran
  type: list
  elements: str
module_debug:
  description: The same as one text, as ds389.ansible_ds returns it.
  returned: when there is any line
  type: str
plugin_args:
  description: The arguments of the task.
  returned: from verbosity 1
  type: dict
module_args:
  description: The arguments that the plugin made for the module.
  returned: from verbosity 1
  type: dict
inventory:
  description: The variables of all hosts that are about 389 DS, as they were read.
  returned: from verbosity 5
  type: dict
'''
