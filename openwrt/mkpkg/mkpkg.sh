#!/bin/sh
# Makes an OpenWrt package of this clone without OpenWrt's build system: mkpkg.sh ipk|apk ARCHITECTURE. It is put in
# build/openwrt/ARCHITECTURE. What the package holds is said in openwrt/Makefile, and only there: see package.mk.
#
# One commit gives one package, octet for octet. An .ipk takes tar and gzip; an .apk takes apk-tools 3.
# shellcheck disable=SC2016,SC1091 # the $ are those of the package's scripts; the file that is sourced is made here
set -eu
umask 022

# What the programs for OpenWrt's architectures are called in Makefile. Code for a plain ARMv5 runs on all that have no
# vector unit; that for any MIPS32 on all of them. OpenWrt has more processors of most kinds than could be listed here; the
# name becomes that of a file.
target_of() {
	case $1 in
	*[!A-Za-z0-9_+.-]* | *..*) return 1 ;;
	mips_24kc | mips_4kec | mips_mips32) echo mips ;;
	mipsel_24kc | mipsel_24kc_24kf | mipsel_74kc | mipsel_mips32) echo mipsle ;;
	arm_*neon* | arm_*vfpv[34]*) echo arm7 ;;
	arm_?*) echo arm5 ;;
	aarch64_?*) echo arm64 ;;
	riscv64_?*) echo riscv64 ;;
	loongarch64_?*) echo loong64 ;;
	x86_64) echo amd64 ;;
	i386_pentium4) echo 386 ;;
	*) return 1 ;;
	esac
}

fail() {
	echo "mkpkg.sh: $1" >&2
	exit "${2:-1}"
}

# tarball DIRECTORY: a compressed archive of what is in it that depends on nothing else.
tarball() {
	tar --format=gnu --sort=name --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$1" -cf - . | gzip -9n
}

# script FUNCTION [LINES]: how a package's script begins in OpenWrt: all that is usual is done by functions.sh.
script() {
	printf '%s\n' '#!/bin/sh' ${2+"$2"} '[ -s ${IPKG_INSTROOT}/lib/functions.sh ] || exit 0' \
		'. ${IPKG_INSTROOT}/lib/functions.sh' "$1"
}
no_script='[ "${IPKG_NO_SCRIPT}" = "1" ] && exit 0'

control() {
	cat <<-CONTROL
		Package: $name
		Version: $version
		Source: $name
		SourceName: $name
		License: $license
		Section: $section
		Require-User: $user
		SourceDateEpoch: $SOURCE_DATE_EPOCH
		Maintainer: $maintainer
		Architecture: $arch
		Installed-Size: $installed
	CONTROL
	echo "Description: $(sed 's/^ */ /' "$stage/description")"
}

make_ipk() {
	package=$out/${name}_${version}_$arch.ipk
	mkdir "$stage/control" "$stage/ipk"
	control >"$stage/control/control"
	cp "$stage/conffiles" "$stage/control/conffiles"
	script 'default_postinst $0 $@' "$no_script" >"$stage/control/postinst"
	script 'default_prerm $0 $@' >"$stage/control/prerm"
	cp "$stage/prerm-pkg" "$stage/control/prerm-pkg"
	chmod 755 "$stage/control/postinst" "$stage/control/prerm" "$stage/control/prerm-pkg"
	echo 2.0 >"$stage/ipk/debian-binary"
	tarball "$stage/root" >"$stage/ipk/data.tar.gz"
	tarball "$stage/control" >"$stage/ipk/control.tar.gz"
	tar --format=gnu --owner=0 --group=0 --numeric-owner --mtime="@$SOURCE_DATE_EPOCH" -C "$stage/ipk" -cf - \
		./debian-binary ./data.tar.gz ./control.tar.gz | gzip -9n >"$package"
}

make_apk() {
	package=$out/$name-$version.apk
	lists=$stage/root/lib/apk/packages
	mkdir -p "$lists"
	(cd "$stage/root" && find . -type f -o -type l) | sed 's/^\.//' | LC_ALL=C sort >"$stage/list"
	cp "$stage/list" "$lists/$name.list"
	cp "$stage/conffiles" "$lists/$name.conffiles"
	while read -r file; do
		echo "$file $(sha256sum <"$stage/root$file" | cut -d ' ' -f 1)"
	done <"$stage/conffiles" >"$lists/$name.conffiles_static"
	echo "$user" >"$lists/$name.rusers"
	environment="export root=\"\${IPKG_INSTROOT}\" pkgname=\"$name\""
	script "$environment
add_group_and_user
default_postinst" "$no_script" >"$stage/post-install"
	{
		printf '%s\n' '#!/bin/sh' 'export PKG_UPGRADE=1'
		sed 1d "$stage/post-install"
	} >"$stage/post-upgrade"
	{
		script "$environment
default_prerm"
		sed 1d "$stage/prerm-pkg"
	} >"$stage/pre-deinstall"
	find "$stage/root" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
	# The files are root's, also where root does not make the package.
	[ "$(id -u)" = 0 ] && root= || root='unshare --map-root-user'
	$root apk mkpkg --info "name:$name" --info "version:$version" --info "arch:$arch" --info "license:$license" \
		--info "origin:$name" --info "maintainer:$maintainer" \
		--info "description:$(sed 's/^ *//' "$stage/description" | tr '\n' ' ' | sed 's/ *$//')" \
		--script "post-install:$stage/post-install" --script "post-upgrade:$stage/post-upgrade" \
		--script "pre-deinstall:$stage/pre-deinstall" --files "$stage/root" --output "$package"
}

kind=${1-} arch=${2-}
case $kind in
ipk) ;;
apk)
	apk mkpkg --help >/dev/null 2>&1 || fail 'apk-tools 3 is not installed: an .apk is made by `apk mkpkg`. OpenWrt'\''s build system and SDK have it as staging_dir/host/bin/apk: put that in the PATH.'
	;;
*) fail 'usage: mkpkg.sh ipk|apk ARCHITECTURE' 2 ;;
esac
find_arch='ARCH=... is what opkg print-architecture or apk --print-arch says on the router'
[ -n "$arch" ] || fail "ARCH is missing, as in make $kind ARCH=mipsel_24kc. $find_arch." 2
target=$(target_of "$arch") ||
	fail "there is no architecture \"$arch\". $find_arch. Allowed are mips_24kc, mips_4kec, mips_mips32, mipsel_24kc, mipsel_24kc_24kf, mipsel_74kc, mipsel_mips32, x86_64, i386_pentium4, and arm_CPU, arm_CPU_FPU, aarch64_CPU, riscv64_CPU, loongarch64_CPU with letters, digits and _ + - . in place of CPU and FPU" 2

top=$(cd "$(dirname "$0")/../.." && pwd)
export SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-$(git -C "$top" log -1 --format=%ct 2>/dev/null || echo 0)}"
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
trap 'exit 1' HUP INT TERM
make -s -C "$top" "cross-$target" >/dev/null
make -s -C "$top/openwrt" TOPDIR="$top/openwrt/mkpkg" GOLANG_PACKAGE_MK=/dev/null \
	STAGE="$stage" BINARY="$top/build/lan6d-$target" stage
name='' version='' license='' maintainer='' section='' user=''
. "$stage/fields"
installed=$(find "$stage/root" -type f -exec cat {} + | wc -c)
out=$top/build/openwrt/$arch
mkdir -p "$out"
"make_$kind"
echo "${package#"$top/"}: $(wc -c <"$package") octets, $installed when installed"
