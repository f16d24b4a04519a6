50%  loop.lua:step
  -- 100%  loop.lua:205
 6%  request.lua:parse
  -- 100%  request.lua:152
 6%  loop.lua:request
  -- 100%  loop.lua:255
 6%  options.lua:read
  -- 50%  options.lua:72
  -- 25%  options.lua:71
  -- 25%  options.lua:75
 4%  edit.lua:fn
  -- 67%  edit.lua:10
  -- 33%  edit.lua:11
 4%  call.lua:try
  -- 67%  call.lua:72
  -- 33%  call.lua:75
 4%  request.lua:headers_of
  -- 67%  request.lua:125
  -- 33%  request.lua:126
 4%  config.lua:changes
  -- 100%  config.lua:23
 3%  words.lua:child_path
  -- 100%  words.lua:106
 3%  write.lua:draft
  -- 50%  write.lua:69
  -- 50%  write.lua:74
 3%  transport.lua:request
  -- 100%  transport.lua:143
