SELECT
    (SELECT COUNT(*) FROM playbooks),
    (SELECT COUNT(*) FROM plays),
    (SELECT COUNT(*) FROM tasks),
    (SELECT COUNT(*) FROM hosts),
    (SELECT COUNT(*) FROM latest_hosts),
    (SELECT COUNT(*) FROM results),
    (SELECT COUNT(*) FROM files),
    (SELECT COUNT(*) FROM records),
    (SELECT COUNT(*) FROM labels)
