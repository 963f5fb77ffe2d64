# Starts a shell on a pseudo-terminal: start.sh HOME WORKDIR. Keys go into HOME/in, the screen's bytes into HOME/log.
# Leaves 0; 3: bash is too old; 4: neither script nor tmux; 5: the shell did not come up.
home=$1 workdir=$2 backend=${3:-}
[ -n "${EPOCHREALTIME:-}" ] || { echo "bash ${BASH_VERSION:-?}"; exit 3; }
cd -- "$workdir" 2>/dev/null || cd /
mkfifo -m 600 "$home/in" "$home/idle" || exit 5
: >"$home/log"
bash=$(command -v bash)
export TERMINAL_HOME=$home SHELL=$bash
# What starts in the background of a plain shell ignores Ctrl-C, and so would all its children.
set -m
reset=
env --default-signal=INT,QUIT true 2>/dev/null && reset='env --default-signal=INT,QUIT'
shell="exec $reset $bash --noediting --rcfile $home/rc.sh -i"
if [ "$backend" != tmux ] && command -v script >/dev/null; then
  cap=
  # Output past 64 MiB ends the session instead of filling the disk (util-linux 2.35 and newer).
  script --help 2>/dev/null | grep -q -e --output-limit && cap="-o 64MiB"
  # The screen's bytes are what `script` passes on: into a file of its own it also writes the time and the command.
  setsid script -qf $cap -c "$shell" /dev/null <>"$home/in" >>"$home/log" 2>/dev/null &
elif command -v tmux >/dev/null; then
  echo "$home/tmux" >"$home/socket"
  tmux -f /dev/null -S "$home/tmux" new-session -d -x 160 -y 40 "sleep 0.2; $shell" \; pipe-pane "exec cat >>$home/log" || exit 5
else
  exit 4
fi
for ((i = 0; i < 2000; i++)); do
  [ -s "$home/pid" ] && grep -q '133;B' "$home/log" && exit 0
  read -r -t 0.01 _ <>"$home/idle"
done
exit 5
