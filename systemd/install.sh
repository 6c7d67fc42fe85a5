#!/usr/bin/env bash
# Installs the orchestrator of this tree below /opt/Skull, or upgrades the one that is there: see usage.
set -euo pipefail
umask 022

home=/opt/Skull
app=$home/apps/orchestrator
# Every version has a folder in here, and the one that last came up healthy is `proven`.
versions=$home/apps/.orchestrator
proven=$versions/proven
env_file=$home/config/orchestrator.env
unit=skull-orchestrator.service
tree=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)

usage() {
  cat <<EOF
Usage: sudo systemd/install.sh [--dry-run]

Installs the orchestrator of this built tree (npm ci && npm run build) as the service $unit, or upgrades
the one that is there. Needs no network. It can be run again at any time: configuration, songs, data, the API key and
flows that were changed stay. A new version that does not come up healthy is taken back.

  --dry-run   show each step, change nothing
EOF
}

dry_run=
case "${1-}" in
  '') ;;
  --dry-run) dry_run=yes ;;
  -h | --help) usage && exit ;;
  *) usage >&2 && exit 2 ;;
esac

# Somebody who no longer listens stops nothing.
say() { printf '%s\n' "$*" || :; }
die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
run() {
  if [ -n "$dry_run" ]; then
    printf '  would run:%s\n' "$(printf ' %q' "$@")"
  else
    "$@" 9>&- # the lock is ours alone
  fi
}

fits() { # whether the program of this path is a Node.js of 22.9 or newer
  local version
  version=$("$1" --version 2>/dev/null) && printf 'v22.9.0\n%s\n' "$version" | sort -V -C
}

# Sets node, and own_node where the service could not reach it (its home folders are hidden): then it is copied.
find_node() {
  own_node=
  for node in /usr/local/bin/node /usr/bin/node; do
    if fits "$node"; then return; fi
  done
  for node in "$tree/node/node" "$tree/node_modules/node/bin/node" "$(command -v node || :)"; do
    if fits "$node"; then
      own_node=$node
      return
    fi
  done
  die 'Node.js 22.9 or newer is missing: install it as /usr/bin/node or /usr/local/bin/node (https://nodejs.org), or run npm ci in this tree.'
}

check() {
  [ -n "$dry_run" ] || [ "$(id -u)" = 0 ] || die 'root is needed: run it with sudo. (--dry-run is for everybody.)'
  [ -f "$tree/dist/runtime/cli.js" ] || die "$tree is not built: run npm ci && npm run build there."
  [ -f "$tree/node_modules/.package-lock.json" ] || die "$tree has no node_modules: run npm ci there."
  [[ $tree/ != "$versions"/* ]] || die "$tree is what was installed: run install.sh of the tree that it came from, or of a newer one."
  [ -L "$app" ] || [ ! -e "$app" ] || die "$app is in the way: move it."
  [ -d /run/systemd/system ] || [ -n "$dry_run" ] || die 'systemd does not run this machine.'
  find_node
  version=$("$node" -p 'JSON.parse(fs.readFileSync(process.argv[1])).version' "$tree/package.json")
}

make_user() {
  getent group skull >/dev/null || run groupadd --system skull
  getent passwd skull >/dev/null ||
    run useradd --system --gid skull --home-dir "$home" --no-create-home --shell /usr/sbin/nologin skull
  case "$(getent passwd skull)" in
    '' | */nologin | */false) ;;
    *) say 'Warning: somebody can log in as the user skull, and may then do all that the orchestrator may.' ;;
  esac
}

make_folders() {
  local folder
  [ ! -L "$home" ] || die "$home is a symbolic link: what is installed has to be in a folder of root."
  run install -d -m 0755 -o root -g root "$home"
  # From here on only root makes links in it.
  for folder in "$home"/{apps,bin,config,logs,songs,data,flows}; do
    [ ! -L "$folder" ] || die "$folder is a symbolic link: move what it leads to here, or mount it."
  done
  run install -d -m 0755 -o root -g root "$home/apps" "$home/bin"
  [ ! -L "$versions" ] || die "$versions is a symbolic link: remove it."
  run install -d -m 0755 -o root -g root "$versions"
  run install -d -m 0750 -o skull -g skull "$home"/{logs,songs,data,flows}
  # systemd reads the settings there as root: its user must not put something else in their place.
  run install -d -m 1770 -o root -g skull "$home/config"
}

settings() {
  cat <<EOF
# Settings of the orchestrator; $app/.env.example explains them all.
# After a change: systemctl restart $unit

# The admin's key for the API, made at the installation. HTTP listens on every address; HOST=127.0.0.1 keeps it inside.
API_KEY=$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')
EOF
  if systemctl is-active --quiet mosquitto.service; then
    printf '\n# The broker that ran here at the installation.\nMQTT_URL=mqtt://127.0.0.1:1883\n'
  fi
}

