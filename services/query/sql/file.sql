SELECT
    files.id,
    (SELECT file_contents.sha1 FROM file_contents WHERE file_contents.id = files.content_id),
    files.playbook_id,
    files.created,
    files.updated,
    files.path
