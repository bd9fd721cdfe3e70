# SPDX-License-Identifier: GPL-2.0-only
# make            build build/edge426 and the BPF objects
# make demo       two namespaces, nginx, edge426, curl and wrk, on this machine
# make check      everything that CI runs (root)
# make bench      cost of the XDP program; edge426 beside nginx and HAProxy (root)
# make install    DESTDIR= PREFIX=/usr/local
# V=1 shows the commands; CC=clang builds user space with clang.

VERSION := 0.1.0
PREFIX ?= /usr/local
SBINDIR ?= $(PREFIX)/sbin
MANDIR ?= $(PREFIX)/share/man
LIBDIR ?= $(PREFIX)/lib

B ?= build
ifeq ($(origin CC),default)
CC := gcc
endif
CLANG ?= clang
BPFTOOL ?= /usr/sbin/bpftool
ARCH_INCLUDE := /usr/include/$(shell uname -m)-linux-gnu

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wvla
CFLAGS ?= -O2 -g
CPPFLAGS_ALL := -D_GNU_SOURCE -DEDGE426_VERSION='"$(VERSION)"' -Iinclude -I$(B)/skel
CFLAGS_ALL := -std=gnu11 $(WARN) $(CFLAGS) -MMD -MP
LIBS := -lxdp -lbpf -lyaml -ljansson -lpcap -lpthread
BPF_CFLAGS := --target=bpf -mcpu=v3 -std=gnu11 $(WARN) -O2 -g -Iinclude -I$(ARCH_INCLUDE) -MMD -MP

# What compiles, and how: written anew when it changes, and all objects depend on it.
FLAGS := $(strip $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(LDFLAGS), $(CLANG) $(BPF_CFLAGS))
ifneq ($(file <$(B)/flags),$(FLAGS))
$(shell mkdir -p $(B))
$(file >$(B)/flags,$(FLAGS))
endif

SANITIZE := -fsanitize=address,undefined -fno-sanitize=alignment -fno-sanitize-recover=all
# What the unit tests cover: everything that touches no map, socket or interface.
PURE := failure text text_name text_prefix text_time prefix prefix_cover file allow_file answer frame \
	edge_host policy policy_allow policy_check policy_diff policy_keys policy_lint policy_lint_places \
	policy_place policy_preset policy_print policy_read policy_reader policy_service \
	policy_service_keys policy_values places lists \
	connections endpoint explain_data explain_frame explain_rule
# What publishes a policy, for the tests that do so into the kernel's maps.
STORE := $(PURE) store publish halves inner layout pins

