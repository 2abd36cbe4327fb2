-- The script that wrk runs. It sends the requests of a file in turn, nothing is built while it measures. With EXPECT it
-- looks at every reply, which costs wrk time: such a run is for counting wrong replies and never for speed.
local function read(name)
  local file = assert(io.open(assert(os.getenv(name), name), "rb"))
  local text = file:read("*a")
  file:close()
  return text
end

local requests, turn = {}, 0
local text, at = read("REQUESTS"), 1
while at <= #text do
  local line = text:find("\n", at, true)
  local length = tonumber(text:sub(at, line - 1))
  requests[#requests + 1] = text:sub(line + 1, line + length)
  at = line + length + 1
end

function request()
  turn = turn % #requests + 1
  return requests[turn]
end

local threads = {}
function setup(thread) threads[#threads + 1] = thread end

if os.getenv("EXPECT") then
  local expected = {}
  for id, part in read("EXPECT"):gmatch("(%d+)\t([^\n]*)\n") do expected[id] = part end
  local length = tonumber(os.getenv("LENGTH") or "")
  seen, bad = 0, 0
  function response(status, _, body)
    seen = seen + 1
    local id = body:match('"id":(%d+)')
    local part = id and expected[id]
    local right = status == 200 and part and body:find(part, 1, true) and not body:find('"isError":true', 1, true)
    if not right or (length and #body ~= length) then bad = bad + 1 end
  end
end

function done(summary, latency)
  local all, wrong = 0, 0
  for _, thread in ipairs(threads) do
    all = all + (thread:get("seen") or 0)
    wrong = wrong + (thread:get("bad") or 0)
  end
  local e = summary.errors
  io.write(string.format('RESULT {"calls":%d,"microseconds":%d,"status":%d,"sockets":%d,"timeouts":%d,',
    summary.requests, summary.duration, e.status, e.connect + e.read + e.write, e.timeout))
  io.write(string.format('"p50":%.1f,"p90":%.1f,"p99":%.1f,"max":%.1f,"seen":%d,"bad":%d}\n',
    latency:percentile(50), latency:percentile(90), latency:percentile(99), latency.max, all, wrong))
end
