package openwrt

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// architectures are those of OpenWrt, with the emulator of their processor. On the MIPS and the ARM without FPU, an
// instruction for it would end the program.
var architectures = []struct {
	name    string
	machine elf.Machine
	order   elf.Data
	qemu    string
}{
	{"mips_24kc", elf.EM_MIPS, elf.ELFDATA2MSB, "qemu-mips -cpu 24Kc"},
	{"mipsel_24kc", elf.EM_MIPS, elf.ELFDATA2LSB, "qemu-mipsel -cpu 24Kc"},
	{"arm_cortex-a7_neon-vfpv4", elf.EM_ARM, elf.ELFDATA2LSB, "qemu-arm -cpu cortex-a7"},
	{"arm_cortex-a9_vfpv3-d16", elf.EM_ARM, elf.ELFDATA2LSB, "qemu-arm -cpu cortex-a9"},
	{"arm_cortex-a7", elf.EM_ARM, elf.ELFDATA2LSB, "qemu-arm -cpu cortex-a7"},
	{"arm_xscale", elf.EM_ARM, elf.ELFDATA2LSB, "qemu-arm -cpu arm926"},
	{"aarch64_cortex-a53", elf.EM_AARCH64, elf.ELFDATA2LSB, "qemu-aarch64 -cpu cortex-a53"},
	{"riscv64_generic", elf.EM_RISCV, elf.ELFDATA2LSB, "qemu-riscv64"},
	{"x86_64", elf.EM_X86_64, elf.ELFDATA2LSB, "qemu-x86_64"},
	{"loongarch64_generic", elf.EM_LOONGARCH, elf.ELFDATA2LSB, "qemu-loongarch64"},
}

// installed is what a package installs.
const installed = `
0755 etc/init.d/lan6d
0644 etc/config/lan6d
0755 etc/uci-defaults/60_lan6d
0644 etc/capabilities/lan6d.json
0644 lib/upgrade/keep.d/lan6d
0755 usr/libexec/lan6d-handover
0755 usr/libexec/lan6d-update
0755 usr/libexec/rpcd/lan6d
0777 usr/sbin/lan6ctl -> lan6d
0755 usr/sbin/lan6d
0644 usr/share/acl.d/lan6d.json
0644 usr/share/rpcd/acl.d/lan6d.json`

// makePackage runs make ipk or make apk and returns the package's path and what make printed.
func makePackage(t *testing.T, kind, arch string, environment ...string) (path, out string) {
	t.Helper()
	cmd := exec.Command("make", "-s", "-C", "../..", kind, "ARCH="+arch)
	cmd.Env = append(os.Environ(), environment...)
	text, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("make %s ARCH=%s: %v\n%s", kind, arch, err, text)
	}
	out = string(text)
	path, size, _ := strings.Cut(out, ": ")
	path = "../../" + path
	stat, err := os.Stat(path)
	if err != nil || !strings.HasPrefix(size, fmt.Sprintf("%d octets, ", stat.Size())) {
		t.Fatalf("make %s printed %q: %v", kind, out, err)
	}
	return path, out
}

// entries reads a compressed archive: the text of its files, by name, and its headers in their order.
func entries(t *testing.T, archive []byte) (files map[string][]byte, headers []*tar.Header) {
	t.Helper()
	unzipped, err := gzip.NewReader(bytes.NewReader(archive))
	if err != nil {
		t.Fatal(err)
	}
	if !unzipped.ModTime.IsZero() || unzipped.Name != "" {
		t.Errorf("gzip notes time %v and name %q", unzipped.ModTime, unzipped.Name)
	}
	files = make(map[string][]byte)
	for r := tar.NewReader(unzipped); ; {
		h, err := r.Next()
		if err == io.EOF {
			return files, headers
		}
		if err != nil {
			t.Fatal(err)
		}
		if files[h.Name], err = io.ReadAll(r); err != nil {
			t.Fatal(err)
		}
		headers = append(headers, h)
		if h.Uid != 0 || h.Gid != 0 || h.Uname != "" || h.Gname != "" || h.Format != tar.FormatGNU || !strings.HasPrefix(h.Name, "./") {
			t.Errorf("header %+v", h)
		}
		if h.ModTime != headers[0].ModTime || h.Typeflag == tar.TypeDir && h.Mode != 0o755 {
			t.Errorf("header %+v", h)
		}
	}
}

