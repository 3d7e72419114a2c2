-- Runs when wrk is done: its figures as one line of JSON, so that nobody has to read its table.
function done(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format(
        'figures {"requests":%d,"micros":%d,"p50":%.0f,"p99":%.0f,"errors":%d,"refused":%d}\n',
        summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
        errors.connect + errors.read + errors.write + errors.timeout, errors.status))
end
