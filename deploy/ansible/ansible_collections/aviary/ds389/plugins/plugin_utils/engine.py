"""What the action plugins have in common: variables out of Ansible, the question to the binary here, its answer to the binary
there. What any variable means is for the binary to say.
"""

from __future__ import annotations

import json
import re
import subprocess

from ansible.errors import AnsibleError
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.action import ActionBase

from ansible_collections.aviary.ds389.plugins.plugin_utils import binary

# How long the binary may think on the controller. It reads what it is given and asks nobody.
PATIENCE = 120

# Variables that roles have for themselves: how they begin, and those that begin as variables of the inventory may. Of a slip of
# the pen it is for the binary to say that it is one.
OF_ROLES = ('ds389_info_', 'ds389_backup_', 'ds389_restore_')
OF_SERVER_ROLE = ('ds389_server_packages', 'ds389_server_result')


class BinaryAction(ActionBase):
    """Runs the binary on the host."""

    def run(self, tmp=None, task_vars=None):
        """Runs the task for one host."""
        self._supports_check_mode = True
        self._supports_async = False
        result = super().run(tmp, task_vars)
        if not result.get('skipped'):
            result.update(self.answer(task_vars or {}))
        return result

    def answer(self, task_vars):
        """What the task comes to."""
        raise NotImplementedError

    def program(self, task_vars):
        """The binary of the controller."""
        return binary.find(self.said('ds389_binary', task_vars))

    def said(self, name, task_vars):
        """A variable that the plugins themselves go by."""
        value = task_vars.get(name)
        return None if value is None else to_text(str(self._templar.template(value)))

    def run_there(self, task_vars, arguments, text=None):
        """Runs the binary on the host. Whatever may be a secret is in the text, which goes to its standard input."""
        cache = self.said('ds389_binary_cache', task_vars)
        words = [binary.provide(self, self.program(task_vars), cache), *arguments]
        command = ' '.join(self._connection._shell.quote(word) for word in words)
        command = f'{self._compute_environment_string()} {command}'.strip()
        if text is None:
            return self._low_level_execute_command(command)
        if self._can_pipe():
            return self._low_level_execute_command(command, in_data=to_bytes(text))
        return self._run_from_file(command, text)

    def _can_pipe(self):
        """Whether the connection hands on what is written to a command. With pipelining on, Ansible says so. With it off, that is
        about its own modules, and most connections do nevertheless; but they take a terminal where a password may be asked for,
        which hands nothing on and has no end.
        """
        connection, become = self._connection, self._connection.become
        if connection.is_pipelining_enabled():
            return True
        if become is not None and (become.require_tty or not become.pipelining or become.expect_prompt()):
            return False
        is_terminal = getattr(connection, '_is_tty_requested', None)
        return connection.has_pipelining and not (is_terminal and is_terminal())

    def _run_from_file(self, command, text):
        """For connections that hand nothing on: from a file that nobody else can read, and that is gone before the program
        begins.
        """
        folder = self._make_tmp_path()
        try:
            file = self._connection._shell.join_path(folder, 'arguments.json')
            # Its own before there is anything in it.
            self._transfer_data(file, b'')
            self._remote_chmod([file], '0600')
            self._transfer_data(file, to_bytes(text))
            self._fixup_perms2([folder, file], execute=False)
            quoted = self._connection._shell.quote(file)
            return self._low_level_execute_command(f'{{ rm -f {quoted}; {command}; }} < {quoted}')
        finally:
            self._remove_tmp_path(folder, force=True)


class EngineAction(BinaryAction):
    """Asks the binary on the controller what this host's share is, then has the one on the host see to it."""

    # What is asked: 'server' or 'info'.
    ABOUT = ''

    def answer(self, task_vars):
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
        asked = ask([self.program(task_vars).path, 'resolve'], question)
        result = asked.get('result') or {}
        if asked.get('failed'):
            result.update(failed=True, changed=False, msg=asked['msg'])
            return result
        done = self.run_there(task_vars, ['module'], json.dumps({'ANSIBLE_MODULE_ARGS': asked['module_args']}))
        result.update(object_of(done['stdout']) or unanswered('the module', done['rc'], done['stderr']))
        return result

    def _hosts(self, own, task_vars):
        """What is said of 389 DS about every host, rendered with the variables of that host."""
        hosts = {own: {name: rendered(own, name, self._own_reader(task_vars)) for name in task_vars if is_ours(name)}}
        others = task_vars.get('hostvars') or {}
        for host in others:
            if host == own:
                continue
            names = [name for name in others[host] if is_ours(name)]
            if any(name.lower().startswith('ds389') for name in names):
                # Ansible renders them when they are read.
                hosts[to_text(host)] = {name: rendered(host, name, others[host].__getitem__) for name in names}
        return hosts

    def _own_reader(self, task_vars):
        return lambda name: self._templar.template(task_vars[name])


def is_ours(name):
    """Whether a variable is of use. `ds389` by itself is where facts are, which say what is and not what should be."""
    lower = str(name).lower()
    if lower == 'ds389' or lower.startswith(OF_ROLES) or lower in OF_SERVER_ROLE:
        return False
    return lower.startswith('ds389') or lower == 'ansible_host' or lower.startswith('vault_')


def rendered(host, name, read):
    """A variable of a host."""
    try:
        return plain(read(name))
    except AnsibleError as error:
        # These are read only to be masked.
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
    text = to_bytes(json.dumps(question))
    try:
        done = subprocess.run(command, input=text, capture_output=True, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AnsibleError(f'failed to run {command[0]}: {type(error).__name__}') from None
    return object_of(done.stdout) or unanswered(command[0], done.returncode, done.stderr)


def object_of(text):
    """The object that was printed. A login may have printed lines of its own before and behind it."""
    text = to_text(text)
    starts = [found.start() for found in re.finditer(r'^{', text, re.MULTILINE)]
    for start in reversed(starts):
        try:
            return json.JSONDecoder().raw_decode(text, start)[0]
        except ValueError:
            continue
    return None


def unanswered(program, code, errors):
    """What to tell when there is no answer."""
    last = to_text(errors).strip().splitlines()[-1:]
    told = f'{program} ended with code {code} and no answer' + (f': {last[0]}' if last else '')
    return {'failed': True, 'changed': False, 'msg': told}