// The packages for all architectures: what is in them, and that their program runs on the processor.
func TestIPK(t *testing.T) {
	for _, arch := range architectures {
		t.Run(arch.name, func(t *testing.T) {
			path, out := makePackage(t, "ipk", arch.name)
			t.Log(strings.TrimSpace(out))
			outer, headers := entries(t, read(t, path))
			var names []string
			for _, h := range headers {
				names = append(names, h.Name)
			}
			wantLines(t, names, "./debian-binary", "./data.tar.gz", "./control.tar.gz")
			if got := string(outer["./debian-binary"]); got != "2.0\n" {
				t.Errorf("debian-binary: %q", got)
			}
			data, headers := entries(t, outer["./data.tar.gz"])
			checkInstalled(t, headers)
			control, _ := entries(t, outer["./control.tar.gz"])
			checkControl(t, control, path, arch.name, data)
			checkProgram(t, data["./usr/sbin/lan6d"], arch.machine, arch.order, arch.qemu)
		})
	}
}

func checkInstalled(t *testing.T, headers []*tar.Header) {
	t.Helper()
	var got []string
	directories := map[string]bool{"./": false}
	for _, h := range headers {
		line := fmt.Sprintf("%04o %s", h.Mode, strings.TrimPrefix(h.Name, "./"))
		switch h.Typeflag {
		case tar.TypeDir:
			directories[h.Name] = false
			continue
		case tar.TypeSymlink:
			line += " -> " + h.Linkname
		}
		got = append(got, line)
		directories[filepath.Dir(h.Name)+"/"] = true
		for dir := filepath.Dir(h.Name); dir != "."; dir = filepath.Dir(dir) {
			directories["./"+dir+"/"] = true
		}
	}
	want := strings.Split(strings.TrimSpace(installed), "\n")
	slices.Sort(got)
	slices.Sort(want)
	wantLines(t, got, want...)
	for dir, used := range directories {
		if !used && dir != "./" {
			t.Errorf("directory %s is empty: opkg would remove it from others", dir)
		}
	}
}

// versions are those that apk takes.
var versions = regexp.MustCompile(`^[0-9]+(\.[0-9]+)*[a-z]?(_(alpha|beta|pre|rc|cvs|svn|git|hg|p)[0-9]*)*(~[0-9a-f]+)?-r[0-9]+$`)

func checkControl(t *testing.T, control map[string][]byte, path, arch string, data map[string][]byte) {
	t.Helper()
	fields := make(map[string]string)
	for _, field := range regexp.MustCompile(`(?m)^([A-Za-z-]+): (.*)$`).FindAllStringSubmatch(string(control["./control"]), -1) {
		fields[field[1]] = field[2]
	}
	size := 0
	for _, text := range data {
		size += len(text)
	}
	for name, want := range map[string]string{
		"Package": "lan6d", "Architecture": arch, "License": "Apache-2.0", "Section": "net", "Source": "lan6d",
		"Require-User": "lan6d:lan6d", "Installed-Size": fmt.Sprint(size),
	} {
		if fields[name] != want {
			t.Errorf("%s is %q, want %q", name, fields[name], want)
		}
	}
	if version := fields["Version"]; !versions.MatchString(version) || filepath.Base(path) != "lan6d_"+version+"_"+arch+".ipk" {
		t.Errorf("version %q in %s", version, path)
	}
	if fields["Description"] == "" || fields["Maintainer"] == "" || !strings.HasSuffix(string(control["./control"]), "\n") {
		t.Errorf("control:\n%s", control["./control"])
	}
	if got := string(control["./conffiles"]); got != "/etc/config/lan6d\n" {
		t.Errorf("conffiles: %q", got)
	}
	for script, does := range map[string]string{"postinst": "default_postinst $0 $@", "prerm": "default_prerm $0 $@", "prerm-pkg": "lan6d-handover give-back"} {
		if text := string(control["./"+script]); !strings.HasPrefix(text, "#!/bin/sh\n") || !strings.Contains(text, does) {
			t.Errorf("%s:\n%s", script, text)
		}
	}
}

