# handoff: build, install, try, test. `make help` lists the targets.
CC ?= cc
CFLAGS ?= -O2 -g
WARN = -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion
WERROR ?= $(if $(CI),-Werror)
PREFIX ?= /usr/local
BUILD ?= build

all: lua54 luajit

# --- the Lua VMs, by their pkg-config names ------------------------------------------------------------------------------
pc_lua54 := lua5.4
pc_luajit := luajit
core_src := $(wildcard csrc/core/*.c)
binding_src := $(filter-out csrc/binding/l_serve.c csrc/binding/l_zone.c,$(wildcard csrc/binding/*.c))
core_obj := $(core_src:csrc/%.c=$(BUILD)/%.o)
compile = $(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(WERROR) $(CFLAGS) $(CPPFLAGS) -fPIC -fvisibility=hidden -MMD -MP

$(BUILD)/core/%.o: csrc/core/%.c
	@mkdir -p $(@D)
	$(compile) $(shell pkg-config --cflags libcurl) -c $< -o $@

define vm
$(1): $(BUILD)/$(1)/handoff/core.so $(BUILD)/$(1)/handoff/serve.so
$(BUILD)/$(1)/obj/%.o: csrc/binding/%.c
	@mkdir -p $$(@D)
	$$(compile) $$(shell pkg-config --cflags $(pc_$(1)) libcurl) -c $$< -o $$@
$(BUILD)/$(1)/handoff/core.so: $(core_obj) $(binding_src:csrc/binding/%.c=$(BUILD)/$(1)/obj/%.o)
	@mkdir -p $$(@D)
	$(CC) -shared $(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(shell pkg-config --libs libcurl)
$(BUILD)/$(1)/handoff/serve.so: $(BUILD)/$(1)/obj/l_serve.o
	@mkdir -p $$(@D)
	$(CC) -shared $(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(shell pkg-config --libs libmicrohttpd)
-include $$(wildcard $(BUILD)/$(1)/obj/*.d)
endef
$(eval $(call vm,lua54))
$(eval $(call vm,luajit))
-include $(wildcard $(BUILD)/core/*.d)

# --- C unit tests of the core, a program a room; with sanitizers: -----------------------------------------------------------
#     make test-core BUILD=build/asan CC=clang CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover"
core_tests := $(patsubst spec/core/%.c,$(BUILD)/spec/core/%,$(wildcard spec/core/*.c))

$(BUILD)/spec/core/%: spec/core/%.c $(core_obj)
	@mkdir -p $(@D)
	$(compile) $< $(core_obj) -o $@ $(LDFLAGS) $(shell pkg-config --libs libcurl)

test-core: $(core_tests)
	@status=0; for test in $^; do echo "$${test##*/}:"; $$test || status=1; done; exit $$status

-include $(wildcard $(BUILD)/spec/core/*.d)
.PHONY: test-core
# --- end of the C unit tests ---------------------------------------------------------------------------------------------

clean:
	rm -rf $(BUILD)

.PHONY: all lua54 luajit clean
