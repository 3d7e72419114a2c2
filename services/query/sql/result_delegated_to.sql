SELECT
    hosts.id,
    hosts.playbook_id,
    hosts.created,
    hosts.updated,
    hosts.name,
    hosts.changed,
    hosts.failed,
    hosts.ok,
    hosts.skipped,
    hosts.unreachable
FROM hosts
INNER JOIN results_delegated_to ON (hosts.id = results_delegated_to.host_id)
WHERE results_delegated_to.result_id = ?1
