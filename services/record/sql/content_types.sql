-- What Django makes of ARA's models after it has migrated: each model, and four permissions for it.
INSERT INTO django_content_type (id, app_label, model) VALUES
    (1, 'auth', 'permission'),
    (2, 'auth', 'group'),
    (3, 'auth', 'user'),
    (4, 'contenttypes', 'contenttype'),
    (5, 'sessions', 'session'),
    (6, 'db', 'testmodel'),
    (7, 'api', 'file'),
    (8, 'api', 'filecontent'),
    (9, 'api', 'host'),
    (10, 'api', 'label'),
    (11, 'api', 'play'),
    (12, 'api', 'playbook'),
    (13, 'api', 'task'),
    (14, 'api', 'result'),
    (15, 'api', 'record'),
    (16, 'api', 'latesthost'),
    (17, 'admin', 'logentry');
INSERT INTO auth_permission (content_type_id, codename, name)
SELECT
    model.id,
    verb.name || '_' || model.model,
    'Can ' || verb.name || ' ' || CASE model.model
        WHEN 'contenttype' THEN 'content type'
        WHEN 'filecontent' THEN 'file content'
        WHEN 'latesthost' THEN 'latest host'
        WHEN 'logentry' THEN 'log entry'
        ELSE model.model
    END
FROM django_content_type AS model
CROSS JOIN (SELECT 1 AS position, 'add' AS name UNION SELECT 2, 'change' UNION SELECT 3, 'delete' UNION SELECT 4, 'view') AS verb
WHERE model.model <> 'testmodel'
ORDER BY model.id, verb.position;
