# broker: `make` builds build/bin/broker and build/libexec/broker/*, the layout of an installation.
# SAN=1 builds with the address and undefined-behaviour sanitizers into build-san. V=1 shows the commands.

PREFIX  ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
CC      ?= cc
PKG_CONFIG ?= pkg-config
CFLAGS  ?= -O2 -g
V       ?= 0

B := $(if $(SAN),build-san,build)
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '%s\n' '  $(1)  $(2)')

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes \
        -Wwrite-strings -Wformat=2 -Werror
comma := ,
SANITIZE := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
DEFS := -D_GNU_SOURCE -DBROKER_VERSION='"$(VERSION)"'
ALL_CFLAGS = -std=c17 $(DEFS) $(WARN) $(HARDEN_CFLAGS) $(SANITIZE) -fPIE -Iinclude -Isrc $(CFLAGS)
ALL_LDFLAGS = -pie $(SANITIZE) $(HARDEN_LDFLAGS) $(LDFLAGS)

# pkg-config per binary, never one list for all: `broker` links libc, libsodium and jansson, nothing else.
BROKER_LIBS   = $(shell $(PKG_CONFIG) --libs libsodium jansson)
KEYCHAIN_LIBS = $(shell $(PKG_CONFIG) --libs libsecret-1 libsodium)
KEYCHAIN_CFLAGS = $(shell $(PKG_CONFIG) --cflags libsecret-1)
HTTP_LIBS     = $(shell $(PKG_CONFIG) --libs libcurl jansson expat libssl libcrypto libsodium)
KEEPER_LIBS   = $(shell $(PKG_CONFIG) --libs libssh2 libssl libcrypto libsodium)

