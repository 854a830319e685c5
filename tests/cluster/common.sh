# Shared by the repository's scripts: messages, long steps with progress, daemons with pid files.
# Sourced, never run. A script that sources it calls `stop_background` from its EXIT trap.
# shellcheck shell=bash

say() { printf '%s  %s\n' "$(date +%H:%M:%S)" "$*" >&2; }

die() {
  say "error: $*"
  exit 1
}

# usage FILE: prints FILE's leading comment, which is its manual.
usage() {
  awk 'NR == 1 { next } /^#/ { sub(/^# ?/, ""); print; next } { exit }' "$1"
}

# need_value OPTION REMAINING: dies unless a value follows the option.
need_value() {
  [ "$2" -ge 2 ] || die "$1 needs a value; see --help"
}

# need_number NAME VALUE LOW HIGH
need_number() {
  if ! [[ $2 =~ ^[0-9]{1,6}$ ]] || ((10#$2 < $3 || 10#$2 > $4)); then
    die "$1 is '$2', but must be a whole number from $3 to $4"
  fi
}

# need_free_port PORT PURPOSE MEND: dies when the loopback port is taken, naming who holds it.
need_free_port() {
  local holder
  holder=$(ss -Hltnp "sport = :$1" | head -n 1)
  [ -n "$holder" ] || return 0
  holder=$(sed -n 's/.*users:(("\([^"]*\)",pid=\([0-9]*\).*/ by \1, pid \2/p' <<<"$holder")
  die "port $1, wanted for $2, is taken$holder; mend: stop that, or $3"
}

# How many compilers may run at once: one per core, fewer where memory is short (a big C++ file takes up to 1.5 GB).
build_jobs() {
  local cores memory
  cores=$(nproc)
  memory=$(awk '/^MemAvailable:/ { print int($2 / 1500000) }' /proc/meminfo)
  if ((memory < 1)); then memory=1; fi
  echo $((memory < cores ? memory : cores))
}

# ---- Long steps ------------------------------------------------------------------------------------------------------

background_group=

# Ends what run_logged started, with its children; for EXIT traps.
stop_background() {
  [ -n "$background_group" ] || return 0
  kill -TERM -- "-$background_group" 2>/dev/null || true
  wait "$background_group" 2>/dev/null || true
  background_group=
}

# run_logged LABEL LOG COMMAND...: runs COMMAND with its output in LOG and tells every 20 s how far it is.
# Returns COMMAND's status; says the end of LOG when that is not 0.
run_logged() {
  local label=$1 log=$2 began=$SECONDS told=$SECONDS status=0
  shift 2
  # A process group of its own: the way to end compilers together with the build tool that started them.
  set -m
  "$@" >"$log" 2>&1 </dev/null &
  background_group=$!
  set +m
  while kill -0 "$background_group" 2>/dev/null; do
    sleep 0.2
    if ((SECONDS - told >= 20)); then
      told=$SECONDS
      say "  still at it: $label, $((SECONDS - began)) s  $(tail -n 1 "$log" | tr -d '\r' | cut -c 1-100)"
    fi
  done
  wait "$background_group" || status=$?
  background_group=
  if [ "$status" -ne 0 ]; then
    say "failed: $label (status $status); the end of $log:"
    tail -n 40 "$log" | sed 's/^/    /' >&2
  fi
  return "$status"
}

# ---- Daemons ---------------------------------------------------------------------------------------------------------

# is_process PID NAME MARK: whether PID is alive, runs the program NAME and has MARK among its arguments.
# A number in a pid file may since have been given to a stranger, which must never be signalled.
# A zombie has no exe any more and so counts as gone.
is_process() {
  local exe
  [[ $1 =~ ^[0-9]+$ ]] || return 1
  exe=$(readlink "/proc/$1/exe" 2>/dev/null) || return 1
  exe=${exe% (deleted)}
  [ "${exe##*/}" = "$2" ] && grep -qzF -- "$3" "/proc/$1/cmdline" 2>/dev/null
}

# daemon_pid PIDFILE NAME MARK: prints the pid of the living daemon; fails if there is none.
daemon_pid() {
  local pid
  [ -f "$1" ] && read -r pid <"$1" && is_process "$pid" "$2" "$3" && echo "$pid"
}

# start_daemon PIDFILE LOG NAME MARK COMMAND...: COMMAND must exec the program NAME.
start_daemon() {
  local pidfile=$1 log=$2 name=$3 mark=$4 pid tries
  shift 4
  # A session of its own keeps the terminal's Ctrl-C away: who starts a daemon stops it, in the right order.
  # Locks held by the caller (8 and 9) must not live on in the daemon.
  setsid "$@" </dev/null >>"$log" 2>&1 8>&- 9>&- &
  pid=$!
  echo "$pid" >"$pidfile"
  # Until exec has happened the process still bears this script's name.
  for ((tries = 0; tries < 300; tries++)); do
    if is_process "$pid" "$name" "$mark"; then return 0; fi
    kill -0 "$pid" 2>/dev/null || break
    sleep 0.01
  done
  is_process "$pid" "$name" "$mark"
}

# stop_process PID NAME MARK [SIGNAL] [SECONDS]: signals and waits until the process is gone.
stop_process() {
  local deadline=$((SECONDS + ${5:-20}))
  is_process "$1" "$2" "$3" || return 0
  kill -s "${4:-TERM}" "$1" 2>/dev/null || true
  while is_process "$1" "$2" "$3"; do
    if ((SECONDS >= deadline)); then
      say "warning: $2 (pid $1) is still there ${5:-20} s after SIG${4:-TERM}; killing it"
      kill -s KILL "$1" 2>/dev/null || true
      deadline=$((SECONDS + 20))
    fi
    sleep 0.05
  done
}

# stop_daemon PIDFILE NAME MARK [SIGNAL] [SECONDS]: as stop_process; removes the pid file.
stop_daemon() {
  local pid
  if pid=$(daemon_pid "$1" "$2" "$3"); then stop_process "$pid" "${@:2}"; fi
  rm -f "$1"
}

# strays NAME MARK: the pids of all processes that run NAME with MARK among their arguments, pid file or not.
strays() {
  local file pid
  while read -r file; do
    pid=${file#/proc/}
    pid=${pid%/cmdline}
    if is_process "$pid" "$1" "$2"; then echo "$pid"; fi
  done < <(grep -lzF -- "$2" /proc/[0-9]*/cmdline 2>/dev/null)
}
