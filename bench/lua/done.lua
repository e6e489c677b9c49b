-- What wrk measured, in one line that a program reads; latencies in microseconds.
done = function(summary, latency)
   local e = summary.errors
   local form = 'RESULT {"requests": %d, "microseconds": %d, "bytes": %d, "p50": %d, "p99": %d, "worst": %d, '
      .. '"errors": {"connect": %d, "read": %d, "write": %d, "status": %d, "timeout": %d}}'
   print(string.format(form, summary.requests, summary.duration, summary.bytes, latency:percentile(50),
      latency:percentile(99), latency.max, e.connect, e.read, e.write, e.status, e.timeout))
end
