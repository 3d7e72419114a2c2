"""Backing up and restoring: one command of the binary for each, with arguments that are no secrets."""

from __future__ import annotations

from ansible.errors import AnsibleActionFail

from ansible_collections.aviary.ds389.plugins.plugin_utils.engine import BinaryAction, object_of, unanswered

NEEDED = ('instance', 'folder')

# The variable of the prefix, and what it is called elsewhere.
PREFIXES = ('ds389_prefix', 'ds389_server_prefix')


class DataAction(BinaryAction):
    """Has the binary do something with the data of an instance."""

    # The command, and what stands before its arguments.
    COMMAND = ()

    # What is said of it, with the instance and the folder.
    MESSAGE = ''

    def answer(self, task_vars):
        arguments = dict(self._task.args)
        prefix = self._prefix(arguments, task_vars)
        said = {name: str(arguments.pop(name, '') or '') for name in NEEDED}
        if arguments:
            raise AnsibleActionFail(f"unexpected option '{sorted(arguments)[0]}': there are instance, folder and ds389_prefix")
        missing = [name for name in NEEDED if not said[name]]
        if missing:
            raise AnsibleActionFail(f"option '{missing[0]}' is missing")
        result = {'changed': True, 'msg': [self.MESSAGE.format(**said)]}
        if self._task.check_mode:
            return result
        words = ['--output', 'json', *self.COMMAND, *(['--prefix', str(prefix)] if prefix else [])]
        done = self.run_there(task_vars, [*words, '--', said['instance'], said['folder']])
        told = object_of(done['stdout'])
        if done['rc'] != 0 or told is None:
            return {**unanswered(self.COMMAND[0], done['rc'], done['stderr']), **failure(told)}
        result['ds389'] = told
        return result

    def _prefix(self, arguments, task_vars):
        """Where 389 DS is installed, if that is not the system's. An argument stands in the place of the variable."""
        said = [arguments.pop(name, None) for name in PREFIXES]
        said += [self.said(name, task_vars) for known in PREFIXES for name in task_vars if name.lower() == known]
        return next(filter(None, said), None)


def failure(told):
    """What the command itself says of its failure."""
    return {'msg': told['error']} if told and told.get('error') else {}