func checkProgram(t *testing.T, program []byte, machine elf.Machine, order elf.Data, qemu string) {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(program))
	if err != nil {
		t.Fatal(err)
	}
	if f.Machine != machine || f.Data != order || f.Section(".symtab") != nil {
		t.Errorf("%v, %v, not stripped: %v", f.Machine, f.Data, f.Section(".symtab") != nil)
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
			t.Error("it needs libraries")
		}
	}
	path := filepath.Join(t.TempDir(), "lan6d")
	if err := os.WriteFile(path, program, 0o755); err != nil {
		t.Fatal(err)
	}
	words := strings.Fields(qemu)
	lookPath(t, words[0])
	out, err := exec.Command(words[0], append(words[1:], path, "version")...).CombinedOutput()
	if err != nil || !strings.HasPrefix(string(out), "lan6d ") {
		t.Errorf("%s: %v: %s", qemu, err, out)
	}
}

// The same commit gives the same package, whoever makes it and where.
func TestIPKIsReproducible(t *testing.T) {
	path, _ := makePackage(t, "ipk", "mipsel_24kc")
	first := read(t, path)
	for _, stale := range []string{path, "../../build/lan6d-mipsle"} {
		if err := os.Remove(stale); err != nil {
			t.Fatal(err)
		}
	}
	path, _ = makePackage(t, "ipk", "mipsel_24kc", "TMPDIR="+t.TempDir(), "TZ=Asia/Kolkata", "LC_ALL=C.UTF-8")
	if !bytes.Equal(first, read(t, path)) {
		t.Error("two packages of the same commit differ")
	}
}

func TestPackageErrors(t *testing.T) {
	bin := t.TempDir()
	writeProgram(t, bin, "apk", "exit 1") // as apk-tools 2, which cannot make packages of this kind
	for _, tt := range []struct {
		args   []string
		status int
		want   string
	}{
		{[]string{}, 2, "usage: mkpkg.sh ipk|apk ARCHITECTURE"},
		{[]string{"deb", "x86_64"}, 2, "usage: mkpkg.sh ipk|apk ARCHITECTURE"},
		{[]string{"ipk"}, 2, "ARCH is missing, as in make ipk ARCH=mipsel_24kc. ARCH=... is what opkg print-architecture or apk --print-arch says"},
		{[]string{"ipk", "mips64_octeonplus"}, 2, `there is no architecture "mips64_octeonplus"`},
		{[]string{"ipk", "aarch64_../x"}, 2, `there is no architecture "aarch64_../x"`},
		{[]string{"ipk", "aarch64_cortex-a53/"}, 2, "aarch64_CPU"},
		{[]string{"ipk", "arm_.."}, 2, "letters, digits and _ + - ."},
		{[]string{"ipk", "arm_cortex a7"}, 2, `there is no architecture "arm_cortex a7"`},
		{[]string{"ipk", "riscv64_généric"}, 2, `there is no architecture "riscv64_généric"`},
		{[]string{"ipk", "arm_cortex-a7\n"}, 2, "there is no architecture"},
		{[]string{"ipk", "arm_"}, 2, `there is no architecture "arm_"`},
		{[]string{"ipk", "loongarch64_"}, 2, `there is no architecture "loongarch64_"`},
		{[]string{"apk", "x86_64"}, 1, "apk-tools 3 is not installed"},
	} {
		cmd := exec.Command("../../openwrt/mkpkg/mkpkg.sh", tt.args...)
		cmd.Env = []string{"PATH=" + bin + ":/usr/bin:/bin"}
		out, err := cmd.CombinedOutput()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != tt.status || !strings.Contains(string(out), tt.want) {
			t.Errorf("%q: %v: %s", tt.args, err, out)
		}
	}
}

