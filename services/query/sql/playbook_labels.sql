SELECT labels.id, labels.name
FROM labels
INNER JOIN playbooks_labels ON (labels.id = playbooks_labels.label_id)
WHERE playbooks_labels.playbook_id = ?1
