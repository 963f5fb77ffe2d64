# Takes out of a box what may not run in it, and locks what remains against change. Lines that begin with '#' are not sent.
# list FILE WORKDIR NAME...: writes into FILE, of programs, those named to be kept (`keep`), and all others (`drop`); the folders in which they
# are looked for (`lock`). A word and a path each time, then NUL.
list() {
  local workdir=$2 name path found; exec >"$1"; shift 2
  local -a paths=() folders=() above=()
  local -A kept=()
  for name; do path=$(type -P -- "$name") && paths+=("$path"); done
  while IFS= read -r -d '' path; do kept[$path]=1; printf 'keep %s\0' "$path"; done < <(realpath -z -- "${paths[@]}")
  path=$(type -P ls) name=$(type -P chmod) || { echo 'it has no ls or no chmod' >&2; return 3; }
  if [[ $(realpath -- "$path") == "$(realpath -- "$name")" ]]; then
    echo "$(realpath -- "$path") is many programs in one file, which cannot be told apart" >&2; return 3
  fi
  IFS=: read -r -a folders <<<"$PATH"
  for path in "${folders[@]}"; do
    while [[ $path == /*[!/]* ]]; do above+=("$path"); path=${path%/*}; done
  done
  mkdir -p -- "${above[@]}"
  realpath -z -- "${above[@]}" | sort -zu | while IFS= read -r -d '' path; do printf 'lock %s\0' "$path"; done
  while IFS= read -r -d '' path; do
    [[ ${kept[$path]} ]] || printf 'drop %s\0' "$path"
  done < <(
    find / \( -path /proc -o -path /sys -o -path /dev -o -path "$workdir" \) -prune \
      -o -type f -perm /111 ! -name '*.so' ! -name '*.so.*' -print0 2>/dev/null
    # Of the workdir, which is the agent's to edit, only programs of virtual environments and the like.
    find "$workdir" -type f -perm /111 -path '*/bin/*' -print0 2>/dev/null |
      while IFS= read -r -d '' path; do
        { IFS= read -r -n 4 found <"$path"; } 2>/dev/null; [[ $found == $'\x7fELF' ]] && printf '%s\0' "$path"
      done
  )
  return 0
}
# take WORKDIR CHMOD FOLDERS KEPT FOLDER... KEPT... DROPPED...: makes FOLDERS folders, removes what is dropped, and locks
# folders and KEPT programs. Prints `left PATH` for what is still there, `git FOLDER` and `top FOLDER` for the
# repository, and `runs KEY` for a setting of its own that runs a program.
take() {
  local workdir=$1 chmod=$2 folders=$3 stay=$(($3 + $4)) path git; shift 4
  local -a locked=("${@:1:stay}")
  mkdir -p -- "${@:1:folders}"
  git=$(git -C "$workdir" -c 'safe.directory=*' rev-parse --absolute-git-dir 2>/dev/null)
  if [[ $git ]]; then
    printf 'git %s\ntop %s\n' "$git" "$(git -C "$workdir" -c 'safe.directory=*' rev-parse --show-toplevel)"
    git config --file "$git/config" --name-only --get-regexp \
      '^(filter\..*\.(clean|smudge|process)|diff\.external|diff\..*\.(command|textconv)|include\.|includeif\.|gpg\.)' |
      sed 's/^/runs /'
    for path in "$git"{,/config,/config.worktree,/info,/info/attributes,/hooks,/hooks/*}; do
      [[ ! -e $path ]] || locked+=("$path")
    done
  fi
  shift "$stay"
  # Removed with the others, it runs from here once more: without write permission on them, nothing can be put in the
  # place of a program, and no library be named for all.
  [[ ! $chmod ]] || exec 9<"$chmod"
  rm -f -- "$@"
  [[ ! $chmod ]] || /proc/self/fd/9 a-w -- "${locked[@]}" /etc
  for path; do [[ ! -e $path || ( ! -s $path && ! -x $path ) ]] || printf 'left %s\n' "$path"; done
}
"$@"
