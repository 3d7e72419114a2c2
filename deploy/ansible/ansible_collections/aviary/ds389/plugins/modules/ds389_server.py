#!/usr/bin/python
"""The page of ds389_server. All that it does is done by the action plugin of the same name and by the program aviary-ds389."""

from __future__ import annotations

DOCUMENTATION = r'''
---
module: ds389_server
short_description: Makes the 389 Directory Servers of a host what they should be
version_added: 0.1.0
description:
  - Creates, changes, starts, stops and removes instances of 389 Directory Server, their backends, indexes, replicas and
    replication agreements.
  - What should be there is said by variables of the inventory. An argument of the task stands in the place of the variable of
    the same name.
  - The variables of all hosts are read and checked before anything moves. Agreements are made with all backends that a target
    matches, on whichever host they are.
  - Names of options are read in any case.
  - Modifiers are variables, or arguments, whose names begin with C(ds389option) or C(ds389_option_). Each is a list of
    dictionaries with C(name) and either C(merge) or C(append), and changes what other variables say. They are applied in the
    order of their names.
  - A second run changes nothing. An interrupted one is finished by the next.
  - The program C(aviary-ds389) does the work. It is copied to the host once, and Python is not needed there.
author:
  - The Aviary authors (https://github.com/aviary-project)
requirements:
  - 389-ds-base 1.4.3 or newer on the host
attributes:
  check_mode:
    description: Changes nothing and tells what would be changed.
    support: full
  diff_mode:
    description: Tells of each change what was and what will be.
    support: full
  async:
    description: Runs in the background.
    support: none
  platform:
    description: Where it works.
    support: full
    platforms: posix
options:
  state:
    description:
      - What is asked of all instances together.
      - V(present) makes what is listed, and deletes nothing.
      - V(updated) also deletes instances that are not listed but once were, and backends, indexes and agreements that are not
        listed.
      - V(absent) removes the instances that are listed, and without any list all that Aviary manages on the host.
      - V(started) and V(stopped) start and stop the instances that are listed, and change nothing else.
    type: str
    choices: [present, updated, absent, started, stopped]
    default: present
    aliases: [ds389_state]
  ds389_prefix:
    description: Folder below which 389 DS is installed, if that is not the system's.
    type: str
    aliases: [ds389_server_prefix]
  ds389_agmts:
    description:
      - Agreements by what they target.
      - Each element has a C(target), a list of names with dots between their components and C(*) for any of them, such as
        C(vm2.localhost.userroot) or C(*.userroot). It may have a C(name), by which modifiers find it, and any option of an
        agreement.
      - Every replicated backend of any host that a target matches and that has the suffix of a supplier or hub of this host gets
        an agreement from it, with what the backend there says of ReplicaBindDN, ReplicaCredentials and ReplicaTransportInfo.
    type: list
    elements: dict
  # Made of the table of options by tests/ds389/documentation.rs
  ds389_instances:
    description: "The instances of the host."
    type: list
    elements: dict
    aliases: [ds389_server_instances]
    suboptions:
      name:
        description:
          - "Name of the instance, without slapd- before it."
          - "It cannot be changed afterwards."
        type: str
        required: true
        aliases: [instance_name]
      state:
        description:
          - "Whether the instance is there. All its data goes with it."
        type: str
        choices: ["present", "absent"]
        default: "present"
      started:
        description:
          - "Whether the server runs."
        type: bool
        default: true
      port:
        description:
          - "Port for LDAP; 0 for none."
          - "The server is restarted when it changes."
        type: int
        default: 389
      secure_port:
        description:
          - "Port for LDAPS; 0 for none."
          - "The server is restarted when it changes."
        type: int
        default: 636
      full_machine_name:
        description:
          - "Fully qualified name of the host, as certificates and other servers have it."
          - "The server is restarted when it changes."
        type: str
      root_dn:
        description:
          - "DN of the administrator."
          - "It cannot be changed afterwards."
          - "DN."
        type: str
        default: "cn=Directory Manager"
      rootpw:
        description:
          - "Password of the administrator, at least 8 characters, or its hash."
          - "It is masked wherever it would be shown."
        type: str
        aliases: [root_password]
      user:
        description:
          - "User that the server runs as."
          - "It cannot be changed afterwards."
        type: str
        default: "dirsrv"
      group:
        description:
          - "Group of the server's files."
          - "It cannot be changed afterwards."
        type: str
        default: "dirsrv"
      ldapi:
        description:
          - "Socket for connections from the host itself."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      backup_dir:
        description:
          - "Folder of backups."
          - "Absolute path."
        type: str
      ldif_dir:
        description:
          - "Folder of files to import and export."
          - "Absolute path."
        type: str
      cert_dir:
        description:
          - "Folder of certificates and keys."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      lock_dir:
        description:
          - "Folder of lock files."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      run_dir:
        description:
          - "Folder of the file with the process's number."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      schema_dir:
        description:
          - "Folder of the schema."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      tmp_dir:
        description:
          - "Folder of temporary files."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      inst_dir:
        description:
          - "Folder of the instance's programs."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      db_dir:
        description:
          - "Folder of the database."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
        aliases: [nsslapd_directory]
      db_home_dir:
        description:
          - "Folder of the database's shared memory, where the database is BDB."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      db_lib:
        description:
          - "Kind of database. New servers have mdb from 3.0, bdb before."
          - "It cannot be changed afterwards."
        type: str
        choices: ["bdb", "mdb"]
      mdb_max_size:
        description:
          - "Bytes that an LMDB database may grow to."
          - "The server is restarted when it changes."
          - "It needs 389 DS 2.1.0."
        type: int
      config_dir:
        description:
          - "Folder of the configuration."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      log_dir:
        description:
          - "Folder of logs."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      local_state_dir:
        description:
          - "Folder of variable data."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      sysconf_dir:
        description:
          - "Folder of the system's configuration."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      data_dir:
        description:
          - "Folder of shared data."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      initconfig_dir:
        description:
          - "Folder of the service's environment."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      bin_dir:
        description:
          - "Folder of programs."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      sbin_dir:
        description:
          - "Folder of the server's program."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      lib_dir:
        description:
          - "Folder of libraries."
          - "It cannot be changed afterwards."
          - "Absolute path."
        type: str
      self_sign_cert:
        description:
          - "Whether a new instance gets a certificate that it signs itself."
        type: bool
        default: true
      self_sign_cert_valid_months:
        description:
          - "Months for which that certificate is valid."
        type: int
        default: 24
      selinux:
        description:
          - "Whether files and ports get their SELinux labels, where SELinux is on."
        type: bool
        default: true
      systemd:
        description:
          - "Whether systemd starts and stops the instance, where systemd is there."
        type: bool
        default: true
      strict_host_checking:
        description:
          - "Whether full_machine_name has to have an address that leads back to it."
        type: bool
        default: false
      nsslapd_lookthroughlimit:
        description:
          - "How many entries a search may look at; -1 is no limit."
        type: int
        default: 5000
      nsslapd_idlistscanlimit:
        description:
          - "How many entries an index key may lead to before a search does without the index."
          - "The server is restarted when it changes."
        type: int
        default: 4000
      nsslapd_pagedlookthroughlimit:
        description:
          - "As nsslapd_lookthroughlimit, for searches in pages; 0 is the same limit."
        type: int
        default: 0
      nsslapd_pagedidlistscanlimit:
        description:
          - "As nsslapd_idlistscanlimit, for searches in pages; 0 is the same limit."
        type: int
        default: 0
      nsslapd_rangelookthroughlimit:
        description:
          - "How many entries a search for a range may look at."
        type: int
        default: 5000
      nsslapd_mode:
        description:
          - "Permissions of database files, in octal."
          - "The server is restarted when it changes."
        type: str
        default: "600"
      nsslapd_import_cachesize:
        description:
          - "Bytes of the cache of an import."
        type: int
        default: 16777216
      nsslapd_search_bypass_filter_test:
        description:
          - "Whether a search takes what indexes give it without looking at each entry."
        type: str
        choices: ["on", "off", "verify"]
        default: "on"
      nsslapd_search_use_vlv_index:
        description:
          - "Whether searches use virtual list views."
        type: bool
        default: true
      nsslapd_exclude_from_export:
        description:
          - "Attributes that exports leave out."
          - "List of attributes."
        type: list
        elements: str
        default: ["entrydn","entryid","dncomp","parentid","numSubordinates","tombstonenumsubordinates","entryusn"]
      nsslapd_backend_opt_level:
        description:
          - "Experimental ways to write faster."
        type: int
        default: 1
      nsslapd_cache_autosize:
        description:
          - "Percentage of the host's memory for caches; 0 for fixed sizes."
          - "The server is restarted when it changes."
        type: int
      nsslapd_dbcachesize:
        description:
          - "Bytes of the database's cache. Works when nsslapd_cache_autosize is 0."
          - "The server is restarted when it changes."
        type: int
      nsslapd_security:
        description:
          - "Whether TLS is on."
          - "The server is restarted when it changes."
        type: bool
      nsslapd_require_secure_binds:
        description:
          - "Whether passwords are refused on connections that are not secure."
        type: bool
        default: false
      nsslapd_minssf:
        description:
          - "Strength of encryption that every operation needs. More than 71 would lock out the host itself."
        type: int
        default: 0
      nsslapd_ssl_check_hostname:
        description:
          - "Whether certificates of other servers are checked at all."
        type: bool
        default: true
      nsslapd_listenhost:
        description:
          - "Address for LDAP, if not all."
          - "The server is restarted when it changes."
        type: str
      nsslapd_securelistenhost:
        description:
          - "Address for LDAPS, if not all."
          - "The server is restarted when it changes."
        type: str
      nsslapd_allow_anonymous_access:
        description:
          - "Whether clients that do not bind may read."
        type: str
        choices: ["on", "off", "rootdse"]
        default: "on"
      nsslapd_allow_unauthenticated_binds:
        description:
          - "Whether a DN without a password is taken for an anonymous client."
        type: bool
        default: false
      nsslapd_dynamic_plugins:
        description:
          - "Whether plugins are switched without a restart."
        type: bool
        default: false
      nsslapd_sizelimit:
        description:
          - "How many entries a search may return; -1 is no limit."
        type: int
        default: 2000
      nsslapd_timelimit:
        description:
          - "Seconds that a search may take; -1 is no limit."
        type: int
        default: 3600
      nsslapd_idletimeout:
        description:
          - "Seconds after which an idle connection is closed; 0 is never."
        type: int
        default: 3600
      nsslapd_ioblocktimeout:
        description:
          - "Milliseconds after which a stuck connection is closed."
        type: int
        default: 10000
      nsslapd_maxbersize:
        description:
          - "Bytes of the largest request."
        type: int
        default: 2097152
      nsslapd_maxdescriptors:
        description:
          - "How many files and connections may be open."
          - "The server is restarted when it changes."
        type: int
      nsslapd_threadnumber:
        description:
          - "How many threads work on requests; -1 is as the host has processors."
        type: int
        default: -1
      nsslapd_accesslog_logging_enabled:
        description:
          - "Whether the access log is written."
        type: bool
        default: true
      nsslapd_accesslog_level:
        description:
          - "What the access log holds, as a sum of levels."
        type: int
        default: 256
      nsslapd_auditlog_logging_enabled:
        description:
          - "Whether changes are written to the audit log."
        type: bool
        default: false
      nsslapd_errorlog_level:
        description:
          - "What the error log holds, as a sum of levels."
        type: int
        default: 16384
      passwordstoragescheme:
        description:
          - "How users' passwords are hashed."
        type: str
      sslversionmin:
        description:
          - "Oldest TLS that clients may speak."
          - "The server is restarted when it changes."
        type: str
        choices: ["TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3"]
      sslversionmax:
        description:
          - "Newest TLS that clients may speak."
          - "The server is restarted when it changes."
        type: str
        choices: ["TLS1.0", "TLS1.1", "TLS1.2", "TLS1.3"]
      nssslclientauth:
        description:
          - "Whether clients may or must have certificates."
          - "The server is restarted when it changes."
        type: str
        choices: ["off", "allowed", "required"]
        default: "allowed"
      backends:
        description: "The backends of the instance."
        type: list
        elements: dict
        suboptions:
          name:
            description:
              - "Name of the backend."
              - "It cannot be changed afterwards."
            type: str
            required: true
          state:
            description:
              - "Whether the backend is there. Its data goes with it."
            type: str
            choices: ["present", "absent"]
            default: "present"
          suffix:
            description:
              - "Root of the entries that the backend holds."
              - "It cannot be changed afterwards."
              - "DN."
            type: str
            required: true
          create_suffix_entry:
            description:
              - "Whether a new backend gets the entry of its suffix. A suffix without one cannot be searched or replicated."
            type: bool
            default: true
          sample_entries:
            description:
              - "Whether a new backend gets the entries with which many directories begin: groups, people, permissions and services."
            type: bool
            default: false
          ldif_file:
            description:
              - "LDIF file of the server's host that a new backend is filled from."
              - "Absolute path."
            type: str
          require_index:
            description:
              - "Whether unindexed searches are refused."
            type: bool
            default: false
          readonly:
            description:
              - "Whether changes are refused."
            type: bool
            default: false
          entry_cache_size:
            description:
              - "Bytes of the cache of entries. Works when nsslapd_cache_autosize is 0."
            type: int
          entry_cache_number:
            description:
              - "How many entries the cache holds at most; -1 is as many as its bytes allow."
            type: int
          dn_cache_size:
            description:
              - "Bytes of the cache of DNs. Works when nsslapd_cache_autosize is 0."
            type: int
          directory:
            description:
              - "Folder of the backend's files."
              - "It cannot be changed afterwards."
              - "Absolute path."
            type: str
          ReplicaRole:
            description:
              - "Part in replication. None takes the backend out of it; without a word it stays as it is."
            type: str
            choices: ["None", "supplier", "hub", "consumer"]
          ReplicaId:
            description:
              - "Number of a supplier, unique for the suffix."
            type: int
          ReplicaBindDN:
            description:
              - "DNs that may send updates. One below cn=config is created, with ReplicaCredentials as its password."
              - "List of DNs."
            type: list
            elements: str
          ReplicaCredentials:
            description:
              - "Password of ReplicaBindDN. Agreements that target this backend bind with both."
              - "It is masked wherever it would be shown."
            type: str
          ReplicaBindDNGroup:
            description:
              - "Groups whose members may send updates."
              - "List of DNs."
            type: list
            elements: str
          ReplicaBindDNGroupCheckInterval:
            description:
              - "Seconds after which the members of ReplicaBindDNGroup are looked up again; -1 is never."
            type: int
            default: -1
          ReplicaBackoffMin:
            description:
              - "Seconds before the first new attempt after a failure that may pass."
            type: int
            default: 3
          ReplicaBackoffMax:
            description:
              - "Seconds between attempts at most after failures that may pass."
            type: int
            default: 300
          ReplicaPreciseTombstonePurging:
            description:
              - "Whether purging looks at each tombstone, which is exact and slow."
            type: bool
          ReplicaProtocolTimeout:
            description:
              - "Seconds to wait for what is under way when replication stops."
            type: int
            default: 120
          ReplicaPurgeDelay:
            description:
              - "Seconds for which deleted entries and the state of changed ones are kept; -1 is for ever."
            type: int
            default: 604800
          ReplicaReferral:
            description:
              - "Where clients are sent that want to write to a hub or a consumer."
              - "List of LDAP URLs."
            type: list
            elements: str
          ReplicaReleaseTimeout:
            description:
              - "Seconds after which a supplier lets others have the replica."
            type: int
          ReplicaTombstonePurgeInterval:
            description:
              - "Seconds between two purges of tombstones; -1 is never."
            type: int
            default: 86400
          ReplicaKeepAliveUpdateInterval:
            description:
              - "Seconds between updates that only keep agreements with few changes up to date."
            type: int
            default: 3600
          ReplicaTransportInfo:
            description:
              - "How agreements that target this backend connect."
            type: str
            choices: ["LDAP", "LDAPS", "StartTLS"]
          ReplicaUpdateSchedule:
            description:
              - "When agreements that target this backend send updates."
              - "List of times such as 0800-1800 12345."
            type: list
            elements: str
          ReplicaWaitForAsyncResults:
            description:
              - "Milliseconds for which agreements that target this backend wait for acknowledgements."
            type: int
          ChangelogMaxAge:
            description:
              - "How long changes are kept for consumers that are behind."
              - "Duration such as 7d."
            type: str
            default: "7d"
            aliases: [changelog_max_age]
          ChangelogMaxEntries:
            description:
              - "How many changes are kept for consumers that are behind."
            type: int
            aliases: [changelog_max_entries]
          ChangelogTrimInterval:
            description:
              - "Seconds between two trims of the changelog."
            type: int
            default: 300
          ChangelogEncryptionAlgorithm:
            description:
              - "Cipher of the changelog. It needs TLS, and works for changes that are written afterwards."
              - "The server is restarted when it changes."
            type: str
            choices: ["AES", "3DES"]
          ChangelogSymetricKey:
            description:
              - "Key of the encrypted changelog."
              - "The server is restarted when it changes."
              - "It is masked wherever it would be shown."
            type: str
            aliases: [changelogsymmetrickey]
          indexes:
            description: "The indexes of the backend, beside those that every backend has."
            type: list
            elements: dict
            suboptions:
              name:
                description:
                  - "Attribute that is indexed."
                  - "It cannot be changed afterwards."
                type: str
                required: true
              state:
                description:
                  - "Whether the index is there."
                type: str
                choices: ["present", "absent"]
                default: "present"
              IndexType:
                description:
                  - "What is indexed: pres, eq, sub, approx. The backend's data is indexed again when this changes."
                  - "List of attributes."
                type: list
                elements: str
                required: true
              MatchingRule:
                description:
                  - "Matching rules, by name or OID, by which values are indexed besides."
                  - "List of attributes."
                type: list
                elements: str
              SystemIndex:
                description:
                  - "Whether the server itself needs the index."
                type: bool
                default: false
          agmts:
            description: "The replication agreements of the backend."
            type: list
            elements: dict
            aliases: [agreements]
            suboptions:
              name:
                description:
                  - "Name of the agreement."
                  - "It cannot be changed afterwards."
                type: str
                required: true
              state:
                description:
                  - "Whether the agreement is there."
                type: str
                choices: ["present", "absent"]
                default: "present"
              Description:
                description:
                  - "What the agreement is for."
                type: str
              ReplicaHost:
                description:
                  - "Host of the consumer, as its certificate names it."
                type: str
                required: true
              ReplicaPort:
                description:
                  - "Port of the consumer."
                type: int
                required: true
              ReplicaTransportInfo:
                description:
                  - "How the connection is secured."
                type: str
                choices: ["LDAP", "LDAPS", "StartTLS"]
                default: "LDAP"
              ReplicaBindMethod:
                description:
                  - "How to bind to the consumer."
                type: str
                choices: ["SIMPLE", "SSLCLIENTAUTH", "SASL/GSSAPI", "SASL/DIGEST-MD5"]
                default: "SIMPLE"
              ReplicaBindDN:
                description:
                  - "DN to bind with."
                  - "DN."
                type: str
              ReplicaCredentials:
                description:
                  - "Password to bind with."
                  - "It is masked wherever it would be shown."
                type: str
              ReplicaEnabled:
                description:
                  - "Whether updates are sent."
                type: bool
                default: true
              ReplicaBootstrapBindDN:
                description:
                  - "DN to bind with when the consumer refuses ReplicaBindDN."
                  - "DN."
                type: str
              ReplicaBootstrapBindMethod:
                description:
                  - "How to bind with ReplicaBootstrapBindDN."
                type: str
                choices: ["SIMPLE", "SSLCLIENTAUTH", "SASL/GSSAPI", "SASL/DIGEST-MD5"]
              ReplicaBootstrapCredentials:
                description:
                  - "Password of ReplicaBootstrapBindDN."
                  - "It is masked wherever it would be shown."
                type: str
              ReplicaBootstrapTransportInfo:
                description:
                  - "How the connection for ReplicaBootstrapBindDN is secured."
                type: str
                choices: ["LDAP", "LDAPS", "StartTLS"]
              ReplicaBusyWaitTime:
                description:
                  - "Seconds to wait after the consumer said that it is busy."
                type: int
              ReplicaFlowControlPause:
                description:
                  - "Milliseconds to pause when ReplicaFlowControlWindow is full."
                type: int
              ReplicaFlowControlWindow:
                description:
                  - "How many updates may be unacknowledged before there is a pause."
                type: int
              ReplicaIgnoreMissingChange:
                description:
                  - "Whether replication goes on when a change is missing from the changelog."
                type: str
                choices: ["never", "once", "always", "on", "off"]
              ReplicaSessionPauseTime:
                description:
                  - "Seconds between two sessions, for other suppliers to have a turn."
                type: int
              ReplicaStripAttrs:
                description:
                  - "Attributes whose change alone is not sent when ReplicatedAttributeList leaves the rest of an update out."
                  - "List of attributes."
                type: list
                elements: str
              ReplicatedAttributeList:
                description:
                  - "Attributes that are not replicated."
                  - "List of attributes."
                type: list
                elements: str
              ReplicatedAttributeListTotal:
                description:
                  - "Attributes that are left out when the consumer is initialised."
                  - "List of attributes."
                type: list
                elements: str
              ReplicaTimeout:
                description:
                  - "Seconds after which an operation on the consumer has failed."
                type: int
                default: 120
              ReplicaUpdateSchedule:
                description:
                  - "When updates are sent: HHMM-HHMM and days from 0, Sunday, to 6. Always, if there is none."
                  - "List of times such as 0800-1800 12345."
                type: list
                elements: str
              ReplicaWaitForAsyncResults:
                description:
                  - "Milliseconds to wait for the consumer's acknowledgements before asking again."
                type: int
  # Made of the table of options: end
notes:
  - The variable C(ds389_binary) names the program on the controller, C(ds389_binary_cache) the folder for it on hosts.
seealso:
  - module: aviary.ds389.ds389_info
'''

