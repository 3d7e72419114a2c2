"""The program `aviary-ds389`: where it is on the controller, and how each host gets the one for its processor, once."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil

from ansible.errors import AnsibleError

# Its name, here and there.
NAME = 'aviary-ds389'

# Folder of the collection with a folder for each kind of processor, as `uname -m` calls it.
SHIPPED = os.path.normpath(os.path.join(os.path.dirname(__file__), '..', '..', 'files', 'bin'))

# What a host prints before it is to be believed: a login may have printed lines of its own.
MARKER = 'aviary.ds389:'

# Where a host keeps it, below the home of whoever runs it there.
CACHE = '.cache/aviary'


class Program:
    """The binary of the controller."""

    def __init__(self, path, is_said):
        self.path = path
        # Somebody named it: then it is for all hosts with the processor of the controller.
        self.is_said = is_said

    def for_machine(self, machine):
        """The binary for a kind of processor."""
        shipped = os.path.join(SHIPPED, machine, NAME)
        if self.is_said and machine == platform.machine():
            return self.path
        if os.path.isfile(shipped):
            return shipped
        if machine == platform.machine():
            return self.path
        raise AnsibleError(f'there is no {NAME} for {machine}: the collection has none at {shipped}')


def find(said=None):
    """The binary of the controller: the one that is named, the collection's, or the one in PATH."""
    if said:
        path = os.path.expanduser(said)
        if not os.access(path, os.X_OK):
            raise AnsibleError(f'ds389_binary says {path}, which cannot be run')
        return Program(path, True)
    shipped = os.path.join(SHIPPED, platform.machine(), NAME)
    path = shipped if os.access(shipped, os.X_OK) else shutil.which(NAME)
    if path is None:
        raise AnsibleError(f'there is no {NAME} on the controller: not at {shipped}, not in PATH, and ds389_binary does not say where')
    return Program(path, False)


def provide(action, program, cache=None):
    """Sees to it that the host has the binary, and returns where. It is copied when it is not there or another."""
    shell = action._connection._shell
    folder = shell.quote(cache) if cache else f'"$HOME"/{CACHE}'
    lines, asked = answer(action, f'uname -m && echo {folder} && sha256sum {folder}/{NAME}-* 2>/dev/null')
    if len(lines) < 2:
        raise AnsibleError(f"the host does not say what it is: {asked['stderr'].strip()}")
    machine, folder = lines[0].strip(), lines[1].strip()
    local = program.for_machine(machine)
    checksum = digest(local)
    path = shell.join_path(folder, f'{NAME}-{checksum[:16]}')
    if any(line.split() == [checksum, path] for line in lines[2:]):
        return path
    copy(action, local, path, checksum)
    return path


def copy(action, local, path, checksum):
    """Copies the binary, so that it is there whole or not at all."""
    shell = action._connection._shell
    folder = action._make_tmp_path()
    try:
        received = shell.join_path(folder, NAME)
        action._transfer_file(local, received)
        action._fixup_perms2([folder, received], execute=False)
        there, partial = shell.quote(path), f'{shell.quote(path)}.$$'
        steps = [
            f'mkdir -p {shell.quote(os.path.dirname(path))}',
            f'cp {shell.quote(received)} {partial}',
            f'chmod 0755 {partial}',
            f'mv -f {partial} {there}',
            f'sha256sum {there}',
        ]
        lines, done = answer(action, ' && '.join(steps))
    finally:
        action._remove_tmp_path(folder, force=True)
    if done['rc'] != 0 or not any(line.split()[:1] == [checksum] for line in lines):
        raise AnsibleError(f"failed to copy {NAME} to {path}: {done['stderr'].strip() or 'its checksum there is another'}")


def answer(action, command):
    """The lines that a command prints on the host, and all that is known of it."""
    done = action._low_level_execute_command(f"echo; echo '{MARKER}'; {command}")
    before, _, after = done['stdout'].partition(MARKER)
    return after.splitlines()[1:], done


def digest(path):
    """The checksum of a file."""
    found = hashlib.sha256()
    with open(path, 'rb') as file:
        while piece := file.read(1 << 20):
            found.update(piece)
    return found.hexdigest()
