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
  - 389-ds-base 2.0 or newer on the host
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
          - "Port for LDAPS, where nsslapd_security is on."
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
          - "It has an effect on creation only."
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
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      log_dir:
        description:
          - "Folder of logs."
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      local_state_dir:
        description:
          - "Folder of variable data."
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      sysconf_dir:
        description:
          - "Folder of the system's configuration."
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      data_dir:
        description:
          - "Folder of shared data."
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      initconfig_dir:
        description:
          - "Folder of the service's environment."
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      bin_dir:
        description:
          - "Folder of programs."
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      sbin_dir:
        description:
          - "Folder of the server's program."
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      lib_dir:
        description:
          - "Folder of libraries."
          - "It has an effect on creation only."
          - "Absolute path."
        type: str
      self_sign_cert:
        description:
          - "Whether a new instance gets a certificate that it signs itself."
          - "It has an effect on creation only."
        type: bool
        default: true
      self_sign_cert_valid_months:
        description:
          - "Months for which that certificate is valid."
          - "It has an effect on creation only."
        type: int
        default: 24
      selinux:
        description:
          - "Whether files and ports get their SELinux labels, where SELinux is on."
          - "It has an effect on creation only."
        type: bool
        default: true
      systemd:
        description:
          - "Whether systemd starts and stops the instance, where systemd is there."
          - "It has an effect on creation only."
        type: bool
        default: true
      strict_host_checking:
        description:
          - "Whether full_machine_name has to have an address that leads back to it."
          - "It has an effect on creation only."
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
      nsslapd_pagedlookthroughlimit:
        description:
          - "As nsslapd_lookthroughlimit, for searches in pages; 0 is the same limit."
        type: int
        default: 0
      nsslapd_pagedidlistscanlimit:
        description:
          - "As nsslapd_idlistscanlimit, for searches in pages, at least 100; 0 is the same limit."
        type: int
        default: 0
      nsslapd_rangelookthroughlimit:
        description:
          - "How many entries a search for a range may look at."
        type: int
        default: 5000
      nsslapd_mode:
        description:
          - "Permissions of database files."
          - "The server is restarted when it changes."
          - "Octal digits in quotes, such as '640'."
        type: str
        default: "600"
      nsslapd_import_cachesize:
        description:
          - "Bytes of the cache of an import, where the database is BDB."
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
          - "It cannot be changed afterwards."
          - "List of attributes."
        type: list
        elements: str
        default: ["entrydn","entryid","dncomp","parentid","numSubordinates","tombstonenumsubordinates","entryusn"]
      nsslapd_backend_opt_level:
        description:
          - "Experimental ways to write faster."
          - "It cannot be changed afterwards."
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
      tls_cert:
        description:
          - "File of PEM on the server's host: the certificate that the server shows, then those between it and its authority. It is imported again when the file has another one."
          - "Absolute path."
        type: str
      tls_key:
        description:
          - "File of PEM on the server's host: the key of tls_cert."
          - "Absolute path."
        type: str
      tls_ca:
        description:
          - "Files of PEM on the server's host: certificates of authorities whose certificates the server trusts. Those that it has trusted before are left as they are."
          - "List of absolute paths."
        type: list
        elements: str
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
      nsSSLSessionTimeout:
        description:
          - "Seconds for which clients may take up a TLS session again; 0 is as long as the library lets them."
          - "The server is restarted when it changes."
        type: int
        default: 0
      allowWeakCipher:
        description:
          - "Whether ciphers that are weak may be used."
          - "The server is restarted when it changes."
        type: bool
        default: false
      nsSSL3Ciphers:
        description:
          - "Which ciphers may be used, such as +all or default,-TLS_RSA_WITH_AES_128_CBC_SHA."
          - "The server is restarted when it changes."
        type: str
      nsslapd_validate_cert:
        description:
          - "What the server does at its start when its certificate has ended: on does not start."
          - "The server is restarted when it changes."
        type: str
        choices: ["warn", "on", "off"]
        default: "warn"
      nsslapd_tls_check_crl:
        description:
          - "Whether lists of revoked certificates are looked at when the server connects to others."
        type: str
        choices: ["none", "peer", "all"]
        default: "none"
      nsslapd_minssf_exclude_rootdse:
        description:
          - "Whether the root DSE can be read without the encryption that nsslapd_minssf asks for."
        type: bool
        default: false
      nsslapd_certmap_basedn:
        description:
          - "Where entries for clients with certificates are looked for."
          - "DN."
        type: str
      nsslapd_schemacheck:
        description:
          - "Whether entries have to be as the schema says."
        type: bool
        default: true
      nsslapd_syntaxcheck:
        description:
          - "Whether values have to be as their syntax says."
        type: bool
        default: true
      nsslapd_dn_validate_strict:
        description:
          - "Whether names have to be as RFC 4514 says."
        type: bool
        default: false
      nsslapd_verify_filter_schema:
        description:
          - "What becomes of a filter with attributes that the schema does not have."
        type: str
        choices: ["process-safe", "warn-invalid", "reject-invalid", "off"]
        default: "process-safe"
      nsslapd_lastmod:
        description:
          - "Whether entries have who changed them, and when."
        type: bool
        default: true
      nsslapd_plugin_binddn_tracking:
        description:
          - "Whether entries have for whom a plugin changed them."
        type: bool
        default: false
      nsslapd_entryusn_global:
        description:
          - "Whether numbers of the USN plugin are those of all backends."
        type: bool
        default: false
      nsslapd_anonlimitsdn:
        description:
          - "Entry with the limits of clients that do not bind."
          - "DN."
        type: str
      nsslapd_pagedsizelimit:
        description:
          - "As nsslapd_sizelimit, for searches in pages; 0 is the same limit."
        type: int
        default: 0
      nsslapd_maxsimplepaged_per_conn:
        description:
          - "How many searches in pages a connection may have; -1 is no limit."
        type: int
        default: -1
      nsslapd_max_filter_nest_level:
        description:
          - "How deep filters may be nested; 0 is no limit."
        type: int
        default: 40
      nsslapd_groupevalnestlevel:
        description:
          - "How deep groups in access control are looked into; 0 is no limit."
        type: int
        default: 0
      nsslapd_maxsasliosize:
        description:
          - "Bytes of the largest packet under SASL."
        type: int
        default: 2097152
      nsslapd_maxthreadsperconn:
        description:
          - "How many threads work for one connection."
        type: int
        default: 5
      nsslapd_listen_backlog_size:
        description:
          - "How many connections may wait to be taken."
          - "The server is restarted when it changes."
        type: int
        default: 128
      nsslapd_numlisteners:
        description:
          - "How many threads look after connections."
          - "The server is restarted when it changes."
          - "It needs 389 DS 3.0.0."
        type: int
        default: 1
      nsslapd_outbound_ldap_io_timeout:
        description:
          - "Milliseconds that other servers have for an answer."
        type: int
        default: 300000
      nsslapd_nagle:
        description:
          - "Whether small answers wait for more to be sent together."
        type: bool
        default: false
      nsslapd_enable_turbo_mode:
        description:
          - "Whether busy connections get a thread of their own."
        type: bool
        default: true
      nsslapd_ndn_cache_enabled:
        description:
          - "Whether normalized names are kept in memory."
          - "The server is restarted when it changes."
        type: bool
        default: true
      nsslapd_ndn_cache_max_size:
        description:
          - "Bytes of that memory."
          - "The server is restarted when it changes."
        type: int
        default: 20971520
      nsslapd_return_exact_case:
        description:
          - "Whether attributes are spelled as in the schema."
          - "The server is restarted when it changes."
        type: bool
        default: true
      nsslapd_schema_ignore_trailing_spaces:
        description:
          - "Whether spaces after names of object classes are let pass."
          - "The server is restarted when it changes."
        type: bool
        default: false
      nsslapd_force_sasl_external:
        description:
          - "Whether clients with certificates are bound by them whatever they ask for."
        type: bool
        default: false
      nsslapd_ignore_time_skew:
        description:
          - "Whether replication goes on with servers whose clocks are far off."
        type: bool
        default: false
      nsslapd_disk_monitoring:
        description:
          - "Whether the server looks after the space on its disks."
          - "The server is restarted when it changes."
        type: bool
        default: false
      nsslapd_disk_monitoring_threshold:
        description:
          - "Bytes of space below which it does something; below half of it, it stops."
        type: int
        default: 2097152
      nsslapd_disk_monitoring_grace_period:
        description:
          - "Minutes that it waits before it stops."
        type: int
        default: 60
      nsslapd_disk_monitoring_logging_critical:
        description:
          - "Whether logs are kept before that."
        type: bool
        default: false
      nsslapd_disk_monitoring_readonly_on_threshold:
        description:
          - "Whether nothing can be changed below the threshold, instead of stopping."
        type: bool
        default: false
      nsslapd_db_locks:
        description:
          - "How many locks the database has, where it is BDB."
          - "The server is restarted when it changes."
        type: int
        default: 10000
      nsslapd_db_durable_transaction:
        description:
          - "Whether each change is on disk before it is confirmed, where the database is BDB."
          - "It cannot be changed afterwards."
        type: bool
        default: true
      nsslapd_db_checkpoint_interval:
        description:
          - "Seconds between checkpoints of the database, where it is BDB."
        type: int
        default: 60
      nsslapd_accesslog_logging_enabled:
        description:
          - "Whether the access log is written."
        type: bool
        default: true
      nsslapd_accesslog_maxlogsize:
        description:
          - "Megabytes after which the access log is rotated; -1 is never."
        type: int
        default: 100
      nsslapd_accesslog_maxlogsperdir:
        description:
          - "How many files of the access log are kept."
        type: int
        default: 10
      nsslapd_accesslog_logrotationtime:
        description:
          - "After how many of logrotationtimeunit the access log is rotated; -1 is never."
        type: int
        default: 1
      nsslapd_accesslog_logrotationtimeunit:
        description:
          - "The span in which the rotation of the access log is counted."
        type: str
        choices: ["minute", "hour", "day", "week", "month"]
        default: "day"
      nsslapd_accesslog_logexpirationtime:
        description:
          - "After how many of logexpirationtimeunit files of the access log are deleted; -1 is never."
        type: int
        default: 1
      nsslapd_accesslog_logexpirationtimeunit:
        description:
          - "The span in which the age of files of the access log is counted."
        type: str
        choices: ["day", "week", "month"]
        default: "month"
      nsslapd_accesslog_logmaxdiskspace:
        description:
          - "Megabytes that all files of the access log may have; the oldest are deleted. -1 is no limit."
        type: int
        default: 500
      nsslapd_accesslog_logminfreediskspace:
        description:
          - "Megabytes that have to be free; otherwise the oldest files of the access log are deleted."
        type: int
        default: 5
      nsslapd_errorlog_logging_enabled:
        description:
          - "Whether the error log is written."
        type: bool
        default: true
      nsslapd_errorlog_maxlogsize:
        description:
          - "Megabytes after which the error log is rotated; -1 is never."
        type: int
        default: 100
      nsslapd_errorlog_maxlogsperdir:
        description:
          - "How many files of the error log are kept."
        type: int
        default: 2
      nsslapd_errorlog_logrotationtime:
        description:
          - "After how many of logrotationtimeunit the error log is rotated; -1 is never."
        type: int
        default: 1
      nsslapd_errorlog_logrotationtimeunit:
        description:
          - "The span in which the rotation of the error log is counted."
        type: str
        choices: ["minute", "hour", "day", "week", "month"]
        default: "week"
      nsslapd_errorlog_logexpirationtime:
        description:
          - "After how many of logexpirationtimeunit files of the error log are deleted; -1 is never."
        type: int
        default: 1
      nsslapd_errorlog_logexpirationtimeunit:
        description:
          - "The span in which the age of files of the error log is counted."
        type: str
        choices: ["day", "week", "month"]
        default: "month"
      nsslapd_errorlog_logmaxdiskspace:
        description:
          - "Megabytes that all files of the error log may have; the oldest are deleted. -1 is no limit."
        type: int
        default: 100
      nsslapd_errorlog_logminfreediskspace:
        description:
          - "Megabytes that have to be free; otherwise the oldest files of the error log are deleted."
        type: int
        default: 5
      nsslapd_auditlog_logging_enabled:
        description:
          - "Whether the audit log is written."
        type: bool
        default: false
      nsslapd_auditlog_maxlogsize:
        description:
          - "Megabytes after which the audit log is rotated; -1 is never."
        type: int
        default: 100
      nsslapd_auditlog_maxlogsperdir:
        description:
          - "How many files of the audit log are kept."
        type: int
        default: 2
      nsslapd_auditlog_logrotationtime:
        description:
          - "After how many of logrotationtimeunit the audit log is rotated; -1 is never."
        type: int
        default: 1
      nsslapd_auditlog_logrotationtimeunit:
        description:
          - "The span in which the rotation of the audit log is counted."
        type: str
        choices: ["minute", "hour", "day", "week", "month"]
        default: "week"
      nsslapd_auditlog_logexpirationtime:
        description:
          - "After how many of logexpirationtimeunit files of the audit log are deleted; -1 is never."
        type: int
        default: 1
      nsslapd_auditlog_logexpirationtimeunit:
        description:
          - "The span in which the age of files of the audit log is counted."
        type: str
        choices: ["day", "week", "month"]
        default: "month"
      nsslapd_auditlog_logmaxdiskspace:
        description:
          - "Megabytes that all files of the audit log may have; the oldest are deleted. -1 is no limit."
        type: int
        default: 100
      nsslapd_auditlog_logminfreediskspace:
        description:
          - "Megabytes that have to be free; otherwise the oldest files of the audit log are deleted."
        type: int
        default: 5
      nsslapd_auditfaillog_logging_enabled:
        description:
          - "Whether the audit log of what failed is written."
        type: bool
        default: false
      nsslapd_auditfaillog_maxlogsize:
        description:
          - "Megabytes after which the audit log of what failed is rotated; -1 is never."
        type: int
        default: 100
      nsslapd_auditfaillog_maxlogsperdir:
        description:
          - "How many files of the audit log of what failed are kept."
        type: int
        default: 2
      nsslapd_auditfaillog_logrotationtime:
        description:
          - "After how many of logrotationtimeunit the audit log of what failed is rotated; -1 is never."
        type: int
        default: 1
      nsslapd_auditfaillog_logrotationtimeunit:
        description:
          - "The span in which the rotation of the audit log of what failed is counted."
        type: str
        choices: ["minute", "hour", "day", "week", "month"]
        default: "week"
      nsslapd_auditfaillog_logexpirationtime:
        description:
          - "After how many of logexpirationtimeunit files of the audit log of what failed are deleted; -1 is never."
        type: int
        default: 1
      nsslapd_auditfaillog_logexpirationtimeunit:
        description:
          - "The span in which the age of files of the audit log of what failed is counted."
        type: str
        choices: ["day", "week", "month"]
        default: "month"
      nsslapd_auditfaillog_logmaxdiskspace:
        description:
          - "Megabytes that all files of the audit log of what failed may have; the oldest are deleted. -1 is no limit."
        type: int
        default: 100
      nsslapd_auditfaillog_logminfreediskspace:
        description:
          - "Megabytes that have to be free; otherwise the oldest files of the audit log of what failed are deleted."
        type: int
        default: 5
      nsslapd_accesslog_mode:
        description:
          - "Permissions of files of the access log."
          - "Octal digits in quotes, such as '640'."
        type: str
        default: "600"
      nsslapd_errorlog_mode:
        description:
          - "Permissions of files of the error log."
          - "Octal digits in quotes, such as '640'."
        type: str
        default: "600"
      nsslapd_auditlog_mode:
        description:
          - "Permissions of files of the audit log."
          - "Octal digits in quotes, such as '640'."
        type: str
        default: "600"
      nsslapd_accesslog_level:
        description:
          - "What the access log holds, as a sum of levels."
        type: int
        default: 256
      nsslapd_accesslog_logbuffering:
        description:
          - "Whether lines of the access log are written together."
        type: bool
        default: true
      nsslapd_errorlog_level:
        description:
          - "What the error log holds, as a sum of levels."
        type: int
        default: 16384
      nsslapd_auditlog_logging_hide_unhashed_pw:
        description:
          - "Whether the audit log has no passwords."
        type: bool
        default: true
      nsslapd_auditfaillog_logging_hide_unhashed_pw:
        description:
          - "Whether the audit log of what failed has no passwords."
        type: bool
        default: true
      nsslapd_securitylog_logging_enabled:
        description:
          - "Whether the security log is written."
          - "It needs 389 DS 2.2.0."
        type: bool
        default: true
      nsslapd_securitylog_maxlogsize:
        description:
          - "Megabytes after which the security log is rotated."
          - "It needs 389 DS 2.2.0."
        type: int
        default: 100
      nsslapd_securitylog_maxlogsperdir:
        description:
          - "How many files of the security log are kept."
          - "It needs 389 DS 2.2.0."
        type: int
        default: 10
      nsslapd_csnlogging:
        description:
          - "Whether the access log has the numbers of replicated changes."
        type: bool
        default: true
      nsslapd_plugin_logging:
        description:
          - "Whether the access log has what plugins do."
        type: bool
        default: false
      nsslapd_syntaxlogging:
        description:
          - "Whether values that are against their syntax are logged."
        type: bool
        default: false
      passwordstoragescheme:
        description:
          - "How users' passwords are hashed."
        type: str
      nsslapd_rootpwstoragescheme:
        description:
          - "How the administrator's password is hashed."
        type: str
      nsslapd_pwpolicy_local:
        description:
          - "Whether users and subtrees may have policies of their own."
        type: bool
        default: false
      nsslapd_pwpolicy_inherit_global:
        description:
          - "Whether such policies take what they do not say from this one."
        type: bool
        default: false
      nsslapd_allow_hashed_passwords:
        description:
          - "Whether others than the administrator may write passwords that are hashed already."
        type: bool
        default: false
      passwordChange:
        description:
          - "Whether users may change their passwords."
        type: bool
        default: true
      passwordMustChange:
        description:
          - "Whether users have to change a password that was set for them."
        type: bool
        default: false
      passwordHistory:
        description:
          - "Whether earlier passwords are refused."
        type: bool
        default: false
      passwordInHistory:
        description:
          - "How many earlier passwords are kept."
        type: int
        default: 6
      passwordExp:
        description:
          - "Whether passwords end."
        type: bool
        default: false
      passwordMaxAge:
        description:
          - "Seconds after which a password ends."
        type: int
        default: 8640000
      passwordMinAge:
        description:
          - "Seconds for which a new password cannot be changed."
        type: int
        default: 0
      passwordWarning:
        description:
          - "Seconds before its end from which a user is warned."
        type: int
        default: 86400
      passwordGraceLimit:
        description:
          - "How many logins are left after its end."
        type: int
        default: 0
      passwordSendExpiringTime:
        description:
          - "Whether clients are always told how long is left."
        type: bool
        default: false
      passwordLockout:
        description:
          - "Whether accounts are locked after wrong passwords."
        type: bool
        default: false
      passwordMaxFailure:
        description:
          - "How many wrong passwords lock an account."
        type: int
        default: 3
      passwordLockoutDuration:
        description:
          - "Seconds for which an account is locked."
        type: int
        default: 3600
      passwordResetFailureCount:
        description:
          - "Seconds after which wrong passwords are forgotten."
        type: int
        default: 600
      passwordUnlock:
        description:
          - "Whether locked accounts are unlocked after that time, or by hand alone."
        type: bool
        default: true
      passwordLegacyPolicy:
        description:
          - "Whether an account is locked one attempt later, as it once was."
        type: bool
        default: true
      passwordIsGlobalPolicy:
        description:
          - "Whether locks are replicated."
        type: bool
        default: false
      passwordTrackUpdateTime:
        description:
          - "Whether the time of a password's change is kept."
        type: bool
        default: false
      passwordCheckSyntax:
        description:
          - "Whether new passwords have to be as the following options say."
        type: bool
        default: false
      passwordMinLength:
        description:
          - "Fewest characters."
        type: int
        default: 8
      passwordMinDigits:
        description:
          - "Fewest digits."
        type: int
        default: 0
      passwordMinAlphas:
        description:
          - "Fewest letters."
        type: int
        default: 0
      passwordMinUppers:
        description:
          - "Fewest upper-case letters."
        type: int
        default: 0
      passwordMinLowers:
        description:
          - "Fewest lower-case letters."
        type: int
        default: 0
      passwordMinSpecials:
        description:
          - "Fewest characters that are neither letters nor digits."
        type: int
        default: 0
      passwordMin8bit:
        description:
          - "Fewest characters beyond ASCII."
        type: int
        default: 0
      passwordMinCategories:
        description:
          - "Fewest kinds of characters."
        type: int
        default: 3
      passwordMinTokenLength:
        description:
          - "Shortest part of the user's attributes that a password may not have."
        type: int
        default: 3
      passwordMaxRepeats:
        description:
          - "How often a character may follow itself; 0 is no limit."
        type: int
        default: 0
      passwordMaxSequence:
        description:
          - "How long a sequence such as 1234 may be; 0 is no limit."
        type: int
        default: 0
      passwordMaxSeqSets:
        description:
          - "How long a sequence that occurs twice may be; 0 is no limit."
        type: int
        default: 0
      passwordMaxClassChars:
        description:
          - "How many characters of one kind may follow each other; 0 is no limit."
        type: int
        default: 0
      passwordPalindrome:
        description:
          - "Whether palindromes are refused."
        type: bool
        default: false
      passwordDictCheck:
        description:
          - "Whether words of a dictionary are refused."
        type: bool
        default: false
      memberof_enabled:
        description:
          - "Whether entries list the groups that they are in (MemberOf)."
          - "The server is restarted when it changes."
        type: bool
        default: false
      memberof_attr:
        description:
          - "Attribute that lists them."
          - "The server is restarted when it changes."
        type: str
        default: "memberOf"
      memberof_groupattr:
        description:
          - "Attributes of groups that list members."
          - "The server is restarted when it changes."
          - "List of attributes."
        type: list
        elements: str
        default: ["member"]
      memberof_allbackends:
        description:
          - "Whether members may be in other backends."
          - "The server is restarted when it changes."
        type: bool
        default: false
      memberof_skipnested:
        description:
          - "Whether groups in groups are not looked into."
          - "The server is restarted when it changes."
        type: bool
        default: false
      memberof_entryscope:
        description:
          - "Where entries get the attribute; else everywhere."
          - "The server is restarted when it changes."
          - "List of DNs."
        type: list
        elements: str
      memberof_entryscopeexclude:
        description:
          - "Where entries do not get it."
          - "The server is restarted when it changes."
          - "List of DNs."
        type: list
        elements: str
      memberof_autoaddoc:
        description:
          - "Object class that members get so that they may have the attribute."
          - "The server is restarted when it changes."
        type: str
      referint_enabled:
        description:
          - "Whether names of deleted entries are deleted elsewhere too (Referential Integrity)."
          - "The server is restarted when it changes."
        type: bool
        default: false
      referint_update_delay:
        description:
          - "Seconds after which that is done; 0 is at once, -1 never."
          - "The server is restarted when it changes."
        type: int
        default: 0
      referint_membership_attr:
        description:
          - "Attributes with names of entries."
          - "The server is restarted when it changes."
          - "List of attributes."
        type: list
        elements: str
        default: ["member","uniquemember","owner","seeAlso"]
      referint_entryscope:
        description:
          - "Which deleted entries count; else all."
          - "The server is restarted when it changes."
          - "List of DNs."
        type: list
        elements: str
      referint_excludeentryscope:
        description:
          - "Which do not."
          - "The server is restarted when it changes."
          - "List of DNs."
        type: list
        elements: str
      referint_containerscope:
        description:
          - "Where their names are looked for; else everywhere."
          - "The server is restarted when it changes."
          - "DN."
        type: str
      attruniq_enabled:
        description:
          - "Whether values may occur once only (Attribute Uniqueness)."
          - "The server is restarted when it changes."
        type: bool
        default: false
      attruniq_attribute_name:
        description:
          - "Attributes with such values."
          - "The server is restarted when it changes."
          - "List of attributes."
        type: list
        elements: str
        default: ["uid"]
      attruniq_subtrees:
        description:
          - "In which subtrees."
          - "The server is restarted when it changes."
          - "List of DNs."
        type: list
        elements: str
      attruniq_exclude_subtrees:
        description:
          - "In which of them not."
          - "The server is restarted when it changes."
          - "List of DNs."
        type: list
        elements: str
      attruniq_across_all_subtrees:
        description:
          - "Whether once in all of them together, or in each."
          - "The server is restarted when it changes."
        type: bool
        default: false
      automember_enabled:
        description:
          - "Whether new entries are put into groups by rules (Auto Membership)."
          - "The server is restarted when it changes."
        type: bool
        default: true
      automember_processmodifyops:
        description:
          - "Whether entries that change are as well."
          - "The server is restarted when it changes."
        type: bool
        default: true
      automember_configarea:
        description:
          - "Where the rules are."
          - "The server is restarted when it changes."
          - "DN."
        type: str
      managed_entries_enabled:
        description:
          - "Whether entries have others made for them by rules (Managed Entries)."
          - "The server is restarted when it changes."
        type: bool
        default: true
      managed_entries_configarea:
        description:
          - "Where the rules are."
          - "The server is restarted when it changes."
          - "DN."
        type: str
      account_policy_enabled:
        description:
          - "Whether accounts that are not used are locked (Account Policy)."
          - "The server is restarted when it changes."
        type: bool
        default: false
      account_policy_alwaysrecordlogin:
        description:
          - "Whether logins of accounts without a policy are noted too."
          - "The server is restarted when it changes."
        type: str
        choices: ["no", "yes"]
        default: "no"
      account_policy_stateattrname:
        description:
          - "Attribute with the time of the last login."
          - "The server is restarted when it changes."
        type: str
      account_policy_altstateattrname:
        description:
          - "Attribute that is taken where there is none yet."
          - "The server is restarted when it changes."
        type: str
      account_policy_specattrname:
        description:
          - "Attribute that says which policy an account has."
          - "The server is restarted when it changes."
        type: str
      account_policy_limitattrname:
        description:
          - "Attribute of a policy with the seconds until an account is locked."
          - "The server is restarted when it changes."
        type: str
      retro_changelog_enabled:
        description:
          - "Whether changes can be read below cn=changelog (Retro Changelog)."
          - "The server is restarted when it changes."
        type: bool
        default: false
      retro_changelog_maxage:
        description:
          - "How long they are kept."
          - "The server is restarted when it changes."
          - "Duration such as 7d."
        type: str
      retro_changelog_trim_interval:
        description:
          - "Seconds between two looks at that."
          - "The server is restarted when it changes."
        type: int
      retro_changelog_exclude_suffix:
        description:
          - "Suffixes whose changes are left out."
          - "The server is restarted when it changes."
          - "List of DNs."
        type: list
        elements: str
      retro_changelog_exclude_attrs:
        description:
          - "Attributes that are left out."
          - "The server is restarted when it changes."
          - "List of attributes."
        type: list
        elements: str
      retro_changelog_attribute:
        description:
          - "Attributes of changed entries that are noted besides."
          - "The server is restarted when it changes."
          - "List of strings."
        type: list
        elements: str
      usn_enabled:
        description:
          - "Whether each change gives entries a number (USN)."
          - "The server is restarted when it changes."
        type: bool
        default: false
      rootdn_access_enabled:
        description:
          - "Whether the administrator's access has limits (RootDN Access Control)."
          - "The server is restarted when it changes."
        type: bool
        default: false
      rootdn_open_time:
        description:
          - "From when in the day there is access."
          - "The server is restarted when it changes."
          - "Time of day in quotes, such as '0800'."
        type: str
      rootdn_close_time:
        description:
          - "Until when."
          - "The server is restarted when it changes."
          - "Time of day in quotes, such as '0800'."
        type: str
      rootdn_days_allowed:
        description:
          - "On which days, such as Mon, Tue."
          - "The server is restarted when it changes."
        type: str
      rootdn_allow_host:
        description:
          - "From which hosts; * stands for any text."
          - "The server is restarted when it changes."
          - "List of strings."
        type: list
        elements: str
      rootdn_deny_host:
        description:
          - "From which hosts there is none."
          - "The server is restarted when it changes."
          - "List of strings."
        type: list
        elements: str
      rootdn_allow_ip:
        description:
          - "From which addresses; * stands for any text."
          - "The server is restarted when it changes."
          - "List of strings."
        type: list
        elements: str
      rootdn_deny_ip:
        description:
          - "From which addresses there is none."
          - "The server is restarted when it changes."
          - "List of strings."
        type: list
        elements: str
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
              - "It has an effect on creation only."
            type: bool
            default: true
          sample_entries:
            description:
              - "Whether a new backend gets the entries with which many directories begin: groups, people, permissions and services."
              - "It has an effect on creation only."
            type: bool
            default: false
          ldif_file:
            description:
              - "LDIF file of the server's host that a new backend is filled from."
              - "It has an effect on creation only."
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
              - "How many entries the cache holds at most; -1 is as many as its bytes allow. Works when nsslapd_cache_autosize is 0."
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
            aliases: [replica_role]
          ReplicaId:
            description:
              - "Number of a supplier, unique for the suffix."
            type: int
            aliases: [replica_id]
          ReplicaBindDN:
            description:
              - "DNs that may send updates. One below cn=config is created, with ReplicaCredentials as its password."
              - "List of DNs."
            type: list
            elements: str
            aliases: [replica_binddn]
          ReplicaCredentials:
            description:
              - "Password of ReplicaBindDN. Agreements that target this backend bind with both."
              - "It is masked wherever it would be shown."
            type: str
            aliases: [replica_bindpw]
          ReplicaBindDNGroup:
            description:
              - "The group whose members may send updates."
              - "DN."
            type: str
            aliases: [replica_bindgroup]
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
          ReplicaHost:
            description:
              - "Host that agreements that target this backend connect to, if not the full_machine_name or the address of its host."
            type: str
          ReplicaPort:
            description:
              - "Port that agreements that target this backend connect to, if not the port or secure_port of its instance."
            type: int
          ReplicaBindMethod:
            description:
              - "How agreements that target this backend bind."
            type: str
            choices: ["SIMPLE", "SSLCLIENTAUTH", "SASL/GSSAPI", "SASL/DIGEST-MD5"]
          ReplicaBootstrapBindDN:
            description:
              - "DN that agreements that target this backend bind with when it refuses ReplicaBindDN."
              - "DN."
            type: str
          ReplicaBootstrapBindMethod:
            description:
              - "How agreements that target this backend bind with ReplicaBootstrapBindDN."
            type: str
            choices: ["SIMPLE", "SSLCLIENTAUTH", "SASL/GSSAPI", "SASL/DIGEST-MD5"]
          ReplicaBootstrapCredentials:
            description:
              - "Password of ReplicaBootstrapBindDN, for agreements that target this backend."
              - "It is masked wherever it would be shown."
            type: str
          ReplicaBootstrapTransportInfo:
            description:
              - "How agreements that target this backend connect for ReplicaBootstrapBindDN."
            type: str
            choices: ["LDAP", "LDAPS", "StartTLS"]
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
                  - "List of pres, eq, sub, approx, none."
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
              Initialise:
                description:
                  - "Whether a new agreement's consumer is given all entries: OnCreate unless both have the same data already, Anew also then. What it held is lost."
                  - "It has an effect on creation only."
                type: str
                choices: ["Never", "OnCreate", "Anew"]
                default: "Never"
                aliases: [initialize]
              InitialiseRequest:
                description:
                  - "A word that asks for Initialise once more where the agreement is there already. Another word asks again."
                  - "It has an effect on creation only."
                type: str
                aliases: [initialize_request]
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
