# SPDX-License-Identifier: MIT
# broker: `make` builds build/bin/broker and build/libexec/broker/*, the layout of an installation.
# SAN=1 builds with the address and undefined-behaviour sanitizers into build-san. V=1 shows the commands.
# WERROR=1 makes warnings errors. STATIC=libs links libsodium and jansson into `broker`, STATIC=1 links all of `broker`
# statically; the results are in build-static-libs and build-static-1. docs/building.md explains the variables.

PREFIX  ?= /usr/local
DESTDIR ?=
# The helpers are in LIBEXECDIR/broker, which must be below PREFIX: `broker` finds them relative to itself.
LIBEXECDIR ?= $(PREFIX)/libexec
DOCDIR  ?= $(PREFIX)/share/doc/broker
MANDIR  ?= $(PREFIX)/share/man
VERSION := 0.1.0
CC      ?= cc
PKG_CONFIG ?= pkg-config
CFLAGS  ?= -O2 -g
WERROR  ?=
STATIC  ?=
V       ?= 0

B := build$(if $(SAN),-san)$(if $(STATIC),-static-$(STATIC))
Q := $(if $(filter 1,$(V)),,@)
say = $(if $(filter 1,$(V)),,@printf '%s\n' '  $(1)  $(2)')

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wvla -Wstrict-prototypes -Wmissing-prototypes \
        -Wwrite-strings -Wformat=2 $(if $(filter-out 0,$(WERROR)),-Werror)
