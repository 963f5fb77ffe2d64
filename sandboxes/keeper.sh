# The bash at the box's end of a link: starts programs, feeds the shell that keeps state, and ends what a timeout left.
# It reads these functions, then one call of them a line, and never evaluates a line of the agent's itself.
# Lines that begin with '#' are not sent.
set -m
trap : TERM HUP INT PIPE USR1 USR2 ALRM
exec 3>/dev/null 251>&1 252>&2 >/dev/null 2>&1
say() { printf '\000%s-%s %d %s\000' "$token" "$1" "$2" "$3" >&251; printf '\000%s-%s\000' "$token" "$1" >&252; }
# The newest process id before a command (last field of loadavg, as seen in this pid namespace) marks the old ones.
note() { mark=0; read -r _ _ _ _ mark </proc/loadavg; }
# A number past every process id: the first line finds that there is no shell yet.
parent=4194305
# A shell for lines. Its script comes through file descriptor 3; what it says when it ends comes from its parent.
spawn() {
  exec 3> >(
    set -m; trap : TERM HUP INT PIPE USR1 USR2 ALRM; exec 3>&-
    cd -- "$1" || cd /; unset OLDPWD
    bash --noprofile --norc; say exit "$?" "$PWD"
  )
  parent=$!
  printf '%s\n' 'set -m; shopt -s expand_aliases' >&3
}
line() {
  local text; IFS= read -r text
  kill -0 "$parent" || spawn "$1"
  note; runner=$parent; printf '%s\n' "$text" >&3
}
program() {
  local nonce=$1 folder=$2; shift 2; note
  printf '\000%s-%s.begin\000' "$token" "$nonce" >&251
  {
    set -m; trap : TERM HUP INT PIPE USR1 USR2 ALRM
    (
      exec 3>&- 251>&- 252>&-; cd -- "$folder" || exit 126
      [[ $1 == */* ]] || type -P -- "$1" >/dev/null || { printf 'bash: %s: command not found\n' "$1" >&2; exit 127; }
      exec -- "$@"
    ) </dev/null >&251 2>&252
    say "$nonce" "$?" "$PWD"
  } &
  runner=$!
}
# Whoever was to report the end of command $1 may have been killed with it.
check() { kill -0 "$runner" || say "$1.lost" 137 /; }
# A script of the factory's own, with so many bytes of what follows on standard input.
journey() {
  ( exec 3>&-; head -c "$2" | { eval "$3"; status=$?; cat >/dev/null; exit "$status"; } ) >&251 2>&252
  say "$1" "$?" /
}
# Ends what is newer than the mark, unless an older process that is not ours started it. $1: whether the shell for
# lines ends too. $2: whether what was orphaned (its parent is process 1) is ours. Stops everything first, so that
# nothing new appears meanwhile. No forks: it must work where the box has no process left to give.
reap() {
  local ends=$1 orphans=$2 round found entry pid text up shell= now=0
  local -A above doomed ours=([$$]=1 [$parent]=1)
  read -r _ _ _ _ now </proc/loadavg
  (( now >= mark )) || mark=0
  [[ $ends == 0 ]] || kill -STOP "$parent"
  for round in {1..200}; do
    above=() found=0
    for entry in /proc/[0-9]*/stat; do
      text=; read -r -d '' text <"$entry" || [[ $text ]] || continue
      pid=${text%% *}; text=${text##*) }; set -- $text
      [[ $1 == Z ]] && continue
      above[$pid]=$2
      if [[ $2 == "$parent" ]]; then shell=$pid ours[$pid]=1; [[ $ends == 0 ]] || kill -STOP "$pid"; fi
    done
    for pid in "${!above[@]}"; do
      (( pid > mark )) && [[ $pid != 1 && ! ${ours[$pid]} && ! ${doomed[$pid]} ]] || continue
      up=$pid
      while (( up > mark )) && [[ $up != 1 && ! ${ours[$up]} && ! ${doomed[$up]} ]]; do up=${above[$up]:-0}; done
      if [[ ${ours[$up]} || ${doomed[$up]} || $up$orphans == 11 ]]; then doomed[$pid]=1 found=1; kill -STOP "$pid"; fi
    done
    (( found )) || break
  done
  [[ $ends == 0 ]] || { kill -9 "$parent"; [[ ! $shell ]] || doomed[$shell]=1; }
  for pid in "${!doomed[@]}"; do kill -9 "$pid"; done
  for pid in "${!doomed[@]}"; do
    while text=; read -r -d '' text <"/proc/$pid/stat" || [[ $text ]]; do [[ ${text##*) } == Z* ]] && break; done
  done
}
