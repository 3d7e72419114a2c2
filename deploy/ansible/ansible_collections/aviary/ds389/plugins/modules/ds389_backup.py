#!/usr/bin/python
"""The page of ds389_backup. All that it does is done by the action plugin of the same name and by the program aviary-ds389."""

from __future__ import annotations

DOCUMENTATION = r'''
---
module: ds389_backup
short_description: Backs an instance of 389 Directory Server up
version_added: 0.1.0
description:
  - Makes a backup of all backends of an instance in a folder of the host. The instance may be running.
  - The configuration is kept beside, to be looked at.
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
    description: A folder of the host that is not there yet, where the server's user may write.
    type: str
    required: true
  ds389_prefix:
    description: Folder below which 389 DS is installed, if that is not the system's. Without it, the variable of this name.
    type: str
notes:
  - The variable C(ds389_binary) names the program on the controller, C(ds389_binary_cache) the folder for it on hosts.
'''

EXAMPLES = r'''
- name: Back an instance up
  aviary.ds389.ds389_backup:
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
    bytes:
      description: Its size.
      returned: always
      type: int
'''