BROKER_MODULES := base ipc model store aws vault provider output protocol import session command
KEEPER_MODULES := event mysql tunnel ssh libssh2 openssh keeper
# What differs between systems is in files named NAME-SYSTEM.c; another system adds its own beside them.
PLATFORM ?= linux
SYSTEMS  := linux macos bsd
others  = $(foreach s,$(filter-out $(PLATFORM),$(SYSTEMS)),$(wildcard src/$(1)/*-$(s).c))
sources = $(sort $(filter-out $(call others,$(1)),$(wildcard src/$(1)/*.c)))
objects = $(patsubst src/%.c,$(B)/obj/%.o,$(call sources,$(1)))
BROKER_OBJ   := $(foreach m,$(BROKER_MODULES),$(call objects,$(m)))
LIB_OBJ      := $(filter-out $(B)/obj/command/%,$(BROKER_OBJ))
KEYCHAIN_OBJ := $(foreach m,keychain ipc base,$(call objects,$(m)))
HTTP_OBJ     := $(foreach m,http ipc base,$(call objects,$(m)))
KEEPER_OBJ   := $(foreach m,$(KEEPER_MODULES) ipc base,$(call objects,$(m)))
HELPERS      := $(addprefix $(B)/libexec/broker/broker-,keychain http keeper)
# What the system's ssh asks its questions through: the keeper under a second name.
ASKPASS      := $(B)/libexec/broker/broker-askpass
# The names of credential helpers, by which other programs call broker: the rows PROTOCOL of kinds.def.
NAMES        := $(shell sed -n 's/^PROTOCOL([a-z]*, "\(.*\)")/\1/p' include/model/kinds.def)
PROGRAMS     := $(B)/bin/broker $(HELPERS) $(ASKPASS) $(addprefix $(B)/bin/,$(NAMES))

all: $(PROGRAMS) $(B)/share/broker/rds-ca.pem $(B)/share/broker/rds-ca.txt

$(B)/share/%: share/%
	@mkdir -p $(@D)
	$(call say,COPY,$<)
	$(Q)cp $< $@

# Hardening flags that this compiler and linker really take, probed once by compiling and linking.
$(B)/harden.mk: tests/lint/probe-flags Makefile
	@mkdir -p $(@D)
	$(Q)tests/lint/probe-flags '$(CC)' '$(SAN)' > $@.tmp && mv $@.tmp $@
ifeq ($(filter clean lint,$(MAKECMDGOALS)),)
lacking := $(shell tests/lint/probe-packages '$(CC)' '$(PKG_CONFIG)' $(if $(filter unit check,$(MAKECMDGOALS)),unit))
$(if $(lacking),$(error $(lacking)))
-include $(B)/harden.mk
endif

$(B)/obj/%.o: src/%.c $(B)/harden.mk Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(if $(filter keychain/%,$*),$(KEYCHAIN_CFLAGS)) $(if $(filter keeper/tunnels,$*),$(TUNNELS)) -MMD -MP -c -o $@ $<

# The rows of tunnels, as the keeper may not include model: TUNNEL(ssh) TUNNEL(command) ...
TUNNELS = -DTUNNELS='$(shell sed -n 's/^\(TUNNEL([a-z]*\),.*/\1)/p' include/model/kinds.def)'
$(B)/obj/keeper/tunnels.o: include/model/kinds.def

$(B)/bin/broker: $(BROKER_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(BROKER_LIBS)

$(B)/libexec/broker/broker-keychain: $(KEYCHAIN_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(KEYCHAIN_LIBS)

$(B)/libexec/broker/broker-http: $(HTTP_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(HTTP_LIBS)

$(B)/libexec/broker/broker-keeper: $(KEEPER_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(KEEPER_LIBS)

$(ASKPASS): | $(B)/libexec/broker/broker-keeper
	$(Q)ln -sf broker-keeper $@

$(addprefix $(B)/bin/,$(NAMES)): | $(B)/bin/broker
	$(Q)ln -sf broker $@

# --- tests ---------------------------------------------------------------------------------------------------------
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))

$(B)/tests/unit/%: tests/unit/%.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(LIB_OBJ) $(BROKER_LIBS) -lcmocka

# Those of the keeper's modules, test_MODULE_X, see its objects instead.
KEEPER_UNIT_OBJ := $(filter-out %/keeper/main.o,$(KEEPER_OBJ))
KEEPER_UNIT := $(filter $(patsubst %,$(B)/tests/unit/test_%_%,$(KEEPER_MODULES)),$(UNIT))
$(KEEPER_UNIT): $(B)/tests/unit/%: tests/unit/%.c $(KEEPER_UNIT_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(KEEPER_UNIT_OBJ) $(KEEPER_LIBS) -lcmocka

# Programs that a command-line test asks many questions in one process.
DRIVERS := $(patsubst tests/drivers/%.c,$(B)/tests/drivers/%,$(wildcard tests/drivers/*.c))
$(B)/tests/drivers/%: tests/drivers/%.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(LIB_OBJ) $(BROKER_LIBS)

unit: $(UNIT) $(DRIVERS)

check: all unit
	$(Q)BROKER_BUILD=$(CURDIR)/$(B) tests/run

lint:
	$(Q)tests/lint/run

troubleshooting:
	$(Q)tests/lint/troubleshooting.py --write

# Fuzzing wants clang; each target runs for FUZZ_SECONDS.
FUZZ_SECONDS ?= 60
fuzz:
	$(Q)tests/fuzz/run $(FUZZ_SECONDS)

torture: all
	$(Q)BROKER_BUILD=$(CURDIR)/$(B) tests/torture/run

bench: all
	$(Q)BROKER_BUILD=$(CURDIR)/$(B) tests/bench/run
	$(Q)BROKER_BUILD=$(CURDIR)/$(B) tests/bench/tunnels

# --- installation --------------------------------------------------------------------------------------------------
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/libexec/broker
	install -m 755 $(B)/bin/broker $(DESTDIR)$(PREFIX)/bin/
	for name in $(NAMES); do ln -sf broker $(DESTDIR)$(PREFIX)/bin/$$name || exit 1; done
	install -m 755 $(HELPERS) $(DESTDIR)$(PREFIX)/libexec/broker/
	ln -sf broker-keeper $(DESTDIR)$(PREFIX)/libexec/broker/broker-askpass
	install -d $(DESTDIR)$(PREFIX)/share/broker
	install -m 644 share/broker/rds-ca.pem share/broker/rds-ca.txt $(DESTDIR)$(PREFIX)/share/broker/
	install -d $(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	    $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d
	install -m 644 completions/broker.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/broker
	install -m 644 completions/_broker $(DESTDIR)$(PREFIX)/share/zsh/site-functions/
	install -m 644 completions/broker.fish $(DESTDIR)$(PREFIX)/share/fish/vendor_completions.d/

clean:
	rm -rf build build-san build-fuzz

.PHONY: all unit check lint troubleshooting fuzz torture bench install clean
-include $(shell find $(B) -name '*.d' 2>/dev/null)
