-- ARA's migration 0009: for each name, in the order of first appearance, the host that was updated last.
INSERT INTO main.latest_hosts (name, host_id, created, updated)
SELECT first.name, last.id, last.created, last.updated
FROM (SELECT name, MIN(id) AS id FROM main.hosts GROUP BY name) AS first
INNER JOIN main.hosts AS last
    ON last.id = (SELECT hosts.id FROM main.hosts WHERE hosts.name = first.name ORDER BY hosts.updated DESC, hosts.playbook_id LIMIT 1)
ORDER BY first.id;