func writeProgram(t *testing.T, dir, name, script string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
}

// apk-tools 3 is not in Debian: a stand-in for `apk mkpkg` writes down what it is given. It shows what an .apk is made of,
// not that apk makes one.
func TestAPK(t *testing.T) {
	bin, given := t.TempDir(), t.TempDir()
	writeProgram(t, bin, "apk", `[ "$1" = mkpkg ] || exit 1
[ "$2" != --help ] || exit 0
shift
while [ $# -gt 0 ]; do
	case $1 in
	--info) echo "$2" >>"$GIVEN/info" ;;
	--script) cp "${2#*:}" "$GIVEN/${2%%:*}" ;;
	--files) cp -a "$2" "$GIVEN/files" ;;
	--output) echo package >"$2" ;;
	*) exit 1 ;;
	esac
	shift 2
done`)
	path, _ := makePackage(t, "apk", "mipsel_24kc", "PATH="+bin+":"+os.Getenv("PATH"), "GIVEN="+given)
	info := string(read(t, given+"/info"))
	version := regexp.MustCompile(`(?m)^version:(.*)$`).FindStringSubmatch(info)
	if version == nil || !versions.MatchString(version[1]) || filepath.Base(path) != "lan6d-"+version[1]+".apk" {
		t.Errorf("%s: version %q", path, version)
	}
	for _, line := range []string{"name:lan6d", "arch:mipsel_24kc", "license:Apache-2.0", "origin:lan6d"} {
		if !strings.Contains(info, line+"\n") {
			t.Errorf("no %s in\n%s", line, info)
		}
	}
	lists := given + "/files/lib/apk/packages/lan6d."
	for file, want := range map[string]string{"conffiles": "/etc/config/lan6d\n", "rusers": "lan6d:lan6d\n"} {
		if got := string(read(t, lists+file)); got != want {
			t.Errorf("%s: %q", file, got)
		}
	}
	if got := string(read(t, lists+"conffiles_static")); !regexp.MustCompile(`^/etc/config/lan6d [0-9a-f]{64}\n$`).MatchString(got) {
		t.Errorf("conffiles_static: %q", got)
	}
	var want []string
	for line := range strings.Lines(strings.TrimSpace(installed)) {
		want = append(want, "/"+strings.Fields(line)[1])
	}
	slices.Sort(want)
	wantLines(t, strings.Fields(string(read(t, lists+"list"))), want...)

	install, upgrade, remove := string(read(t, given+"/post-install")), string(read(t, given+"/post-upgrade")), string(read(t, given+"/pre-deinstall"))
	if !strings.Contains(install, "pkgname=\"lan6d\"\nadd_group_and_user\ndefault_postinst\n") || strings.Contains(install, "PKG_UPGRADE") {
		t.Errorf("post-install:\n%s", install)
	}
	if upgrade != strings.Replace(install, "#!/bin/sh\n", "#!/bin/sh\nexport PKG_UPGRADE=1\n", 1) {
		t.Errorf("post-upgrade:\n%s", upgrade)
	}
	if before, after, _ := strings.Cut(remove, "default_prerm\n"); !strings.Contains(before, "pkgname=\"lan6d\"") || !strings.Contains(after, "give-back") {
		t.Errorf("pre-deinstall:\n%s", remove)
	}
}

