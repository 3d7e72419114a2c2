SELECT
    records.id,
    records.playbook_id,
    records.created,
    records.updated,
    records.key,
    records.type
