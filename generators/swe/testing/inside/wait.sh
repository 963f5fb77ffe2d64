# Waits until the resident process of folder $1 has answered request $2; status 99: it is gone.
# The pipe is opened both ways, so that opening it waits for nobody.
read -r pid <"$1/pid" || return 99
while :; do
  alive=; kill -0 "$pid" 2>/dev/null && alive=1
  while read -r -t "${alive:-0.1}" said <>"$1/answers"; do [[ $said != "$2" ]] || return 0; done
  [[ $alive ]] || return 99
done
