"""The made-up values that rows are filled with.

Nothing here knows about Django or SQLite, and no value describes a real machine.
"""
import datetime as dt
import hashlib
import json
import zlib

EPOCH = dt.datetime(2024, 3, 1, 8, 0, 0, tzinfo=dt.timezone.utc)
ACTIONS = ["ansible.builtin.command", "ansible.builtin.copy", "ansible.builtin.template", "ansible.builtin.package",
           "ansible.builtin.service", "ansible.builtin.debug", "ansible.builtin.setup", "ansible.builtin.uri"]
ROLES = ["common", "web", "database", "ldap", "monitoring", "backup", "firewall", "users"]
NOUNS = ["certificates", "packages", "service unit", "configuration", "users", "cache", "schema", "firewall rules", "héberge", "配置"]
VERBS = ["Install", "Configure", "Verify", "Restart", "Remove", "Template", "Wait for", "Gather"]


def squeeze(value):
    """A value as ARA stores it: zlib over the JSON that Python writes."""
    return zlib.compress(json.dumps(value).encode())


def squeeze_text(text):
    """JSON text that some other writer made, stored as it is."""
    return zlib.compress(text.encode())


class Clock:
    """The only time there is while rows are written."""

    def __init__(self, start):
        self.now = start

    def tick(self, rng, low=0.01, high=2.5):
        self.now += dt.timedelta(microseconds=int(rng.uniform(low, high) * 1e6))
        return self.now


def spread(rng, total, n):
    """Split total into n nearly equal parts, in random order."""
    base, rest = divmod(total, n)
    out = [base + (1 if i < rest else 0) for i in range(n)]
    rng.shuffle(out)
    return out


def facts(rng, name):
    """What a fact-gathering host would report, made up: no value describes a real machine."""
    total, cores = rng.choice([2048, 4096, 16384, 65536]), rng.choice([1, 2, 4, 16])
    address, mac = f"192.0.2.{rng.randint(1, 254)}", ":".join(f"{rng.randrange(256):02x}" for _ in range(6))
    used, swap = rng.randint(100, total), rng.choice([0, 2048])
    mounts = []
    for i in range(rng.randint(1, 6)):
        size = rng.randint(10**9, 10**13)
        mounts.append({"mount": f"/srv/{i}", "device": f"/dev/vd{chr(97 + i)}1", "fstype": rng.choice(["xfs", "ext4"]), "options": "rw,relatime", "size_total": size, "size_available": size // rng.randint(2, 9), "block_size": 4096})
    return {
        "ansible_hostname": name,
        "ansible_fqdn": f"{name}.example.org",
        "ansible_nodename": name,
        "ansible_distribution": rng.choice(["Debian", "Fedora", "RedHat", "Ubuntu"]),
        "ansible_distribution_version": rng.choice(["12", "39", "9.3", "24.04"]),
        "ansible_kernel": f"6.{rng.randint(1, 12)}.0",
        "ansible_architecture": "x86_64",
        "ansible_virtualization_type": "kvm", "ansible_virtualization_role": "guest", "ansible_bios_version": "1.16",
        "ansible_python": {"version": {"major": 3, "minor": rng.randint(9, 13), "micro": rng.randint(0, 12), "releaselevel": "final", "serial": 0}, "executable": "/usr/bin/python3"},
        "ansible_python_version": "3.11.2",
        "ansible_user_id": "root", "ansible_user_shell": "/bin/bash",
        "ansible_uptime_seconds": rng.randint(60, 10**7),
        "ansible_date_time": {"date": "2024-03-01", "time": "08:00:00", "tz": "UTC", "iso8601": "2024-03-01T08:00:00Z"},
        "ansible_selinux": rng.choice([{"status": "disabled"}, {"status": "enabled", "mode": "enforcing", "type": "targeted", "policyvers": 33, "config_mode": "enforcing"}]),
        "ansible_memtotal_mb": total, "ansible_memfree_mb": total - used,
        "ansible_memory_mb": {"real": {"total": total, "used": used, "free": total - used}, "nocache": {"used": used // 2, "free": total - used // 2}, "swap": {"total": swap, "used": 0, "free": swap, "cached": 0}},
        "ansible_processor": ["0", "GenuineExample", "Example CPU @ 2.00GHz"] * cores,
        "ansible_processor_cores": cores, "ansible_processor_nproc": cores, "ansible_processor_vcpus": cores,
        "ansible_loadavg": {"1m": round(rng.random() * 4, 2), "5m": 1e-7, "15m": 3.0},
        "ansible_load": {"1m": round(rng.random() * 4, 2), "5m": 1e-7, "15m": 3.0},
        "ansible_interfaces": ["lo", "eth0"],
        "ansible_default_ipv4": {"interface": "eth0", "address": address, "netmask": "255.255.255.0", "gateway": "192.0.2.1", "macaddress": mac, "prefix": "24", "type": "ether", "mtu": 1500},
        "ansible_default_ipv6": {} if rng.random() < 0.5 else {"interface": "eth0", "address": "2001:db8::10", "prefix": "64", "gateway": "fe80::1", "macaddress": mac},
        "ansible_dns": {"nameservers": ["192.0.2.53"], "search": ["example.org"]},
        "ansible_all_ipv4_addresses": [f"192.0.2.{rng.randint(1, 254)}" for _ in range(rng.randint(1, 4))],
        "ansible_mounts": mounts,
        "ansible_env": {f"VAR_{i}": hashlib.sha1(f"{name}{i}".encode()).hexdigest() for i in range(20)},
    }


def content(rng, action, status, host, item=None):
    body = {"changed": False, "invocation": {"module_args": {"name": rng.choice(ROLES), "state": "present", "path": f"/srv/{rng.choice(ROLES)}"}}}
    if action.endswith("command"):
        body.update(cmd=["/usr/bin/env", "true"], rc=0 if status != "failed" else 1, stdout="\u001b[32mdone\u001b[0m on " + host, stderr="",
                    stdout_lines=["done on " + host], start="2024-03-01 08:00:00.000001", end="2024-03-01 08:00:01", delta="0:00:00.999999")
    if action.endswith(("copy", "template")):
        body["diff"] = [{"before": "a=1\nb=2\n", "after": f"a=1\nb={rng.randint(3, 9)}\n", "before_header": "/etc/app.conf", "after_header": "/etc/app.conf"}]
    if status == "failed":
        body.update(msg="non-zero return code: <script>alert('x')</script> & \"quotes\"", failed=True)
    if status == "unreachable":
        body = {"unreachable": True, "msg": f"Failed to connect to the host via ssh: {host}", "changed": False}
    if item is not None:
        body["results"] = [{"item": i, "ansible_loop_var": "item", "changed": bool(i % 2), "_ansible_item_label": f"item {i}"} for i in range(item)]
    return body
