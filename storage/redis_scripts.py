"""What Redis does in one step. A hash of a person (storage.known_json) only goes from one revision to a later one."""

# the hash; revision, version, milliseconds to live, then fields and values of everything
KEEP = """
local at, version, cases = unpack(redis.call('HMGET', KEYS[1], 'revision', 'v', 'cases'))
if at and version == ARGV[2] then
    if tonumber(at) > tonumber(ARGV[1]) or (at == ARGV[1] and cases) then
        return 0
    end
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'v', ARGV[2])
for i = 4, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

# the hash; revision before, revision, version, milliseconds to live, how many fields go, these, then fields and values
LEARN = """
local at, version, cases = unpack(redis.call('HMGET', KEYS[1], 'revision', 'v', 'cases'))
if at ~= ARGV[1] or version ~= ARGV[3] or not cases then
    return 0
end
local first = 6 + tonumber(ARGV[5])
for i = 6, first - 1 do
    redis.call('HDEL', KEYS[1], ARGV[i])
end
for i = first, #ARGV, 2 do
    redis.call('HSET', KEYS[1], ARGV[i], ARGV[i + 1])
end
redis.call('HSET', KEYS[1], 'revision', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return 1
"""

# the hash; revision, version, milliseconds to live: what is left keeps older revisions from coming back
FORGET = """
local at = redis.call('HGET', KEYS[1], 'revision')
if at and tonumber(at) >= tonumber(ARGV[1]) then
    return 0
end
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'v', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1
"""

# the counter; milliseconds
COUNT = """
local number = redis.call('INCR', KEYS[1])
if number == 1 then
    redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return number
"""

# the lease, its last token; milliseconds of the lease, and of the token
ACQUIRE = """
if redis.call('EXISTS', KEYS[1]) == 1 then
    return false
end
local now = redis.call('TIME')
local last = tonumber(redis.call('GET', KEYS[2]) or '0')
local token = string.format('%.0f', math.max(last + 1, now[1] * 1000000 + now[2]))
redis.call('SET', KEYS[1], token, 'PX', ARGV[1])
redis.call('SET', KEYS[2], token, 'PX', ARGV[2])
return token
"""

# the lease; token, milliseconds
RENEW = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""

# the lease; token
RELEASE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
    return 0
end
return redis.call('DEL', KEYS[1])
"""
