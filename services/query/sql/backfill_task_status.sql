-- ARA's migration 0013: a completed task with a result that failed, and was not meant to, has failed.
UPDATE main.tasks
SET status = 'failed'
WHERE status = 'completed'
    AND id IN (SELECT task_id FROM main.results WHERE NOT ignore_errors AND status IN ('failed', 'unreachable'));
