-- SPDX-License-Identifier: MIT
--- The edit of every benchmark: three settings.
-- @param stamp a word that tells this edit from others
return function(cfg, stamp)
  local settings = cfg.settings
  settings.is_active = false
  settings.confirmation_message = ("A colleague takes over now (%s)."):format(stamp)
  settings.timezone = "Europe/London"
end
