# Steps that show that they move. To be sourced: `logs` is a directory for their output.

# counter_of LOG: how far the builder or the test runner is, as it says itself.
counter_of() {
  tail -c 600 "$1" 2>/dev/null | tr '\r' '\n' |
    sed -n -e 's/^\[\([0-9]*\/[0-9]*\)\].*/\1/p' -e 's/^ *\([0-9]*\/[0-9]*\) Test .*/\1/p' | tail -n 1
}

# step NAME COMMAND...: runs the command into NAME's log and says how long it took; on failure shows the log's end and stops.
# On a terminal the line counts along; elsewhere a line comes every half a minute.
step() {
  local name=$1 log="$logs/${1//[^a-z0-9]/-}.log" started=$SECONDS said=$SECONDS counter process
  shift
  "$@" >"$log" 2>&1 &
  process=$!
  trap 'kill "$process" 2>/dev/null; exit 130' INT TERM # what runs in the background hears no Ctrl-C itself
  while kill -0 "$process" 2>/dev/null; do
    sleep 0.5
    counter=$(counter_of "$log")
    if [[ -t 1 ]]; then
      printf '\r        %4d s  %s%s\e[K' $((SECONDS - started)) "$name" "${counter:+  $counter}"
    elif ((SECONDS - said >= 30)); then
      said=$SECONDS
      printf '...     %4d s  %s%s\n' $((SECONDS - started)) "$name" "${counter:+  $counter}"
    fi
  done
  [[ ! -t 1 ]] || printf '\r\e[K'
  trap - INT TERM
  if wait "$process"; then
    printf 'ok      %4d s  %s\n' $((SECONDS - started)) "$name"
    return
  fi
  tail -n 150 "$log"
  printf 'FAILED  %4d s  %s: the lines above end its output, all of it is in %s\n' $((SECONDS - started)) "$name" "$log"
  exit 1
}
