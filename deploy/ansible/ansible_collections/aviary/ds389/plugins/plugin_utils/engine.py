"""What the action plugins have in common: variables out of Ansible, the question to the binary here, its answer to the binary
there. What any variable means is for the binary to say.
"""

from __future__ import annotations

import json
import subprocess

from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.action import ActionBase

from ansible_collections.aviary.ds389.plugins.plugin_utils import binary

# How long the binary may think on the controller. It reads what it is given and asks nobody.
PATIENCE = 120


class EngineAction(ActionBase):
    """Asks the binary on the controller, then runs the one on the host."""

    TRANSFERS_FILES = True

    # What is asked: 'server' or 'info'.
    ABOUT = ''

    def run(self, tmp=None, task_vars=None):
        """Runs the task for one host."""
        self._supports_check_mode = True
        self._supports_async = False
        result = super().run(tmp, task_vars)
        if result.get('skipped'):
            return result
        task_vars = task_vars or {}
        host = task_vars['inventory_hostname']
        question = {
            'host': host,
            'action': self.ABOUT,
            'args': plain(self._task.args),
            'hosts': self._hosts(host, task_vars),
            'verbosity': self._display.verbosity,
            'check_mode': bool(self._task.check_mode),
            'diff': bool(self._task.diff),
        }
        program = self._program(task_vars)
        answer = ask([program.path, 'resolve'], question)
        result.update(answer.get('result') or {})
        if answer.get('failed'):
            result.update(failed=True, changed=False, msg=answer['msg'])
            return result
        arguments = json.dumps({'ANSIBLE_MODULE_ARGS': answer['module_args']})
        result.update(self._run_there(program, arguments, self._said('ds389_binary_cache', task_vars)))
        return result

    def _program(self, task_vars):
        """The binary of the controller."""
        return binary.find(self._said('ds389_binary', task_vars))

    def _said(self, name, task_vars):
        """A variable that the plugins themselves go by."""
        value = task_vars.get(name)
        return None if value is None else to_text(str(self._templar.template(value)))

    def _hosts(self, own, task_vars):
        """What is said of 389 DS about every host, rendered with the variables of that host."""
        hosts = {own: {name: self._rendered(own, name, task_vars) for name in task_vars if is_ours(name)}}
        others = task_vars.get('hostvars') or {}
        for host in others:
            if host == own:
                continue
            names = [name for name in others[host] if is_ours(name)]
            if any(name.lower().startswith('ds389') for name in names):
                hosts[to_text(host)] = {name: plain_of(host, name, others[host]) for name in names}
        return hosts

    def _rendered(self, host, name, task_vars):
        try:
            return plain(self._templar.template(task_vars[name]))
        except AnsibleError as error:
            if name.lower().startswith('vault_'):
                return None
            raise AnsibleError(f'variable {name} of host {host} cannot be rendered: {error}') from error

    def _run_there(self, program, arguments, cache):
        """Runs the module on the host. Its arguments have secrets, so that they go to its standard input."""
        path = binary.provide(self, program, cache)
        quoted = self._connection._shell.quote(path)
        environment = self._compute_environment_string()
        if self._can_pipe():
            done = self._low_level_execute_command(f'{environment} {quoted} module'.strip(), in_data=to_bytes(arguments))
        else:
            done = self._run_from_file(f'{environment} {quoted} module'.strip(), arguments)
        return answered(done)

    def _can_pipe(self):
        """Whether the connection hands on what is written to a command."""
        become = self._connection.become
        if become is not None and (getattr(become, 'require_tty', False) or not getattr(become, 'pipelining', True)):
            return False
        return bool(self._connection.has_pipelining)

    def _run_from_file(self, command, arguments):
        """For connections that hand nothing on: from a file that nobody else can read, and that is gone before the module
        begins.
        """
        folder = self._make_tmp_path()
        try:
            file = self._connection._shell.join_path(folder, 'arguments.json')
            self._transfer_data(file, to_bytes(arguments))
            self._remote_chmod([file], '0600')
            self._fixup_perms2([folder, file], execute=False)
            quoted = self._connection._shell.quote(file)
            return self._low_level_execute_command(f'{{ rm -f {quoted}; {command}; }} < {quoted}')
        finally:
            self._remove_tmp_path(folder, force=True)


def is_ours(name):
    """Whether a variable is of use: `ds389` by itself is where facts are, which say what is and not what should be."""
    lower = str(name).lower()
    return (lower.startswith('ds389') and lower != 'ds389') or lower == 'ansible_host' or lower.startswith('vault_')


def plain_of(host, name, variables):
    """A variable of another host, which Ansible renders when it is read."""
    try:
        return plain(variables[name])
    except AnsibleError as error:
        if name.lower().startswith('vault_'):
            return None
        raise AnsibleError(f'variable {name} of host {host} cannot be rendered: {error}') from error


def plain(value):
    """The value without Ansible's marks, for JSON. What was vaulted is in clear from here on."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, dict):
        return {to_text(str(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return to_text(value)
    return str(value)


def ask(command, question):
    """Asks the binary on the controller. What it is asked may have secrets, so that it goes to its standard input."""
    try:
        done = subprocess.run(command, input=to_bytes(json.dumps(question)), capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AnsibleError(f'failed to run {command[0]}: {type(error).__name__}') from None
    return object_of(done.stdout) or {'failed': True, 'msg': unanswered(command[0], done.returncode, done.stderr)}


def answered(done):
    """What the module answered."""
    found = object_of(done['stdout'])
    if found is None:
        return {'failed': True, 'changed': False, 'msg': unanswered('the module', done['rc'], done['stderr'])}
    return found


def object_of(text):
    """The last line that is an object: a login may have printed lines of its own."""
    for line in reversed(to_text(text).splitlines()):
        if line.startswith('{'):
            try:
                return json.loads(line)
            except ValueError:
                continue
    return None


def unanswered(program, code, errors):
    """What to tell when there is no answer."""
    last = to_text(errors).strip().splitlines()[-1:]
    return f'{program} ended with code {code} and no answer' + (f': {last[0]}' if last else '')
