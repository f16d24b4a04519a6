# handoff: build, install, try, test. `make help` lists the targets.
CC ?= cc
CFLAGS ?= -O2 -g
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion
WERROR ?= $(if $(CI),-Werror)
PREFIX ?= /usr/local
BUILD ?= build
compile = $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(WERROR) $(CFLAGS) $(CPPFLAGS) -fPIC -fvisibility=hidden -MMD -MP \
  '-ffile-prefix-map=$(CURDIR)=.' # so that the same sources give the same bytes in any folder

all: # stays the first target; its prerequisites stand below

# --- what is found: the VMs and libraries by pkg-config's names, under those that Debian and others give them -------------
find = $(shell for name in $(1); do pkg-config --exists "$(2)" && echo $$name && break; done 2>/dev/null)
run = $(shell for name in $(1); do command -v $$name && break; done 2>/dev/null)
# Lua 5.3 is built for when it is asked for: VMS=lua53, VMS='lua54 luajit lua53', make lua53, make test-lua53.
VMS ?= lua54 luajit
vms := $(VMS)
known := lua54 luajit lua53
lua54_pc := $(call find,lua5.4 lua-5.4 lua54 lua,$$name >= 5.4 $$name < 5.5)
lua54_abi := 5.4
lua54_lua := $(call run,lua5.4 lua-5.4 lua54 lua)
lua53_pc := $(call find,lua5.3 lua-5.3 lua53 lua,$$name >= 5.3 $$name < 5.4)
lua53_abi := 5.3
lua53_lua := $(call run,lua5.3 lua-5.3 lua53 lua)
luajit_pc := $(call find,luajit,$$name >= 2.1)
luajit_abi := 5.1
luajit_lua := $(call run,luajit)
apart := serve zone fold # modules of their own, so that the core does not link their libraries
modules := core $(foreach m,$(apart),$(if $(wildcard csrc/binding/l_$(m).c),$(m)))
core_pc := $(call find,libcurl,$$name >= 7.80)
serve_pc := $(call find,libmicrohttpd,$$name >= 0.9.71)
zone_pc := $(call find,glib-2.0,$$name >= 2.68)
fold_pc := $(zone_pc)

# What each is called when it is missing, and Debian's packages that bring it; A|B: either will do, A is installed.
cc_is := $(CC), a C compiler
cc_deb := gcc libc6-dev
pkgconfig_is := pkg-config
pkgconfig_deb := pkg-config
lua54_is := Lua 5.4
lua54_deb := liblua5.4-dev
lua53_is := Lua 5.3
lua53_deb := liblua5.3-dev
luajit_is := LuaJIT
luajit_deb := libluajit2-5.1-dev|libluajit-5.1-dev
core_is := libcurl
core_deb := libcurl4-openssl-dev
serve_is := libmicrohttpd (for the sandbox)
serve_deb := libmicrohttpd-dev
zone_is := GLib (for time zones: what is open when)
zone_deb := libglib2.0-dev
fold_is := GLib (for texts as they are typed: the simulation)
fold_deb := $(zone_deb)

build_deb := $(cc_deb) $(pkgconfig_deb) $(lua54_deb) $(luajit_deb) $(core_deb) $(serve_deb) $(zone_deb)
demo_deb := $(filter-out $(luajit_deb),$(build_deb)) lua5.4 lua-cjson lua-dbi-sqlite3 lua-argparse
demo_nginx_deb := $(filter-out $(lua54_deb),$(build_deb)) luajit2|luajit lua-cjson lua-dbi-sqlite3 lua-argparse nginx \
  libnginx-mod-http-lua
test_deb := $(build_deb) lua5.4 luajit2|luajit lua-cjson lua-dbi-sqlite3 lua-argparse lua-busted lua-check clang \
  clang-format clang-tidy cppcheck luarocks nginx libnginx-mod-http-lua lua5.3 liblua5.3-dev git binutils openssl curl jq \
  python3-requests python3-jsonschema locales mandoc zsh fish tmux perl chromium chromium-driver python3-icalendar \
  python3-dateutil lua-ldoc
bench_deb := $(build_deb) lua5.4 luajit2|luajit lua-cjson lua-dbi-sqlite3 lua-argparse lua-filesystem python3-requests \
  nginx libnginx-mod-http-lua openssl curl wrk

found := $(strip $(foreach vm,$(vms),$(if $($(vm)_pc),$(vm))))
vital := cc pkgconfig vm core
vm_is := the headers of Lua 5.4 or LuaJIT
vm_deb := $(lua54_deb), $(luajit_deb)
lacking := $(strip $(if $(call run,$(CC)),,no-cc) $(if $(call run,pkg-config),$(if $(found),,no-vm),no-pkgconfig))
no-%:
	@echo "handoff: not found: $($*_is). Debian has it in: $(subst |, or ,$($*_deb))" >&2
	@$(if $(filter $*,$(vital)),exit 1)

