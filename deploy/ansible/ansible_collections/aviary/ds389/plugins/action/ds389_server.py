"""What the servers of a host should be: the binary on the controller decides, the one on the host carries it out."""

from __future__ import annotations

from ansible_collections.aviary.ds389.plugins.plugin_utils.engine import EngineAction


class ActionModule(EngineAction):
    """Instances, backends, indexes, replicas and agreements as the variables of all hosts say."""

    ABOUT = 'server'
