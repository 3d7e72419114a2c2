"""A backup put in the place of an instance's data, by the binary on the host."""

from __future__ import annotations

from ansible_collections.aviary.ds389.plugins.plugin_utils.data import DataAction


class ActionModule(DataAction):
    """Restores an instance from a folder of the host. Whoever writes the task means it, so that nobody is asked."""

    COMMAND = ('restore', '--yes')
    MESSAGE = 'Restoring instance {instance} from {folder}'
