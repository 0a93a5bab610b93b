# Stands in for the build system's rules.mk, with package.mk beside it, where mkpkg.sh reads openwrt/Makefile.

INCLUDE_DIR := $(TOPDIR)

INSTALL_DIR  := install -d -m0755
INSTALL_BIN  := install -m0755
INSTALL_DATA := install -m0644
LN           := ln -sf
