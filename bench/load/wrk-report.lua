-- One line that a program can read, behind the text that wrk prints for people. It runs once, when the load is over.
function done(summary, latency)
  local e = summary.errors
  io.write(string.format(
    "stowage-bench microseconds=%d requests=%d bytes=%d connect=%d read=%d write=%d status=%d timeout=%d p50=%d p99=%d\n",
    summary.duration, summary.requests, summary.bytes, e.connect, e.read, e.write, e.status, e.timeout,
    latency:percentile(50), latency:percentile(99)))
end