BPF_OBJECTS := $(patsubst bpf/%.bpf.c,$(B)/bpf/%.bpf.o,$(wildcard bpf/*.bpf.c))
SKELETONS := $(patsubst $(B)/bpf/%.bpf.o,$(B)/skel/%.skel.h,$(BPF_OBJECTS))
USER_OBJECTS := $(patsubst user/%.c,$(B)/user/%.o,$(wildcard user/*.c))
UNIT_OBJECTS := $(patsubst tests/unit/%.c,$(B)/tests/unit/%.o,$(wildcard tests/unit/*.c)) \
	$(PURE:%=$(B)/tests/unit/user/%.o)
PROG_OBJECTS := $(patsubst tests/prog/%.c,$(B)/tests/prog/%.o,$(wildcard tests/prog/*.c)) \
	$(B)/tests/unit/packet.o $(STORE:%=$(B)/tests/unit/user/%.o)
BENCH_PROGRAMS := $(patsubst tests/bench/%.c,$(B)/tests/bench/%,\
	$(filter-out %.bpf.c,$(wildcard tests/bench/*.c)))

ifeq ($(V),1)
say =
else
say = @printf '  %-6s %s\n' $(1) $@;
endif

.DELETE_ON_ERROR:
.SUFFIXES:
.SECONDARY: $(B)/tests/bench/client.bpf.o $(B)/tests/bench/client.skel.h
.PHONY: all tests demo check bench install clean

all: $(B)/edge426 $(BPF_OBJECTS) $(B)/scripts/pass.bpf.o

$(B)/edge426: $(USER_OBJECTS)
	$(call say,LINK) $(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LIBS)

$(B)/user/%.o: user/%.c $(B)/flags | $(B)/deps $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) -c -o $@ $<

$(B)/bpf/%.bpf.o: bpf/%.bpf.c $(B)/flags | $(B)/deps
	@mkdir -p $(@D)
	$(call say,BPF) $(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(B)/scripts/%.bpf.o: scripts/%.bpf.c $(B)/flags | $(B)/deps
	@mkdir -p $(@D)
	$(call say,BPF) $(CLANG) $(BPF_CFLAGS) -c -o $@ $<

$(B)/skel/%.skel.h: $(B)/bpf/%.bpf.o
	@mkdir -p $(@D)
	$(call say,SKEL) $(BPFTOOL) gen skeleton $< name $* > $@

# Packages that are missing are installed; see the script.
$(B)/deps: scripts/deps.sh
	@mkdir -p $(@D)
	@scripts/deps.sh build
	@touch $@

tests: all $(B)/tests/unit/run $(B)/tests/prog/run $(BENCH_PROGRAMS)

$(B)/tests/unit/run: $(UNIT_OBJECTS)
	$(call say,LINK) $(CC) $(SANITIZE) -o $@ $^ -lcriterion -lyaml

$(B)/tests/unit/%.o: tests/unit/%.c $(B)/flags | $(B)/deps
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CPPFLAGS_ALL) -Iuser -Ibpf $(CFLAGS_ALL) $(SANITIZE) -c -o $@ $<

$(B)/tests/unit/user/%.o: user/%.c $(B)/flags | $(B)/deps
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CPPFLAGS_ALL) $(CFLAGS_ALL) $(SANITIZE) -c -o $@ $<

$(B)/tests/prog/run: $(PROG_OBJECTS)
	$(call say,LINK) $(CC) $(SANITIZE) -o $@ $^ -lcriterion -lxdp -lbpf -lyaml

$(B)/tests/prog/%.o: tests/prog/%.c $(B)/flags | $(B)/deps $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CPPFLAGS_ALL) -Iuser -Itests/unit $(CFLAGS_ALL) $(SANITIZE) -c -o $@ $<

$(B)/tests/bench/prog_cost: tests/bench/prog_cost.c tests/prog/fixture.c tests/unit/packet.c \
		$(STORE:%=$(B)/user/%.o) $(B)/flags | $(B)/deps $(SKELETONS)
	@mkdir -p $(@D)
	$(call say,CC) $(CC) $(CPPFLAGS_ALL) -Itests/prog -Itests/unit -Iuser -std=gnu11 $(WARN) $(CFLAGS) \
		-o $@ $(filter %.c %.o,$^) -lbpf -lyaml

# The load generator needs neither the fixture nor the packets of the tests. It
# reads as 16-bit words, for checksums, what it has written as headers.
$(B)/tests/bench/load $(B)/tests/bench/client.bpf.o: ALIASING := -fno-strict-aliasing
$(B)/tests/bench/load: tests/bench/load.c $(B)/tests/bench/client.skel.h $(B)/flags | $(B)/deps
	$(call say,CC) $(CC) $(CPPFLAGS_ALL) -Ibpf -I$(B)/tests/bench $(CFLAGS_ALL) $(ALIASING) -o $@ $< -lbpf -ljansson

$(B)/tests/bench/%.bpf.o: tests/bench/%.bpf.c $(B)/flags | $(B)/deps
	@mkdir -p $(@D)
	$(call say,BPF) $(CLANG) $(BPF_CFLAGS) $(ALIASING) -Ibpf -c -o $@ $<

$(B)/tests/bench/%.skel.h: $(B)/tests/bench/%.bpf.o
	$(call say,SKEL) $(BPFTOOL) gen skeleton $< name $* > $@

demo: all
	@scripts/demo.sh

check:
	@scripts/check.sh

bench: all $(B)/tests/bench/prog_cost $(B)/tests/bench/load
	@$(B)/tests/bench/prog_cost
	@scripts/bench.sh
	@scripts/bench_load.sh

install: all
	install -d $(DESTDIR)$(SBINDIR) $(DESTDIR)$(LIBDIR)/edge426 $(DESTDIR)$(MANDIR)/man8 $(DESTDIR)$(MANDIR)/man5
	install -m 755 $(B)/edge426 $(DESTDIR)$(SBINDIR)/edge426
	install -m 644 $(BPF_OBJECTS) $(DESTDIR)$(LIBDIR)/edge426/
	install -m 644 user/man/*.8 $(DESTDIR)$(MANDIR)/man8/
	install -m 644 user/man/*.5 $(DESTDIR)$(MANDIR)/man5/

clean:
	rm -rf $(B)

-include $(shell find $(B) -name '*.d' 2>/dev/null)
