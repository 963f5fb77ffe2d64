# What the terminal's shell reads when it starts: a fixed prompt, no line editing tricks, a mark after each prompt.
stty sane cols 160 rows 40 -ixon -echok tab0
set +o history +H
unset HISTFILE PROMPT_COMMAND
export TERM=xterm PAGER=cat GIT_PAGER=cat
# OSC 133;B ends a prompt (the FinalTerm convention): invisible, and the driver waits for it.
PS1=$'\\u@box:\\w\\$ \e]133;B\a'
PS2=$'> \e]133;B\a'
enable -n history fc 2>/dev/null
tty >"$TERMINAL_HOME/tty"
echo $$ >"$TERMINAL_HOME/pid"
unset TERMINAL_HOME
