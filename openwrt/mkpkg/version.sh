#!/bin/sh
# Prints the version of this clone as packages have it, by the rules of apk: 1.2.3 for the tag v1.2.3; for a later commit
# 1.2.3_git20260714~0abc123, with its date; before the first tag, or without git, the same from 0.
set -u
cd "$(dirname "$0")" || exit

tag=$(git describe --tags --abbrev=0 --match 'v[0-9]*' 2>/dev/null)
commit=
if [ -z "$tag" ] || [ "$(git rev-list -n 1 "$tag")" != "$(git rev-parse HEAD)" ]; then
	commit=$(TZ=UTC git show -s --abbrev=7 --date=format-local:%Y%m%d --format=_git%cd~%h HEAD 2>/dev/null)
fi
echo "${tag:-v0}$commit" | sed 's/^v//; s/-rc/_rc/'
