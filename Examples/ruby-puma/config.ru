# Counts each session's calls in the memory of the process; Mooring tells which session it is.
require "json"

counts = Hash.new(0)
lock = Mutex.new
run lambda { |env|
  session = env["HTTP_MOORING_SESSION"]
  count = lock.synchronize { counts[session] += 1 }
  [200, { "Content-Type" => "application/json" }, [JSON.generate(pid: Process.pid, count: count)]]
}
