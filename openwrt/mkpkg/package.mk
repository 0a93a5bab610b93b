# Stands in for the build system's package.mk. mkpkg.sh gives the variables BINARY, the program as it was built, and STAGE,
# a directory: `make stage` puts there what the package installs (root/), and in files what else it says of itself.

define GoPackage/Package/Install/Bin
	$(INSTALL_DIR) $(1)$(GO_PKG_INSTALL_BIN_PATH)
	$(INSTALL_BIN) $(BINARY) $(1)$(GO_PKG_INSTALL_BIN_PATH)/$(PKG_NAME)
endef

define BuildPackage
$(eval $(Package/$(1)))
stage:
	$(file >$(STAGE)/fields,$(call fields,$(1)))
	$(file >$(STAGE)/description,$(Package/$(1)/description))
	$(file >$(STAGE)/conffiles,$(Package/$(1)/conffiles))
	$(file >$(STAGE)/prerm-pkg,$(Package/$(1)/prerm))
	$(call Package/$(1)/install,$(STAGE)/root)
endef

# For a shell to read.
define fields
name='$(1)'
version='$(PKG_VERSION)-r$(PKG_RELEASE)'
license='$(PKG_LICENSE)'
maintainer='$(PKG_MAINTAINER)'
section='$(SECTION)'
user='$(USERID)'
endef
