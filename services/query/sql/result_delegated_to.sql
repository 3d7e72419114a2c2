FROM hosts
INNER JOIN results_delegated_to ON (hosts.id = results_delegated_to.host_id)
WHERE results_delegated_to.result_id = ?1
