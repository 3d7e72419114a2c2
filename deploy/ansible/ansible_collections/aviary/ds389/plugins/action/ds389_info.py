"""What the servers of a host are: facts out of their configuration, whether they run or not."""

from __future__ import annotations

from ansible_collections.aviary.ds389.plugins.plugin_utils.engine import EngineAction


class ActionModule(EngineAction):
    """Facts of the instances of a host."""

    ABOUT = 'info'