EXAMPLES = r'''
- name: Make the directory servers what the inventory says
  hosts: ldap
  become: true
  tasks:
    - name: Instances, backends, indexes, replicas and agreements
      aviary.ds389.ds389_server:

- name: Stop them
  hosts: ldap
  become: true
  tasks:
    - name: Stop the instances that the inventory lists
      aviary.ds389.ds389_server:
        state: stopped

- name: One instance without an inventory
  hosts: vm1.example.com
  become: true
  tasks:
    - name: An instance with a backend and an index
      aviary.ds389.ds389_server:
        ds389_instances:
          - name: localhost
            rootpw: "{{ vault_rootpw }}"
            backends:
              - name: userroot
                suffix: dc=example,dc=com
                indexes:
                  - name: employeeNumber
                    IndexType: [eq, pres]
'''

RETURN = r'''
msg:
  description: What was changed, or would be in check mode. When the task fails, a text that says why.
  returned: always
  type: list
  elements: str
  sample: ["Creating instance slapd-localhost", "Starting instance slapd-localhost"]
message:
  description: What was changed, or would be in check mode, as ds389.ansible_ds returns it.
  returned: always
  type: list
  elements: str
changed:
  description: Whether anything was changed, or would be.
  returned: always
  type: bool
exception:
  description: What was being done when it failed.
  returned: when the task fails on the host
  type: str
stderr:
  description: What went wrong, line by line.
  returned: when the task fails on the host
  type: str
invocation:
  description: The arguments of the module as it received them. Ansible shows it from verbosity 3 and keeps it from variables.
  returned: when the module ran
  type: dict
raw_invocation:
  description: The same, as ds389.ansible_ds returns it; it is masked here.
  returned: when the module ran
  type: dict
original_message:
  description: What the module was asked for, as it received it.
  returned: when the module ran
  type: dict
cooked_message:
  description: The same as it was understood, with its agreements.
  returned: when the module ran
  type: dict
debug:
  description: What happened, line by line. Errors always, warnings from verbosity 1, changes from 2, all else from 3.
  returned: when the module ran
  type: list
  elements: str
module_debug:
  description: The same as one text, as ds389.ansible_ds returns it.
  returned: when there is any line
  type: str
diff:
  description: Of each change, what was and what will be.
  returned: in diff mode
  type: list
  elements: dict
plugin_args:
  description: The arguments of the task.
  returned: from verbosity 1
  type: dict
module_args:
  description: The arguments that the plugin made for the module.
  returned: from verbosity 1
  type: dict
hosts:
  description: What each host should be, after modifiers.
  returned: from verbosity 3
  type: dict
replicated_backends:
  description: The backends among which targets were looked for, with suffix and role.
  returned: from verbosity 4
  type: list
  elements: str
inventory:
  description: The variables of all hosts that are about 389 DS, as they were read.
  returned: from verbosity 5
  type: dict
modifier_names:
  description: For each host, the names that a further modifier may use.
  returned: from verbosity 5
  type: dict
'''
