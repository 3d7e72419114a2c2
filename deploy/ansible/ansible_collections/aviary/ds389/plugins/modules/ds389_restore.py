#!/usr/bin/python
"""The page of ds389_restore. All that it does is done by the action plugin of the same name and by the program aviary-ds389."""

from __future__ import annotations

DOCUMENTATION = r'''
---
module: ds389_restore
short_description: Restores an instance of 389 Directory Server from a backup
version_added: 0.1.0
description:
  - Puts a backup in the place of all data of an instance. The instance runs afterwards if it ran before.
  - Other servers that replicate the data have to be initialised anew.
author:
  - The Aviary authors (@aviary-project)
requirements:
  - 389-ds-base 2.0 or newer on the host
attributes:
  check_mode:
    description: Changes nothing and tells what would be done.
    support: full
  diff_mode:
    description: There is no difference to show.
    support: none
  async:
    description: Runs in the background.
    support: none
  platform:
    description: Where it works.
    support: full
    platforms: posix
options:
  instance:
    description: The instance, without slapd- before its name.
    type: str
    required: true
  folder:
    description: The folder of the backup on the host.
    type: str
    required: true
  ds389_prefix:
    description: Folder below which 389 DS is installed, if that is not the system's. Without it, the variable of this name.
    type: str
notes:
  - The variable C(ds389_binary) names the program on the controller, C(ds389_binary_cache) the folder for it on hosts.
'''

EXAMPLES = r'''
- name: Go back to what was before the upgrade
  aviary.ds389.ds389_restore:
    instance: localhost
    folder: /var/lib/dirsrv/slapd-localhost/bak/before-upgrade
'''

RETURN = r'''
msg:
  description: What was done, or would be in check mode. When the task fails, a text that says why.
  returned: always
  type: list
  elements: str
changed:
  description: Whether it was done, or would be.
  returned: always
  type: bool
ds389:
  description: What was done with what.
  returned: when it was done
  type: dict
  contains:
    instance:
      description: The instance.
      returned: always
      type: str
    backends:
      description: Its backends.
      returned: always
      type: list
      elements: str
    folder:
      description: The folder of the backup.
      returned: always
      type: str
    running:
      description: Whether the instance runs now.
      returned: always
      type: bool
    replicated:
      description: Whether other servers replicate the data, which send what they have changed since.
      returned: always
      type: bool
    renumber:
      description: >-
        Backends that were suppliers. They are hubs until they are given another C(ReplicaId) than the one that they had, for others
        may have changes of that number which the backup lacks.
      returned: always
      type: list
      elements: dict
      contains:
        backend:
          description: The backend.
          returned: always
          type: str
        replica_id:
          description: The number that it had.
          returned: always
          type: int
    other_schema:
      description: Files of the backup's schema that the instance has otherwise. They were left alone.
      returned: always
      type: list
      elements: str
'''
