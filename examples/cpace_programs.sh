#!/usr/bin/env bash
# The same code gives one key on both sides; another code gives none on either.
set -euo pipefail
program=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/back"

run() { # CODE CODE
  "$program" a "$1" <"$work/back" 2>"$work/a" | "$program" b "$2" >"$work/back" 2>"$work/b"
}

run 7-walnut-otter 7-walnut-otter
cmp "$work/a" "$work/b"
! run 7-walnut-otter 7-walnut-badger
grep -q 'did not prove' "$work/b"
