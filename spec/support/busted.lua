-- SPDX-License-Identifier: MIT
--- busted as a script for whichever VM runs it, however the system wraps its own command.
require "busted.runner" { standalone = false }