// The version is the tag's, or follows it, by the rules of apk.
func TestVersion(t *testing.T) {
	dir := t.TempDir()
	script := filepath.Join(dir, "version.sh")
	if err := os.WriteFile(script, read(t, "../../openwrt/mkpkg/version.sh"), 0o755); err != nil {
		t.Fatal(err)
	}
	git := func(args string) {
		t.Helper()
		cmd := exec.Command("git", strings.Fields(args)...)
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a",
			"GIT_COMMITTER_DATE=2026-07-14T23:30:00-0500", "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir))
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("git %s: %v: %s", args, err, out)
		}
	}
	for _, tt := range []struct{ commands, want string }{
		{"", `^0$`},
		{"init -q;commit -q --allow-empty -m one", `^0_git20260715~[0-9a-f]{7}$`},
		{"tag v1.2.3", `^1\.2\.3$`},
		{"commit -q --allow-empty -m two", `^1\.2\.3_git20260715~[0-9a-f]{7}$`},
		{"tag -a -m rc v2.0-rc1", `^2\.0_rc1$`},
		{"commit -q --allow-empty -m three;tag nightly", `^2\.0_rc1_git20260715~[0-9a-f]{7}$`},
	} {
		for command := range strings.SplitSeq(tt.commands, ";") {
			if command != "" {
				git(command)
			}
		}
		cmd := exec.Command(script)
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "TZ=America/New_York", "GIT_CEILING_DIRECTORIES=" + filepath.Dir(dir)}
		out, err := cmd.Output()
		if version := strings.TrimSpace(string(out)); err != nil || !regexp.MustCompile(tt.want).MatchString(version) || !versions.MatchString(version+"-r1") {
			t.Errorf("after %q: %q, %v; want %s", tt.commands, version, err, tt.want)
		}
	}
}

// golang-package.mk of the packages feed, as far as openwrt/Makefile changes what it says.
const golangPackage = `
GO_ARCH = mipsle
GO_PKG_TARGET_VARS= GOARCH="$(GO_ARCH)" CGO_ENABLED=1 CC="$(TARGET_CC)" CGO_CFLAGS="-Os -pipe"
GO_PKG_DEFAULT_LDFLAGS= -buildid '$(SOURCE_DATE_EPOCH)' -linkmode external -extldflags '-znow'
GO_PKG_VARS= $(GO_PKG_TARGET_VARS)
GO_PKG_INSTALL_ARGS= -trimpath -ldflags "$(GO_PKG_LDFLAGS_X:%=-X %) $(GO_PKG_DEFAULT_LDFLAGS)"
GoPackage/Build/Compile=$(GO_PKG_VARS) go install $(GO_PKG_INSTALL_ARGS) $(1)
`

// In OpenWrt's build system, the program is made as it is here: without the C library, and small.
func TestFeed(t *testing.T) {
	golang := filepath.Join(t.TempDir(), "golang-package.mk")
	if err := os.WriteFile(golang, []byte(golangPackage), 0o644); err != nil {
		t.Fatal(err)
	}
	top, err := filepath.Abs("../../openwrt/mkpkg")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("make", "-s", "-C", "../../openwrt", "TOPDIR="+top, "GOLANG_PACKAGE_MK="+golang,
		"TARGET_CC=ccache mipsel-openwrt-linux-musl-gcc", `--eval=compile: ; @echo '$(subst ','"'"',$(Build/Compile))'`, "compile")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	line := string(out)
	for _, part := range []string{`GOARCH="mipsle"`, `CC="ccache mipsel-openwrt-linux-musl-gcc"`, " CGO_ENABLED=0 ", "-X main.version=", "-s -w", "-R 4096", "-gcflags=all=-d=inlbudgetslack=-70", "-gcflags=lan6d/dhcpv6=-d=inlbudgetslack=-20", "GOEXPERIMENT=newinliner,nogreenteagc"} {
		if !strings.Contains(line, part) {
			t.Errorf("no %s in %s", part, line)
		}
	}
	for _, part := range []string{"CGO_ENABLED=1", "-linkmode external", "-extldflags"} {
		if strings.Contains(line, part) {
			t.Errorf("%s in %s", part, line)
		}
	}
}
