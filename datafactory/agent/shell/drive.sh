# Types keys into the terminal and waits for what they cause; sourced in a subshell, then told what to do.
# One call of `begin`, any number of `line`, `press` and `rest`, one of `finish`.
LC_ALL=C
home=$1

begin() { # begin OFFSET PROMPTED BUDGET: read the log on from byte OFFSET; PROMPTED: 1 if the prompt is on the screen;
  # BUDGET: microseconds that all waits together may take
  offset=$1 prompted=$2 marks=0 tail='' hasty=0
  wanted=$((1 - prompted))
  read -r pid <"$home/pid" || exit 9
  exec 7<"$home/log" 8<>"$home/idle" || exit 9
  head -c "$offset" <&7 >/dev/null
  [ -e "$home/socket" ] || exec 9<>"$home/in" || exit 9
  microseconds
  start=$now deadline=$((now + $3))
}

alive() { kill -0 "$pid" 2>/dev/null; }

idle() { # idle [STATE]: whether the shell itself has the terminal, and is in STATE; lines typed ahead may be at work yet
  local state group front
  read -r _ _ state _ group _ _ front _ <"/proc/$pid/stat" 2>/dev/null || return 0
  [ "$front" = "$group" ] && { [ -z "${1:-}" ] || [ "$state" = "$1" ]; }
}

microseconds() { now=${EPOCHREALTIME/[.,]/}; }

look() { # takes in what the log got since: `marks` counts prompts, `prompted` says whether one is the last thing there
  local chunk
  fresh=0
  while IFS= read -r -d $'\a' chunk <&7; do
    fresh=1
    if [[ $tail$chunk == *']133;B' ]]; then ((marks += 1, prompted = 1)); else prompted=0; fi
    tail=
  done
  if [ -n "$chunk" ]; then
    fresh=1 prompted=0
    tail=$tail$chunk
    ((${#tail} > 16)) && tail=${tail: -16}
  fi
}

settle() { # settle MICROSECONDS: wait until every prompt that is due has come; fails when the time is over
  local until pause=0.001 quiet
  microseconds
  until=$((now + $1 < deadline ? now + $1 : deadline)) quiet=$now
  while :; do
    look
    ((prompted && marks >= wanted)) && return 0
    microseconds
    ((fresh)) && quiet=$now pause=0.001
    # A program that reads its own input takes lines that bash never prompts for: a prompt that stays is an end too.
    ((prompted && marks && now - quiet > 150000)) && idle S && { wanted=$marks; return 0; }
    ((now >= until)) && return 1
    [ $pause = 0.02 ] && ! alive && return 1
    read -r -t $pause _ <&8
    case $pause in 0.001) pause=0.002 ;; 0.002) pause=0.005 ;; 0.005) pause=0.01 ;; *) pause=0.02 ;; esac
  done
}

emit() {
  if [ -e "$home/socket" ]; then
    printf %s "$1" | tmux -S "$home/tmux" load-buffer -b keys - && tmux -S "$home/tmux" paste-buffer -d -r -b keys
  else
    printf %s "$1" >&9
  fi
}

line() { # line TEXT: types a line and the newline, once the prompt for it is there (or the line before it is still at work)
  ((wanted > marks && !hasty)) && { settle 300000 || hasty=1; }
  ((wanted += 1))
  if ((${#1} < 4000)); then
    emit "$1"$'\n'
    return
  fi
  # A terminal's line holds 4,095 bytes: longer ones pass with line discipline off.
  local tty before
  read -r tty <"$home/tty"
  before=$(stat -c %s "$home/log")
  stty -F "$tty" -icanon
  emit "$1"$'\n'
  for ((i = 0; i < 500; i++)); do
    (($(stat -c %s "$home/log") - before > ${#1})) && break
    read -r -t 0.01 _ <&8
  done
  stty -F "$tty" icanon
}

press() { # press BYTES PROMPTS: sends bytes as they are; PROMPTS: how many new prompts they bring where one is there
  look
  ((prompted)) && ((wanted += $2))
  emit "$1"
}

rest() { # rest SECONDS EARLY: wait; EARLY: 1 to go on as soon as the prompt is back
  local span=$(($1))
  if (($2)); then settle "$span"; else
    microseconds
    local until=$((now + span))
    while ((now < until && now < deadline)); do
      read -r -t 0.02 _ <&8
      microseconds
    done
  fi
  hasty=0
}

finish() { # finish LIMIT: prints "size prompted alive microseconds", then new bytes, at most LIMIT from each end
  local size living=0
  look
  alive && living=1
  ((prompted)) && ! idle && prompted=0
  size=$(stat -c %s "$home/log") || exit 9
  microseconds
  echo "$size $prompted $living $((now - start))"
  if ((size - offset > 2 * $1)); then
    tail -c +$((offset + 1)) "$home/log" | head -c "$1"
    tail -c +$((size - $1 + 1)) "$home/log" | head -c "$1"
  else
    tail -c +$((offset + 1)) "$home/log" | head -c $((size - offset))
  fi
}
