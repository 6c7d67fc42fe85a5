#!/usr/bin/env bash
# Installs the orchestrator of this tree below /opt/Skull, or upgrades the one that is there: see usage.
set -euo pipefail
umask 022

home=/opt/Skull
app=$home/apps/orchestrator
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

say() { printf '%s\n' "$*"; }
die() {
  printf 'install.sh: %s\n' "$*" >&2
  exit 1
}
run() {
  if [ -n "$dry_run" ]; then
    printf '  would run:%s\n' "$(printf ' %q' "$@")"
  else
    "$@"
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
  [ -d /run/systemd/system ] || [ -n "$dry_run" ] || die 'systemd does not run this machine.'
  find_node
  version=$("$node" -p 'JSON.parse(fs.readFileSync(process.argv[1])).version' "$tree/package.json")
}

make_user() {
  getent group skull >/dev/null || run groupadd --system skull
  getent passwd skull >/dev/null ||
    run useradd --system --gid skull --home-dir "$home" --no-create-home --shell /usr/sbin/nologin skull
}

make_folders() {
  run install -d -m 0755 -o root -g root "$home" "$home/apps" "$home/bin"
  run install -d -m 0750 -o skull -g skull "$home"/{config,logs,songs,data,flows}
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
  if [ -e "$env_file" ] || [ -L "$env_file" ]; then
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

copy_release() {
  cd "$tree"
  {
    printf '%s\0' package.json dist flows systemd examples resources docs .env.example ./*.md LICENSE node_modules/.package-lock.json
    production_modules
  } | xargs -0 cp -R --preserve=links,timestamps --reflink=auto --parents -t "$release" --
  if [ -n "$own_node" ]; then
    mkdir "$release/node"
    cp --reflink=auto "$own_node" "$release/node/node"
  fi
  chmod -R u=rwX,go=rX "$release"
  # A loss of power must not leave us a symlink to half a version.
  sync -f "$release"
}

make_release() {
  say "Copying version $version to $home/apps"
  release=$home/apps/orchestrator-$version.XXXXXX
  if [ -n "$dry_run" ]; then
    say "  would copy: $tree without what only its development needs${own_node:+, and $own_node}, to $release"
    return
  fi
  release=$(mktemp -d "$release")
  trap 'rm -rf -- "$release"' EXIT
  (copy_release)
}

# Makes the version of this folder the one that runs; fails where it does not come up.
activate() {
  local from=$1
  [ -z "$dry_run" ] || from=$tree
  run install -m 0755 "$from/systemd/skull-orchestrator.sh" "$home/bin/skull-orchestrator.sh" &&
    run install -m 0644 "$from/systemd/$unit" "/etc/systemd/system/$unit" &&
    run install -D -m 0644 "$from/systemd/50-skull-orchestrator.rules" /etc/polkit-1/rules.d/50-skull-orchestrator.rules &&
    run ln -sfn "$(basename "$1")" "$app.new" &&
    run mv -T "$app.new" "$app" &&
    run systemctl daemon-reload &&
    run systemctl enable --quiet "$unit" &&
    run systemctl restart "$unit" &&
    run "$node" "$tree/systemd/healthy.mjs" "$unit"
}

take_back() {
  say "Version $version did not come up healthy. The last lines of its log:"
  journalctl --unit="$unit" --since="@$begun" --lines=20 --no-pager --output=cat || :
  if [ -z "$previous" ]; then
    systemctl disable --quiet --now "$unit" || :
    rm -rf -- "$app" "$release"
    die 'nothing was installed before, so the service is stopped and disabled. Settings and data are kept: see to what the log says and run install.sh again.'
  fi
  say "Going back to $previous"
  activate "$previous" || die "neither version $version nor the one before comes up: see journalctl --unit=$unit"
  rm -rf -- "$release"
  die "version $version did not come up healthy; the version before runs again."
}

remove_old() {
  local folder
  for folder in "$home"/apps/orchestrator-*; do
    case "$folder" in "$release" | "$previous" | *'*') ;; *) run rm -rf -- "$folder" ;; esac
  done
}

main() {
  check
  if [ -z "$dry_run" ]; then
    exec 9>/run/skull-orchestrator-install.lock
    flock -n 9 || die 'another install.sh is at work.'
  fi
  say "Installing version $version, on Node.js $("$node" --version)"
  previous=$(readlink -e "$app" || :)
  make_user
  make_folders
  make_settings
  make_release
  # From here on somebody who interrupts leaves a version that is whole, and the one before beside it.
  trap - EXIT
  say "Starting $unit"
  begun=$(date +%s)
  activate "$release" || take_back
  remove_old
  [ -n "$dry_run" ] || say "Version $version runs and is healthy. To check the installation: sudo $home/bin/skull-orchestrator.sh doctor"
}

main