# The key goes to the file and nowhere else: terminals scroll back, and output is kept in logs. What is there stays as it is.
make_settings() {
  if [ -L "$env_file" ] || { [ -e "$env_file" ] && [ "$(stat --format=%u "$env_file")" != 0 ]; }; then
    die "$env_file is not a file of root: see to what it is, and move it."
  fi
  # An empty one is what a loss of power left.
  if [ -s "$env_file" ]; then
    say "Keeping $env_file"
    return
  fi
  say "Making an API key: it is in $env_file, which root and the group skull may read. It is not shown here; to see it:"
  say "  sudo grep ^API_KEY= $env_file"
  if [ -n "$dry_run" ]; then
    say "  would write: $env_file (0640 root:skull)"
    return
  fi
  # Made where only root may write, then moved: at no time can anybody else read it or put something in its place.
  local new
  new=$(mktemp "$home/.settings.XXXXXX")
  settings >"$new"
  chown root:skull "$new"
  chmod 0640 "$new"
  sync "$new"
  mv -T "$new" "$env_file"
}

# The paths of what `npm ci --omit=dev` would have installed, each ended by NUL.
production_modules() {
  # shellcheck disable=SC2016 # What is between $ and } is JavaScript.
  "$node" -e '
    const { packages } = JSON.parse(fs.readFileSync("node_modules/.package-lock.json"));
    const wanted = ([place, { dev }]) => /^node_modules\/(@[^/]+\/)?[^/]+$/.test(place) && !dev && fs.existsSync(place);
    process.stdout.write(Object.entries(packages).filter(wanted).map(([place]) => `${place}\0`).join(""));'
}

# The paths of all that is copied, each ended by NUL.
contents() {
  printf '%s\0' package.json dist flows systemd examples resources docs .env.example ./*.md LICENSE node_modules/.package-lock.json
  production_modules
}

check_space() {
  local needed free
  needed=$({ contents && printf '%s' "${own_node:-/dev/null}"; } | du -sck --files0-from=- | tail -n 1 | cut -f 1)
  free=$(df --output=avail -k "$versions" | tail -n 1)
  [ "$needed" -lt "$free" ] || die "$versions has $((free / 1024)) MB free and $((needed / 1024 + 1)) MB are needed."
}

copy_release() {
  contents | xargs -0 cp -R --preserve=links,timestamps --reflink=auto --parents -t "$release" --
  if [ -n "$own_node" ]; then
    mkdir "$release/node"
    cp --reflink=auto "$own_node" "$release/node/node"
  fi
  chmod -R u=rwX,go=rX "$release"
  # A loss of power must not leave us a symlink to half a version.
  sync -f "$release"
}

make_release() {
  say "Copying version $version to $versions"
  release=$versions/$version.XXXXXX
  if [ -n "$dry_run" ]; then
    say "  would copy: $tree without what only its development needs${own_node:+, and $own_node}, to $release"
    return
  fi
  cd "$tree"
  check_space
  release=$(mktemp -d "$release")
  trap 'rm -rf -- "$release"' EXIT
  (copy_release) 9>&-
}

# Makes a symbolic link, in one step where there was another.
link() { run ln -sfn "$1" "$2.new" && run mv -T "$2.new" "$2"; }

# Makes the version of this folder the one that runs; fails where it does not come up.
activate() {
  local from=$1
  [ -z "$dry_run" ] || from=$tree
  run install -m 0755 "$from/systemd/skull-orchestrator.sh" "$home/bin/skull-orchestrator.sh" &&
    run install -m 0644 "$from/systemd/$unit" "/etc/systemd/system/$unit" &&
    run install -D -m 0644 "$from/systemd/50-skull-orchestrator.rules" /etc/polkit-1/rules.d/50-skull-orchestrator.rules &&
    link "${versions##*/}/${1##*/}" "$app" &&
    run systemctl daemon-reload &&
    run systemctl enable --quiet "$unit" &&
    run systemctl restart "$unit" &&
    run "$node" "$tree/systemd/healthy.mjs" "$unit" &&
    link "${1##*/}" "$proven"
}

# Ends with the version before, because this one failed as said.
take_back() {
  local why=$1
  trap '' INT TERM HUP PIPE
  say "Version $version $why. The last lines of its log:"
  journalctl --unit="$unit" --since="@$begun" --lines=20 --no-pager --output=cat || :
  if [ -z "$previous" ]; then
    systemctl disable --quiet --now "$unit" || :
    rm -rf -- "$app" "$proven" "$release"
    die 'nothing was installed before, so the service is stopped and disabled. Settings and data are kept: see to what the log says and run install.sh again.'
  fi
  say "Going back to $previous"
  activate "$previous" || die "neither version $version nor the one before comes up: see journalctl --unit=$unit"
  rm -rf -- "$release"
  die "version $version $why; the version before runs again."
}

remove_old() {
  local folder
  for folder in "$versions"/*; do
    case "$folder" in "$release" | "$previous" | "$proven" | *'*') ;; *) run rm -rf -- "$folder" ;; esac
  done
}

main() {
  check
  if [ -z "$dry_run" ]; then
    exec 9>/run/skull-orchestrator-install.lock
    flock -n 9 || die 'another install.sh or uninstall.sh is at work.'
  fi
  say "Installing version $version, on Node.js $("$node" --version)"
  previous=$(readlink -e "$proven" || :)
  make_user
  make_folders
  make_settings
  make_release
  say "Starting $unit"
  begun=$(date +%s)
  if [ -z "$dry_run" ]; then
    trap - EXIT
    trap 'take_back "was interrupted"' INT TERM HUP PIPE
  fi
  activate "$release" || take_back 'did not come up healthy'
  trap - INT TERM HUP PIPE
  remove_old
  [ -n "$dry_run" ] || say "Version $version runs and is healthy. To check the installation: sudo $home/bin/skull-orchestrator.sh doctor"
}

main
