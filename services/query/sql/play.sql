SELECT
    plays.id,
    (SELECT COUNT(*) FROM tasks WHERE tasks.play_id = plays.id),
    (SELECT COUNT(*) FROM results WHERE results.play_id = plays.id),
    plays.playbook_id,
    plays.created,
    plays.updated,
    plays.started,
    plays.ended,
    plays.duration,
    plays.name,
    plays.uuid,
    plays.status