comma := ,
SANITIZE := $(if $(SAN),-fsanitize=address$(comma)undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
DEFS := -D_GNU_SOURCE -DBROKER_VERSION='"$(VERSION)"'
# No object contains the path of the build folder, so that builds in two folders are identical.
ALL_CFLAGS = -std=c17 $(DEFS) $(WARN) $(HARDEN_CFLAGS) $(SANITIZE) -ffile-prefix-map=$(CURDIR)=. -fPIE -Iinclude -Isrc \
        $(if $(findstring _FORTIFY_SOURCE,$(CPPFLAGS)),-U_FORTIFY_SOURCE) $(CPPFLAGS) $(CFLAGS)
ALL_LDFLAGS = -pie $(SANITIZE) $(HARDEN_LDFLAGS) $(LDFLAGS)

ifneq ($(filter-out libs 1,$(STATIC)),)
$(error STATIC is libs or 1)
endif
LIBEXEC := $(patsubst $(PREFIX)/%,%,$(LIBEXECDIR))
ifneq ($(filter /%,$(LIBEXEC)),)
$(error LIBEXECDIR must be below PREFIX ($(PREFIX)): broker finds its helpers relative to itself)
endif

# Each program has its own list of libraries: `broker` links libc, libsodium and jansson, nothing else.
BROKER_LIBS   = $(if $(filter libs,$(STATIC)),-Wl$(comma)-Bstatic) \
        $(shell $(PKG_CONFIG) $(if $(STATIC),--static) --libs libsodium jansson) $(if $(filter libs,$(STATIC)),-Wl$(comma)-Bdynamic)
KEYCHAIN_LIBS = $(shell $(PKG_CONFIG) --libs libsecret-1 libsodium)
KEYCHAIN_CFLAGS = $(shell $(PKG_CONFIG) --cflags libsecret-1)
HTTP_LIBS     = $(shell $(PKG_CONFIG) --libs libcurl jansson expat libssl libcrypto libsodium)
KEEPER_LIBS   = $(shell $(PKG_CONFIG) --libs libssh2 libssl libcrypto libsodium)

BROKER_MODULES := base ipc model store aws vault provider output protocol import session help command
KEEPER_MODULES := event mysql tunnel ssh libssh2 openssh keeper
# Code that differs between systems is in files named NAME-SYSTEM.c; a port to another system adds its own files.
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
L            := $(B)/$(LIBEXEC)/broker
HELPERS      := $(addprefix $(L)/broker-,keychain http keeper)
# The program through which the system's ssh prompts: the keeper under a second name.
ASKPASS      := $(L)/broker-askpass
# The names of credential helpers, under which other programs call broker: the rows PROTOCOL of kinds.def.
NAMES        := $(shell sed -n 's/^PROTOCOL([a-z]*, "\(.*\)")/\1/p' include/model/kinds.def)
PROGRAMS     := $(B)/bin/broker $(HELPERS) $(ASKPASS) $(addprefix $(B)/bin/,$(NAMES))

all: $(PROGRAMS) $(B)/share/broker/rds-ca.pem $(B)/share/broker/rds-ca.txt $(B)/man/made

# The manual pages are made from broker's output; set MAN_BROKER to another one if it does not run here.
MAN_BROKER ?= $(B)/bin/broker
$(B)/man/made: share/make-man docs/troubleshooting.md $(B)/bin/broker
	$(call say,MAN,$(@D))
	$(Q)share/make-man $(abspath $(MAN_BROKER)) $(abspath $(@D)) && touch $@

$(B)/share/%: share/%
	@mkdir -p $(@D)
	$(call say,COPY,$<)
	$(Q)cp $< $@

# The hardening flags that this compiler and linker accept, probed once by compiling and linking.
$(B)/harden.mk: tests/lint/probe-flags Makefile
	@mkdir -p $(@D)
	$(Q)tests/lint/probe-flags '$(CC)' '$(SAN)' > $@.tmp && mv $@.tmp $@
ifeq ($(filter clean lint,$(MAKECMDGOALS)),)
lacking := $(shell tests/lint/probe-packages '$(CC)' '$(PKG_CONFIG)' $(if $(filter unit check,$(MAKECMDGOALS)),unit))
$(if $(lacking),$(error $(lacking)))
-include $(B)/harden.mk
endif

# Contains LIBEXEC; it is only written if LIBEXEC has changed, so that what depends on it is only then built again.
$(B)/libexecdir: FORCE
	@mkdir -p $(@D); echo '$(LIBEXEC)' | cmp -s - $@ || echo '$(LIBEXEC)' > $@

$(B)/obj/%.o: src/%.c $(B)/harden.mk Makefile
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(ALL_CFLAGS) $(call own_flags,$*) -MMD -MP -c -o $@ $<

# Flags for single files and folders.
own_flags = $(if $(filter keychain/%,$(1)),$(KEYCHAIN_CFLAGS)) $(if $(filter keeper/tunnels,$(1)),$(TUNNELS)) $(if \
        $(filter ipc/helper,$(1)),-DBROKER_LIBEXEC='"../$(LIBEXEC)/broker"')
# The rows of tunnels, TUNNEL(ssh) TUNNEL(command) ..., because the keeper may not include the headers of model.
TUNNELS = -DTUNNELS='$(shell sed -n 's/^\(TUNNEL([a-z]*\),.*/\1)/p' include/model/kinds.def)'
$(B)/obj/keeper/tunnels.o: include/model/kinds.def
$(B)/obj/ipc/helper.o: $(B)/libexecdir

$(B)/bin/broker: $(BROKER_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(if $(filter 1,$(STATIC)),$(patsubst -pie,-static-pie,$(ALL_LDFLAGS)),$(ALL_LDFLAGS)) -o $@ $^ $(BROKER_LIBS)

$(L)/broker-keychain: $(KEYCHAIN_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(KEYCHAIN_LIBS)

$(L)/broker-http: $(HTTP_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(HTTP_LIBS)

$(L)/broker-keeper: $(KEEPER_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_LDFLAGS) -o $@ $^ $(KEEPER_LIBS)

$(ASKPASS): | $(L)/broker-keeper
	$(Q)ln -sf broker-keeper $@

$(addprefix $(B)/bin/,$(NAMES)): | $(B)/bin/broker
	$(Q)ln -sf broker $@

# --- tests ---------------------------------------------------------------------------------------------------------
UNIT := $(patsubst tests/unit/%.c,$(B)/tests/unit/%,$(wildcard tests/unit/test_*.c))

$(B)/tests/unit/%: tests/unit/%.c $(LIB_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(LIB_OBJ) $(BROKER_LIBS) -lcmocka

# The tests of the keeper's modules, test_MODULE_X, are linked with the keeper's objects instead.
KEEPER_UNIT_OBJ := $(filter-out %/keeper/main.o,$(KEEPER_OBJ))
KEEPER_UNIT := $(filter $(patsubst %,$(B)/tests/unit/test_%_%,$(KEEPER_MODULES)),$(UNIT))
$(KEEPER_UNIT): $(B)/tests/unit/%: tests/unit/%.c $(KEEPER_UNIT_OBJ)
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(ALL_CFLAGS) -Wno-missing-prototypes -MMD -MP $(ALL_LDFLAGS) -o $@ $< $(KEEPER_UNIT_OBJ) $(KEEPER_LIBS) -lcmocka

# Helper programs of the command-line tests, such as one that answers many requests in one process.
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

# Fuzzing needs clang; each target runs for FUZZ_SECONDS.
FUZZ_SECONDS ?= 60
fuzz:
	$(Q)tests/fuzz/run $(FUZZ_SECONDS)

# Lists small changes of the code that no test notices; MUTANTS='--unit FILE...' selects files (docs/contributing.md).
mutants:
	$(Q)tests/mutants/run $(MUTANTS)

torture: all
	$(Q)BROKER_BUILD=$(CURDIR)/$(B) tests/torture/run

bench: all
	$(if $(STATIC),,$(Q)for kind in libs 1; do $(MAKE) STATIC=$$kind build-static-$$kind/bin/broker || exit; done)
	$(Q)BROKER_BUILD=$(CURDIR)/$(B) tests/bench/run
	$(Q)BROKER_BUILD=$(CURDIR)/$(B) tests/bench/tunnels

# --- installation --------------------------------------------------------------------------------------------------
DEST := $(DESTDIR)$(PREFIX)
DEST_LIBEXEC := $(DESTDIR)$(LIBEXECDIR)/broker
DOCS := README.md CHANGELOG.md LICENSE $(wildcard docs/*.md docs/*.svg)
INSTALLED = $(addprefix $(DEST)/bin/,broker $(NAMES)) $(addprefix $(DEST_LIBEXEC)/,$(notdir $(HELPERS) $(ASKPASS))) \
    $(addprefix $(DEST)/share/broker/,rds-ca.pem rds-ca.txt) $(addprefix $(DESTDIR)$(DOCDIR)/,$(DOCS)) \
    $(DEST)/share/bash-completion/completions/broker $(DEST)/share/zsh/site-functions/_broker \
    $(DEST)/share/fish/vendor_completions.d/broker.fish

install: all
	install -d $(DEST)/bin $(DEST_LIBEXEC)
	install -m 755 $(B)/bin/broker $(DEST)/bin/
	for name in $(NAMES); do ln -sf broker $(DEST)/bin/$$name || exit 1; done
	install -m 755 $(HELPERS) $(DEST_LIBEXEC)/
	ln -sf broker-keeper $(DEST_LIBEXEC)/broker-askpass
	install -d $(DEST)/share/broker $(DESTDIR)$(DOCDIR)/docs
	install -m 644 share/broker/rds-ca.pem share/broker/rds-ca.txt $(DEST)/share/broker/
	install -m 644 $(filter-out docs/%,$(DOCS)) $(DESTDIR)$(DOCDIR)/
	install -m 644 $(filter docs/%,$(DOCS)) $(DESTDIR)$(DOCDIR)/docs/
	for n in 1 5 7; do install -d $(DESTDIR)$(MANDIR)/man$$n && \
	    install -m 644 $(B)/man/man$$n/*.$$n $(DESTDIR)$(MANDIR)/man$$n/ || exit 1; done
	install -d $(DEST)/share/bash-completion/completions $(DEST)/share/zsh/site-functions $(DEST)/share/fish/vendor_completions.d
	install -m 644 completions/broker.bash $(DEST)/share/bash-completion/completions/broker
	install -m 644 completions/_broker $(DEST)/share/zsh/site-functions/
	install -m 644 completions/broker.fish $(DEST)/share/fish/vendor_completions.d/

# Needs the same variables as `make install`. Also removes the folders of broker alone, if they are empty.
uninstall:
	rm -f $(INSTALLED)
	for n in 1 5 7; do rm -f $(DESTDIR)$(MANDIR)/man$$n/broker.$$n $(DESTDIR)$(MANDIR)/man$$n/broker-*.$$n; done
	-rmdir $(DEST_LIBEXEC) $(DEST)/share/broker $(DESTDIR)$(DOCDIR)/docs $(DESTDIR)$(DOCDIR) 2>/dev/null

# Packs the source of the last commit; without git, the files of the tree.
DIST := broker-$(VERSION)
dist:
	@mkdir -p $(B)
	{ git archive --prefix=$(DIST)/ HEAD 2>/dev/null || tar -c --sort=name --owner=0 --group=0 --numeric-owner --exclude=./.git \
	    --exclude='./build*' --exclude=__pycache__ --transform='s,^\.,$(DIST),' .; } | gzip -9n > $(B)/$(DIST).tar.gz

clean:
	rm -rf build build-san build-fuzz build-static-*

.PHONY: all unit check lint troubleshooting fuzz mutants torture bench install uninstall dist clean FORCE
-include $(shell find $(B) -name '*.d' 2>/dev/null)
