SELECT labels.id, labels.created, labels.updated, labels.name
