SELECT
    latest_hosts.name,
    latest_hosts.host_id,
    latest_hosts.created,
    latest_hosts.updated
