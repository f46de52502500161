# To be sourced before a script changes its directory: with --help it prints the comment at the script's head, and ends.
if [[ "${1-}" == --help || "${1-}" == -h ]]; then
  sed -n -e 1d -e '/^#/!q' -e 's/^# \{0,1\}//p' "${BASH_SOURCE[1]}"
  exit
fi

# refuse ARGUMENT: it is none of the script's.
refuse() {
  echo "error: unknown argument '$1'" >&2
  echo "hint: $0 --help" >&2
  exit 2
}
