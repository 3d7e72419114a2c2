"""A backup of an instance, made by the binary on the host."""

from __future__ import annotations

from ansible_collections.aviary.ds389.plugins.plugin_utils.data import DataAction


class ActionModule(DataAction):
    """Backs an instance up into a folder of the host."""

    COMMAND = ('backup',)
    MESSAGE = 'Backing instance {instance} up in {folder}'