# --- the modules, for each VM side by side in build/ ----------------------------------------------------------------------
serve_src := csrc/binding/l_serve.c csrc/binding/serve.c
zone_src := csrc/binding/l_zone.c
fold_src := csrc/binding/l_fold.c
core_src := $(filter-out $(foreach m,$(apart),$($(m)_src)),$(sort $(wildcard csrc/binding/*.c)))
core_obj := $(patsubst csrc/%.c,$(BUILD)/%.o,$(sort $(wildcard csrc/core/*.c)))
present := $(foreach m,$(modules),$(if $($(m)_pc),$(m)))
absent := $(patsubst %,no-%,$(filter-out $(present),$(modules)))
built = $(present:%=$(BUILD)/$(1)/handoff/%.so) $(if $(filter core,$(present)),$(BUILD)/$(1)/handoff/core.doc)
lib_flags := $(foreach m,$(present),$(shell pkg-config --cflags $($(m)_pc)))

$(BUILD)/core/%.o: csrc/core/%.c Makefile
	@mkdir -p $(@D)
	$(compile) $(lib_flags) -c $< -o $@

# What libcurl sets up once a process stays, so the core stays too when a Lua state that loaded it ends.
core_stays := $(if $(filter Linux,$(shell uname -s)),-z nodelete)
define module_rules # vm, module
$(BUILD)/$(1)/handoff/$(2).so: $($(2)_src:csrc/binding/%.c=$(BUILD)/$(1)/obj/%.o) $(if $(filter core,$(2)),$(core_obj) $(COVER:%=$(BUILD)/$(1)/%.o))
	@mkdir -p $$(@D)
	$$(CC) -shared $$(CFLAGS) $$(LDFLAGS) $($(2)_stays) -o $$@ $$^ $(shell pkg-config --libs $($(2)_pc))
endef

# What the core's files say of public names, /*** … */, goes beside the core, for the reference and for types for editors;
# the page of a configuration begins in the first.
documented := csrc/binding/l_config.c $(filter-out %/l_config.c,$(sort $(shell grep -l '^/\*\*\*' csrc/binding/*.c)))
define vm_rules # vm
$(1): $(or $(lacking),$(call built,$(1)) $(absent))
$(BUILD)/$(1)/obj/%.o: csrc/binding/%.c Makefile
	@mkdir -p $$(@D)
	$$(compile) $($(1)_flags) $$(lib_flags) -c $$< -o $$@
$(foreach m,$(present),$(eval $(call module_rules,$(1),$(m))))
$(BUILD)/$(1)/handoff/core.doc: $(documented)
	@mkdir -p $$(@D)
	@for file in $(documented); do echo "/* $$$$file */"; sed -n '/^\/\*\*\*/,/\*\//p' $$$$file; done >$$@
-include $$(wildcard $(BUILD)/$(1)/obj/*.d)
endef

lua54_flags := $(if $(lua54_pc),$(shell pkg-config --cflags $(lua54_pc)))
lua53_flags := $(if $(lua53_pc),$(shell pkg-config --cflags $(lua53_pc)))
luajit_flags := $(if $(luajit_pc),$(shell pkg-config --cflags $(luajit_pc)))
$(foreach vm,$(known),$(eval $(if $($(vm)_pc),$(call vm_rules,$(vm)),$(vm): $(or $(lacking),no-$(vm)))))
-include $(wildcard $(BUILD)/core/*.d)

all_built := $(foreach vm,$(found),$(call built,$(vm)))
# What can be built is, before what cannot be is named.
all: $(or $(lacking),$(all_built) $(filter-out $(found),$(vms)) $(absent))
$(absent): | $(all_built)

# --- install --------------------------------------------------------------------------------------------------------------
# Where a VM's Lua files and modules go; % stands for its version of Lua, in LUADIR=… and LIBDIR=… too.
LUADIR ?= $(PREFIX)/share/lua/%
LIBDIR ?= $(PREFIX)/lib/lua/%
DOCDIR ?= $(PREFIX)/share/doc/handoff
ZSHDIR ?= $(PREFIX)/share/zsh/site-functions
lua_files := $(sort $(patsubst lua/%,%,$(shell find lua/handoff -name '*.lua')))
doc_files := README.md $(sort $(shell find examples -type f))
luadir = $(subst %,$($(1)_abi),$(LUADIR))
libdir = $(subst %,$($(1)_abi),$(LIBDIR))
share = $(DESTDIR)$(luadir)
lib = $(DESTDIR)$(libdir)
bin = $(DESTDIR)$(PREFIX)/bin

define put # vm, folder for Lua files, folder for modules: the commands that copy
$(foreach file,$(lua_files),install -D -m 644 'lua/$(file)' '$(2)/$(file)' &&) \
$(foreach m,$(present),install -D -m 755 '$(BUILD)/$(1)/handoff/$(m).so' '$(3)/handoff/$(m).so' &&) \
install -D -m 644 '$(BUILD)/$(1)/handoff/core.doc' '$(3)/handoff/core.doc'
endef

# The command belongs to one VM, and finds its own modules whatever that VM's paths are.
command_vm := $(firstword $(foreach vm,$(found),$(if $($(vm)_lua),$(vm))))
command_lua := $($(command_vm)_lua)
define put_command # interpreter, folders for Lua files and for modules as expressions of Lua, folder for programs
install -D -m 755 lua/bin/handoff '$(4)/handoff' && { printf '%s\n' '#!$(1)' 'local share, lib = $(2), $(3)' \
  'package.path = share .. "/?.lua;" .. share .. "/?/init.lua;" .. package.path' \
  'package.cpath = lib .. "/?.so;" .. package.cpath' && tail -n +2 lua/bin/handoff; } >'$(4)/handoff'
endef

install-command:
	@$(call put_command,$(command_lua),"$(call luadir,$(command_vm))","$(call libdir,$(command_vm))",$(bin))

# What the command says of itself, and where that belongs.
pages := handoff.1 handoff.bash handoff.zsh handoff.fish handoff.lua
handoff.1_at = $(PREFIX)/share/man/man1/handoff.1
handoff.bash_at = $(PREFIX)/share/bash-completion/completions/handoff
handoff.zsh_at = $(ZSHDIR)/_handoff
handoff.fish_at = $(PREFIX)/share/fish/vendor_completions.d/handoff.fish
handoff.lua_at = $(PREFIX)/share/handoff/luals/handoff.lua
page_at = '$(DESTDIR)$($(1)_at)'
page = -e 'io.write(require("handoff.command.description").completion("$(subst handoff.,,$(@F))"))'
$(BUILD)/share/handoff.1: page = -e 'io.write(require("handoff.command.manual").page(require("handoff.core").version))'
$(BUILD)/share/handoff.lua: page = -e 'io.write(assert(require("handoff.luals").text()))'
$(pages:%=$(BUILD)/share/%): $(lua_files:%=lua/%) | $(all_built)
	@mkdir -p $(@D)
	@$(command_lua) $(page) >$@.$$$$ && mv $@.$$$$ $@ || { rm -f $@.$$$$; false; }
install-pages: $(pages:%=$(BUILD)/share/%)
	@$(foreach page,$(pages),install -D -m 644 '$(BUILD)/share/$(page)' $(call page_at,$(page)) &&) :

command_is := argparse or lua-cjson (for the manual and the completions of the command)
command_deb := lua-argparse lua-cjson
speaks = $(shell $(command_lua) -e 'require "argparse" require "cjson"' 2>/dev/null && echo yes)

docs = '$(DESTDIR)$(DOCDIR)/README.md' '$(DESTDIR)$(DOCDIR)/examples'
install-docs:
	@rm -rf $(docs)
	@for file in $(doc_files); do if [ -x "$$file" ]; then mode=755; else mode=644; fi; \
	  install -D -m $$mode "$$file" '$(DESTDIR)$(DOCDIR)'"/$$file" || exit; done

# Two VMs cannot share a folder for modules.
shared := $(if $(findstring %,$(LIBDIR)),,$(word 2,$(found)))
misplaced:
	@echo "handoff: LIBDIR=$(LIBDIR) is one folder for $(found): write % for the version of Lua, or VMS= with one alone" >&2
	@exit 1

# The folders of the version before go first, so that none of its files stays.
empty = $(foreach vm,$(1),rm -rf '$(call share,$(vm))/handoff' '$(call lib,$(vm))/handoff' &&) :
install: $(if $(shared),misplaced,all install-docs \
  $(if $(command_lua),install-command $(if $(speaks),install-pages,no-command)))
	@$(call empty,$(found))
	@$(foreach vm,$(found),$(call put,$(vm),$(call share,$(vm)),$(call lib,$(vm))) &&) :
	@echo "handoff: installed for $(found) under $(DESTDIR)$(PREFIX)"

uninstall:
	$(call empty,$(known))
	rm -rf $(docs)
	-[ ! -d '$(DESTDIR)$(DOCDIR)' ] || rmdir --ignore-fail-on-non-empty '$(DESTDIR)$(DOCDIR)'
	rm -f '$(bin)/handoff' $(foreach page,$(pages),$(call page_at,$(page)))
	@rmdir '$(DESTDIR)$(PREFIX)/share/handoff/luals' '$(DESTDIR)$(PREFIX)/share/handoff' 2>/dev/null || :

# LuaRocks says where its VM's headers are and where files go (see the rockspec). Its trees for 5.1 are LuaJIT's too, and are
# filled for LuaJIT; Lua 5.1 itself is not supported.
ifdef LUA_INCDIR
rock_version := $(shell sed -n 's/^.define LUA_VERSION_NUM[[:space:]]*//p' '$(LUA_INCDIR)/lua.h')
rock_504 := -I$(LUA_INCDIR)
rock_503 := -I$(LUA_INCDIR)
rock_501 := $(if $(wildcard $(LUA_INCDIR)/luajit.h),-I$(LUA_INCDIR),$(luajit_flags))
rock_abi := $(or $(patsubst 50%,5.%,$(filter 503 504,$(rock_version))),5.1)
in_tree = arg[0]:match "^(.*)/lib/luarocks/" .. "/$(1)/lua/$(rock_abi)"
rock := rock$(subst /,-,$(LUA_INCDIR))
$(rock)_flags := $(rock_$(rock_version))
$(eval $(call vm_rules,$(rock)))
rock: $(if $($(rock)_flags),$(rock),no-vm)
install-rock: rock
	@$(call put,$(rock),$(LUADIR),$(LIBDIR))
	@$(call put_command,$(LUA),$(call in_tree,share),$(call in_tree,lib),$(BINDIR))
endif

# Rocks of HEAD, to be given away: one of the sources, and for each VM a binary one.
headers = $(patsubst -I%,%,$(filter -I%,$(shell pkg-config --cflags-only-I $($(1)_pc))))
rocks:
	@$(call packages,rocks,$(build_deb) git luarocks lua5.4 luajit2|luajit lua-cjson)
	@.ci/rocks $(BUILD)/rocks $(foreach vm,$(found),'$($(vm)_abi):$($(vm)_lua):$(firstword $(call headers,$(vm)))')

# --- packages -------------------------------------------------------------------------------------------------------------
# DEPS=no: everything that is needed is there already, by other means than Debian's packages.
DEPS ?= yes
packages = $(if $(filter no,$(DEPS)),:,.ci/deps '$(1)' $(sort $(2:%='%')))

deps:
	@$(call packages,deps,$(test_deb))

# --- the reference --------------------------------------------------------------------------------------------------------
doc:
	@$(call packages,doc,$(demo_deb) lua-ldoc)
	@$(MAKE) --no-print-directory -s lua54
	@$(MAKE) --no-print-directory -s doc-run
	@echo 'handoff: the reference is in $(BUILD)/doc/index.html'
doc-run:
	@mkdir -p $(BUILD)/doc-src && $(lua54_lua) spec/support/reference.lua $(BUILD)/doc-src $(BUILD)/doc
	@cd $(BUILD)/doc-src && env -u LUA_PATH -u LUA_CPATH ldoc --fatalwarnings -q . >/dev/null

# --- try it ---------------------------------------------------------------------------------------------------------------
# Programs of the tree find the tree's own modules first.
export LUA_PATH := $(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;$(CURDIR)/spec/?.lua;;
export LUA_PATH_5_4 := $(LUA_PATH)
export LUA_PATH_5_3 := $(LUA_PATH)
export LUA_CPATH := $(abspath $(BUILD))/luajit/?.so;;
export LUA_CPATH_5_3 := $(abspath $(BUILD))/lua53/?.so;;
export LUA_CPATH_5_4 := $(abspath $(BUILD))/lua54/?.so;;
unexport HANDOFF_TOKEN HANDOFF_BASE_URL http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY CDPATH

demo:
	@$(call packages,demo,$(demo_deb))
	@$(MAKE) --no-print-directory -s lua54
	@$(MAKE) --no-print-directory -s demo-run
demo-run:
	@$(lua54_lua) examples/demo.lua
demo-nginx:
	@$(call packages,demo-nginx,$(demo_nginx_deb))
	@$(MAKE) --no-print-directory -s luajit
	@$(MAKE) --no-print-directory -s demo-nginx-run
demo-nginx-run:
	@LUA='$(luajit_lua)' BUILD='$(abspath $(BUILD))' examples/openresty/demo.sh

# --- test -----------------------------------------------------------------------------------------------------------------
# Each check is a target of its own. Those named test-… print lines `N passed, N failed`, which count; every other counts as
# one, by its exit status.
lints := lint-tidy lint-gcc lint-clang lint-c lint-lua lint-format
checks = test-luajit test-lua54 $(if $(filter spec,$(SPEC)),test-nginx) test-torture test-threads $(lints) test-fuzz test-core
check = $(lua54_lua) spec/support/run.lua $(MAKE) --no-print-directory -s --
# Where a check takes many times as long, and longer on a machine that has other work.
unhurried = CHECK_SECONDS=$${CHECK_SECONDS:-7200}

test:
	@$(call packages,test,$(test_deb))
	@$(MAKE) --no-print-directory -j2 all
	@$(MAKE) --no-print-directory -s checks
checks:
	@$(check) $(checks)

lint:
	@$(call packages,lint,$(test_deb))
	@$(MAKE) --no-print-directory -s lints
lints:
	@$(check) $(lints)
lint-lua:
	luacheck -q .
# cppcheck reads with the headers of each VM; what it is told of the compiler is what those ask for.
cppcheck = cppcheck -q --std=c11 --platform=unix64 --enable=all --inconclusive --inline-suppr --error-exitcode=1 \
  --library=posix,gnu --suppressions-list=.cppcheck-suppressions -D_GNU_SOURCE -D__GNUC__=12 -D__linux__ -D__x86_64__ \
  -D__LP64__ -DLLONG_MAX=9223372036854775807LL
lint-c:
	@$(foreach vm,$(found),$(cppcheck) $($(vm)_flags) $(lib_flags) csrc spec &&) :
# clang-tidy, a file at a time, again when that file, a header or the configuration has changed; TIDY_NODES bounds the paths that
# the analyser walks through each function (225000 is its own bound, which takes four times as long).
TIDY_NODES ?= 30000
analyser = --extra-arg=-Xclang --extra-arg=-analyzer-config --extra-arg=-Xclang --extra-arg=max-nodes=$(TIDY_NODES)
tidied := $(patsubst %.c,$(BUILD)/tidy/%.ok,$(shell find csrc spec -name '*.c'))
lint-tidy: $(tidied)
$(BUILD)/tidy/%.ok: %.c $(shell find csrc spec -name '*.h' -o -name .clang-tidy) .clang-tidy Makefile
	@mkdir -p $(@D)
	clang-tidy -quiet $(analyser) $< -- -std=c11 -D_GNU_SOURCE $(or $(lua54_flags),$(luajit_flags)) $(lib_flags)
	@touch $@
lint-format:
	clang-format --dry-run -Werror $(shell find csrc spec -name '*.[ch]')
lint-gcc lint-clang: lint-%:
	$(MAKE) all CC=$* WERROR=-Werror BUILD=$(BUILD)/lint-$* $(if $(filter clang,$*),CFLAGS=-O0)

# C unit tests of the core, a program a room; with sanitizers:
#     make test-core BUILD=build/asan CC=clang CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover"
core_tests := $(patsubst spec/core/%.c,$(BUILD)/spec/core/%,$(wildcard spec/core/*.c))
$(BUILD)/spec/core/%: spec/core/%.c $(core_obj) Makefile
	@mkdir -p $(@D)
	$(compile) $(lib_flags) $< $(core_obj) -o $@ $(LDFLAGS) $(shell pkg-config --libs $(core_pc))
test-core: $(core_tests)
	@status=0; for test in $(core_tests); do echo "$${test##*/}:"; $$test || status=1; done; exit $$status
-include $(wildcard $(BUILD)/spec/core/*.d)

# busted through the VM itself, over what is in $(BUILD) and nothing else; SPEC= names the specs.
SPEC ?= spec
busted = HANDOFF_BUILD='$(abspath $(BUILD))' $($(1)_lua) spec/support/busted.lua -o spec/support/report.lua $(2)
$(known:%=test-%): test-%: %
	@$(call busted,$*,$(if $(filter luajit/spec,$*/$(SPEC)),--exclude-pattern=^nginx) $(SPEC))

# What needs nginx's own VM; beside the others these take as long as all else. Of all specs test-luajit leaves them to test-nginx.
nginx_specs := $(wildcard spec/nginx*_spec.lua)
test-nginx: luajit
	@$(call busted,luajit,$(nginx_specs))

# Of Lua that LUA_INIT gives each process: the name of its VM's folder; and that modules come from the build that BUILD names,
# whatever build its program finds.
this_vm = local vm = rawget(_G, "jit") and "luajit" or "lua" .. _VERSION:gsub("%D", "")
from_build = for name in ("$(modules)"):gmatch "%a+" do package.preload["handoff." .. name] = function(...) \
    local file = ("%s/%s/handoff/%s.so"):format(os.getenv "BUILD", vm, name) \
    return assert(package.loadlib(file, "luaopen_handoff_" .. name))(...) end end

# Each VM under the sanitizers, started from a folder of its own by its own name; no other program has them. The program of a
# checkout finds the checkout's build, and LUA_INIT gives it the sanitized modules before, but where a test started it afresh, without
# BUILD, for a tree of its own. What LuaJIT holds stands in memory of its own mapping, where no leak checker looks: its leaks are
# left to Lua 5.4.
sanitize = -O1 -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all
sanitizers = $(foreach name,asan ubsan,$(shell gcc -print-file-name=lib$(name).so)) $(abspath $(BUILD))/alone.so
asan_luajit := ASAN_OPTIONS=detect_leaks=0
asan := $(abspath $(BUILD))/asan
in_asan = $(MAKE) --no-print-directory -s CC=gcc BUILD=$(asan) CFLAGS='$(sanitize)'
$(BUILD)/alone.so: spec/sanitize/alone.c Makefile
	@mkdir -p $(@D)
	$(filter-out -fsanitize=%,$(compile)) -shared $< -o $@
$(known:%=sanitized-%): sanitized-%: $(BUILD)/alone.so %
	@printf '%s\n' '#!/bin/bash' 'export LD_PRELOAD="$(sanitizers)" SANITIZERS="$(sanitizers)" $(asan_$*)' \
	  'exec -a "$$0" $($*_lua) "$$@"' >$(BUILD)/$*/$(notdir $($*_lua)) && chmod 755 $(BUILD)/$*/$(notdir $($*_lua))
sanitized_modules = local build = os.getenv "BUILD" local maps = build and io.open "/proc/self/maps" \
  if maps and maps:read "*a":find "libasan" then $(this_vm) $(from_build) end if maps then maps:close() end
$(known:%=test-asan-%): test-asan-%:
	@$(in_asan) sanitized-$*
	@LUA_INIT='$(sanitized_modules)' $(in_asan) test-$* $*_lua=$(asan)/$*/$(notdir $($*_lua))
test-asan-nginx: # but for the example, whose nginx is started as its README says
	@$(MAKE) --no-print-directory -s test-asan-luajit SPEC='$(filter-out %example_spec.lua,$(nginx_specs))'
test-asan: all # which is the build that the program of a checkout finds
	@$(in_asan) all
	@$(unhurried) $(check) test-asan-lua54 test-asan-luajit test-asan-nginx

# Eight Lua states in eight threads, with requests and collections all the while, the compiled modules under ThreadSanitizer.
# -fexceptions: LuaJIT unwinds C frames as C++ does, and ThreadSanitizer has to see them end.
racing = -O1 -g -fno-omit-frame-pointer -fexceptions -fsanitize=thread
$(BUILD)/spec/threads-%: spec/threads/states.c % Makefile
	@mkdir -p $(@D)
	$(compile) $($*_flags) $< -o $@ $(LDFLAGS) $(shell pkg-config --libs $($*_pc)) -lpthread
-include $(wildcard $(BUILD)/spec/threads-*.d)
threads: $(found:%=$(BUILD)/spec/threads-%)
test-threads: $(found)
	@$(MAKE) --no-print-directory -s threads CC=gcc BUILD=$(BUILD)/tsan CFLAGS='$(racing)'
	@status=0; $(foreach vm,$(found),echo '$(vm):'; \
	  $($(vm)_lua) spec/threads/run.lua $(abspath $(BUILD))/tsan || status=1;) exit $$status

# What of csrc and lua the tests run, and what never: all of busted, the tests of the core, and the processes that they start, in a
# build of its own, where the core module counts lines of Lua too (see spec/coverage/hook.c). Rooms and lines: spec/coverage/report.lua.
cover := $(abspath $(BUILD))/coverage
covered = $(MAKE) --no-print-directory -s CC=gcc BUILD=$(cover) COVER=hook CFLAGS='-O0 -g --coverage -fprofile-update=atomic' \
  CPPFLAGS='-Dluaopen_handoff_core=ho_covered_core'
# Other VMs, and processes that may not write, are none that is counted.
counting = $(this_vm) local begin = package.loadlib("$(cover)/" .. vm .. "/handoff/core.so", "ho_coverage_begin") \
  if begin then begin() if os.getenv "BUILD" then $(from_build) end end
$(foreach vm,$(vms),$(BUILD)/$(vm)/hook.o): $(BUILD)/%/hook.o: spec/coverage/hook.c Makefile
	@mkdir -p $(@D)
	$(filter-out --coverage,$(compile)) $($*_flags) -DFOLDER='"$(BUILD)/ran"' -c $< -o $@
coverage: all # which is the build that the program of a checkout finds
	@rm -rf $(cover)/ran && find $(cover) -name '*.gcda' -delete 2>/dev/null || :
	@$(covered) all
	@mkdir -p -m 1777 $(cover)/ran && find $(cover) -name '*.gcno' | sed 's/gcno$$/gcda/' | \
	  while read -r file; do : >>$$file && chmod 666 $$file; done # nginx's workers may be somebody else
	@LUA_INIT='$(counting)' GCOV_ERROR_FILE=/dev/null $(unhurried) $(covered) checks \
	  checks='test-core test-lua54 test-luajit test-nginx'
	@$(lua54_lua) spec/coverage/report.lua $(cover) $(subst lua5,luac5,$(lua54_lua))

# A spec file at a time, again when it or a module has changed, so that a run that was ended goes on where it was:
# $(BUILD)/HOW-VM/FILE.ok says that the file passed. $(1): how; $(2): the VM; $(3): what the run is told.
define at_a_time
$(BUILD)/$(1)-$(2)/%.ok: % $(call built,$(2))
	@mkdir -p $$(@D)
	@echo '$$*:'; $(MAKE) --no-print-directory -s test-$(2) SPEC=$$* $(3)
	@touch $$@
endef

# Lua 5.4 under valgrind by a program of its own, which LUA_INIT tells it is called by: so are the processes that tests start.
# What valgrind has to say goes to a file a process. Memory that only the middle of a block leads to is Lua's, where a process
# ends by a signal: no leak. Valgrind opens a standard stream that is closed, so a process without one runs as it is. First come
# the files that run most of the C in the process of their own.
valgrind = valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite,indirect --num-callers=20 \
  --errors-for-leak-kinds=definite --suppressions=$(abspath spec/sanitize/valgrind.supp) --log-file=$(said)/%p
said := $(abspath $(BUILD))/valgrind/said
valgrind_lua := $(abspath $(BUILD))/valgrind/$(notdir $(lua54_lua))
called_so = local i = 0 while arg and arg[i - 1] do i = i - 1 end if i < 0 then arg[i] = [[$(valgrind_lua)]] end
$(valgrind_lua): Makefile
	@mkdir -p $(said) && chmod 1777 $(said) # some tests run a command as somebody else
	@printf '%s\n' '#!/bin/sh' "export LUA_INIT='$(called_so)'" \
	  '[ -e /proc/self/fd/0 ] && [ -e /proc/self/fd/1 ] && [ -e /proc/self/fd/2 ] || exec $(lua54_lua) "$$@"' \
	  'exec $(valgrind) $(lua54_lua) "$$@"' >$@ && chmod 755 $@
told = find $(said) -type f -size +0 -exec sh -c 'cat "$$@"; rm "$$@"; false' - {} +
valgrind_first := $(patsubst %,spec/%_spec.lua,json config config_abuse change list merge path week token file transport \
  client_answers client client_write client_doubt client_verify loop serve zone fold time schema check parts select pace retry)
every_spec = $(valgrind_first) $(filter-out $(valgrind_first) $(nginx_specs),$(wildcard spec/regress/*_spec.lua spec/*_spec.lua))
one_by_one = $(if $(filter spec,$(SPEC)),$(every_spec),$(SPEC))
$(eval $(call at_a_time,valgrind,lua54,lua54_lua=$(valgrind_lua) && $$(told)))
own_memory := spec/regress/buffer_for_small_file_spec.lua # measures what its process takes, valgrind and all
test-valgrind:
	@$(call packages,test-valgrind,$(test_deb) valgrind)
	@$(MAKE) --no-print-directory -s $(valgrind_lua)
	@$(MAKE) --no-print-directory -s -k $(patsubst %,$(BUILD)/valgrind-lua54/%.ok,$(filter-out $(own_memory),$(one_by_one)))

# With the collector at work at every allocation, in each test for so long (see spec/support/audit.lua).
GC_SECONDS ?= 2
$(foreach vm,$(found),$(eval $(call at_a_time,gc,$(vm),HANDOFF_GC=$$(GC_SECONDS))))
test-gc: all
	@$(MAKE) --no-print-directory -s -k $(foreach vm,$(found),$(one_by_one:%=$(BUILD)/gc-$(vm)/%.ok))

# A run over 300 agents, killed at any of 200 instants and gone on with; KILLS= and SEED= name others.
KILLS ?= 200
SEED ?= 1
test-kill: lua54
	@$(lua54_lua) spec/support/killed.lua $(KILLS) 300 $(SEED)

# An hour of edits over a fleet of 500 while every fault comes by chance, with runs that are killed, gone on with and taken back.
MINUTES ?= 60
AGENTS ?= 500
test-endurance: lua54
	@$(lua54_lua) spec/endurance/run.lua $(MINUTES) $(AGENTS) $(SEED)

# What every --help says, as the tests expect it from now on.
golden: lua54
	@$(lua54_lua) spec/support/golden.lua >spec/golden/help.txt

# --- fuzz -----------------------------------------------------------------------------------------------------------------
# Fuzzers of the core are programs of C; those of what is Lua are run by one host. FUZZ_SECONDS are for all of them together, or
# for the one that is named: make fuzz-week FUZZ_SECONDS=3600. FUZZ_VM=luajit runs those in Lua under LuaJIT. What they find is
# kept in $(BUILD)/fuzz/found/NAME, beside the corpus that grows there; test-fuzz feeds them what is in spec/fuzz/corpus, without
# libFuzzer, on each VM. What a state leaks is looked for when it ends: while it lasts it holds more with each input.
FUZZ_SECONDS ?= 600
FUZZ_VM ?= lua54
fuzzers_c := scan token week
fuzzers_lua := $(patsubst spec/fuzz/%.lua,%,$(wildcard spec/fuzz/*.lua))
fuzzers := $(fuzzers_c) $(fuzzers_lua)
fuzz_host := spec/fuzz/host.c spec/fuzz/server.c
fuzzing = -O1 -g -fno-omit-frame-pointer -fsanitize=fuzzer$(1),address,undefined -fno-sanitize-recover=all

# With what sanitizers and libFuzzer need, in a folder of its own for each VM.
sanitized = clang -std=c11 -D_GNU_SOURCE $(WARN) $($(FUZZ_VM)_flags) $(lib_flags)
fuzz_obj = $(patsubst csrc/%.c,$(BUILD)/fuzz/$(FUZZ_VM)/%.o,$(1))
fuzz_corpora = $(wildcard $(CURDIR)/spec/fuzz/corpus/$(1))
$(BUILD)/fuzz/$(FUZZ_VM)/%.o: csrc/%.c Makefile
	@mkdir -p $(@D)
	$(sanitized) $(call fuzzing,-no-link) -fno-sanitize-coverage=trace-cmp -MMD -MP -c $< -o $@
$(fuzzers_c:%=$(BUILD)/fuzz/%): $(BUILD)/fuzz/%: spec/fuzz/%.c $(wildcard csrc/core/*.[ch]) Makefile
	@mkdir -p $(@D)
	$(sanitized) $(fuzzing) $(filter %.c,$^) -o $@ $(shell pkg-config --libs $(core_pc))
$(BUILD)/fuzz/$(FUZZ_VM)/host: $(fuzz_host) spec/fuzz/server.h $(call fuzz_obj,$(wildcard csrc/core/*.c) $(core_src)) Makefile
	$(sanitized) $(fuzzing) $(fuzz_host) $(filter %.o,$^) -o $@ \
	  $(shell pkg-config --libs $($(FUZZ_VM)_pc) $(core_pc)) -lpthread -lm
-include $(wildcard $(BUILD)/fuzz/*/*/*.d)

# Words of the schema, for the fuzzers whose inputs hold them.
$(BUILD)/fuzz/schema.dict: spec/support/dictionary.lua csrc/core/schema.c | lua54
	@mkdir -p $(@D)
	@$(lua54_lua) $< >$@
fuzz_program = $(BUILD)/fuzz/$(if $(filter $(fuzzers_c),$(1)),$(1),$(FUZZ_VM)/host)
fuzz_seconds = $$(( $(FUZZ_SECONDS) / $(words $(or $(filter fuzz-%,$(MAKECMDGOALS)),$(fuzzers))) ))
$(fuzzers_c:%=fuzz-%): fuzz-%: $(BUILD)/fuzz/%
$(fuzzers_lua:%=fuzz-%): $(BUILD)/fuzz/$(FUZZ_VM)/host
$(fuzzers:%=fuzz-%): fuzz-%: $(BUILD)/fuzz/schema.dict
	@mkdir -p $(BUILD)/fuzz/found/$*/corpus
	cd $(BUILD)/fuzz/found/$* && cat ../../schema.dict $(wildcard $(CURDIR)/spec/fuzz/$*.dict) >words && HANDOFF_FUZZ=$* \
	  $(abspath $(call fuzz_program,$*)) -max_total_time=$(fuzz_seconds) -max_len=4096 -timeout=30 -rss_limit_mb=3000 \
	  -dict=words -detect_leaks=$(if $(filter $(fuzzers_c),$*),1,0) -print_final_stats=1 -verbosity=0 corpus $(call fuzz_corpora,$*)
# Adds what was found to the corpus: as few inputs, and as short, as reach what those do not that have names given by people.
by_hash := ????????????????????????????????????????
$(fuzzers:%=fuzz-keep-%): fuzz-keep-%:
	rm -rf $(BUILD)/fuzz/found/$*/kept && mkdir -p $(BUILD)/fuzz/found/$*/kept spec/fuzz/corpus/$*
	find spec/fuzz/corpus/$* -type f ! -name '$(by_hash)' -exec cp {} $(BUILD)/fuzz/found/$*/kept ';'
	HANDOFF_FUZZ=$* $(call fuzz_program,$*) -set_cover_merge=1 -use_counters=0 -detect_leaks=0 -max_len=2048 \
	  $(BUILD)/fuzz/found/$*/kept spec/fuzz/corpus/$* $(BUILD)/fuzz/found/$*/corpus
	find spec/fuzz/corpus/$* -name '$(by_hash)' -delete && cp $(BUILD)/fuzz/found/$*/kept/* spec/fuzz/corpus/$*
fuzz:
	@$(call packages,fuzz,$(test_deb))
	@$(MAKE) --no-print-directory -s $(fuzzers:%=fuzz-%)

replays := $(fuzzers_c:%=$(BUILD)/spec/fuzz/%)
$(replays): $(BUILD)/spec/fuzz/%: spec/fuzz/%.c spec/fuzz/replay.c $(core_obj) Makefile
	@mkdir -p $(@D)
	$(compile) $(lib_flags) $< spec/fuzz/replay.c $(core_obj) -o $@ $(LDFLAGS) $(shell pkg-config --libs $(core_pc))
define replay_rules # vm
$(BUILD)/spec/fuzz/host-$(1): $(fuzz_host) spec/fuzz/replay.c $(core_obj) \
  $(core_src:csrc/binding/%.c=$(BUILD)/$(1)/obj/%.o) Makefile
	@mkdir -p $$(@D)
	$$(compile) $($(1)_flags) $$(lib_flags) $(fuzz_host) spec/fuzz/replay.c $$(filter %.o,$$^) -o $$@ $$(LDFLAGS) \
	  $(shell pkg-config --libs $($(1)_pc) $(core_pc)) -lpthread -lm
endef
$(foreach vm,$(found),$(eval $(call replay_rules,$(vm))))
-include $(wildcard $(BUILD)/spec/fuzz/*.d)
test-fuzz: $(replays) $(found:%=$(BUILD)/spec/fuzz/host-%)
	@status=0; $(foreach one,$(fuzzers_c),echo 'fuzz $(one):'; $(BUILD)/spec/fuzz/$(one) spec/fuzz/corpus/$(one)/* || status=1;) \
	$(foreach vm,$(found),$(foreach one,$(fuzzers_lua),echo 'fuzz $(one), $(vm):'; \
	  HANDOFF_FUZZ=$(one) $(BUILD)/spec/fuzz/host-$(vm) spec/fuzz/corpus/$(one)/* || status=1;)) exit $$status

# --- memory that fails ----------------------------------------------------------------------------------------------------
# Requests for memory fail in turn, under every operation, for Lua's allocator, libcurl's and our own modules', which are linked
# for that: each of them in make torture, at most TORTURE_MOST of a sweep in make test-torture, others each time.
failing := malloc calloc realloc strdup strndup free
TORTURE_MOST ?= 3
# What is written thousands of times is not to wait for a disk each time.
torture_tmp := $(or $(TMPDIR),$(firstword $(wildcard /dev/shm /tmp)))
$(BUILD)/host-%: spec/torture/host.c % Makefile
	@mkdir -p $(@D)
	$(compile) $($*_flags) $(lib_flags) $< -o $@ -rdynamic $(shell pkg-config --libs $($*_pc) $(core_pc))
-include $(wildcard $(BUILD)/host-*.d)
hosts: $(found:%=$(BUILD)/host-%)
torture test-torture: $(found)
	@$(MAKE) --no-print-directory -s hosts BUILD=$(BUILD)/torture LDFLAGS='$(failing:%=-Wl,--wrap=%)'
	@status=0; $(foreach vm,$(found),echo '$(vm):'; TMPDIR='$(torture_tmp)' $($(vm)_lua) spec/torture/run.lua $(abspath $(BUILD))/torture \
	  $(if $(filter torture,$@),0,$(TORTURE_MOST)) || status=1;) exit $$status

# --- measure --------------------------------------------------------------------------------------------------------------
# Programs that stand alone; what else is in spec/bench they start, compiled or under the VM that runs them.
benches := document fleet command nginx
nginx_on := luajit # alone
bench_bin := $(patsubst spec/bench/%.c,$(BUILD)/bench/%,$(wildcard spec/bench/*.c))
$(BUILD)/bench/%: spec/bench/%.c Makefile
	@mkdir -p $(@D)
	$(compile) $(lib_flags) $< -o $@ $(shell pkg-config --libs $(core_pc))

bench:
	@$(call packages,bench,$(bench_deb))
	@$(MAKE) --no-print-directory -s all bench-run
bench-run: $(bench_bin)
	@$(foreach bench,$(benches),$(foreach vm,$(filter $(or $($(bench)_on),$(vms)),$(found)),echo '== $(bench), $(vm)' && \
	  HANDOFF_BENCH=$(abspath $(BUILD))/bench $($(vm)_lua) spec/bench/$(bench).lua &&)) :

clean:
	rm -rf $(BUILD)

help:
	@echo 'make             build for Lua 5.4 and LuaJIT, whichever is there, into $(BUILD)/'
	@echo 'make install     PREFIX=$(PREFIX) DESTDIR= LIBDIR=PREFIX/lib/lua/% LUADIR= DOCDIR= ZSHDIR=; VMS=lua54 for one alone'
	@echo 'make uninstall   the same places'
	@echo 'make rocks       LuaRocks packages of HEAD into $(BUILD)/rocks: of the sources, and a binary one for each VM'
	@echo 'make deps        install what is missing to build and test (Debian packages); DEPS=no turns this off elsewhere'
	@echo 'make doc         the reference as HTML, in $(BUILD)/doc'
	@echo 'make demo        try it: an edit over 25 agents of a sandbox on this machine'
	@echo 'make demo-nginx  try it inside nginx: a shop with opening hours, and a console; until Ctrl-C'
	@echo 'make test        everything that must pass; SPEC=spec/x_spec.lua for less of busted'
	@echo 'make lint        luacheck, cppcheck, clang-tidy, clang-format, both compilers with warnings as errors'
	@echo 'make test-core, test-fuzz, test-lua54, test-luajit, test-nginx, test-threads   a part of the tests'
	@echo 'make test-asan, test-valgrind, test-gc           busted with sanitizers, valgrind, a restless collector (GC_SECONDS=2)'
	@echo 'make coverage    what of the C and of the Lua the tests run, a row a room, and each line that they never do'
	@echo 'make fuzz        all fuzzers, with sanitizers, FUZZ_SECONDS=600 together; fuzz-NAME: one of them; FUZZ_VM=luajit'
	@echo 'make torture     every request for memory fails, under every operation; test-torture: some, others each time'
	@echo 'make test-kill   a run killed at 200 instants and gone on with'
	@echo 'make test-endurance   an hour of edits amid faults; MINUTES=$(MINUTES) AGENTS=$(AGENTS) SEED=$(SEED)'
	@echo 'make golden      takes what each --help says now for what it should say'
	@echo 'make bench       processor time, memory and agents a second, on both VMs, beside others'
	@echo 'make clean'

.PHONY: all $(known) hosts torture rock install install-command install-pages install-docs misplaced install-rock rocks \
  uninstall deps \
  doc doc-run demo demo-run demo-nginx demo-nginx-run test checks lint lints $(checks) $(known:%=test-%) test-nginx threads \
  fuzz $(fuzzers:%=fuzz-%) $(fuzzers:%=fuzz-keep-%) test-asan test-asan-nginx $(known:%=test-asan-%) \
  coverage test-valgrind test-gc test-kill test-endurance golden bench bench-run clean help
