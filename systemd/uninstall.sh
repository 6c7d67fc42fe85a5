#!/usr/bin/env bash
# Removes what install.sh installed: see usage.
set -euo pipefail

home=/opt/Skull
app=$home/apps/orchestrator
unit=skull-orchestrator.service

usage() {
  cat <<EOF
Usage: sudo systemd/uninstall.sh [--purge] [--dry-run]

Stops the orchestrator and removes its program, unit and right. It can be run again at any time.
Settings, songs, data, logs and flows stay in $home, for a later installation.

  --purge     remove these too, and the user skull; not where other services of the skull use them
  --dry-run   show each step, change nothing
EOF
}

purge='' dry_run=''
for option in "$@"; do
  case "$option" in
    --purge) purge=yes ;;
    --dry-run) dry_run=yes ;;
    -h | --help) usage && exit ;;
    *) usage >&2 && exit 2 ;;
  esac
done

die() {
  printf 'uninstall.sh: %s\n' "$*" >&2
  exit 1
}
run() {
  if [ -n "$dry_run" ]; then
    printf '  would run:%s\n' "$(printf ' %q' "$@")"
  else
    "$@"
  fi
}

# Other services of the skull, which share its folders and may run as its user.
others() { systemctl list-unit-files --no-legend --plain 'skull-*.service' | grep -v "^$unit " | cut -d ' ' -f 1; }

# Whether the user skull is the one that install.sh makes.
is_made_user() { [[ $(getent passwd skull | cut -d : -f 6,7) =~ ^"$home":.*/(nologin|false)$ ]]; }

if [ -z "$dry_run" ]; then
  [ "$(id -u)" = 0 ] || die 'root is needed: run it with sudo. (--dry-run is for everybody.)'
  exec 9>/run/skull-orchestrator-install.lock
  flock -n 9 || die 'install.sh or another uninstall.sh is at work.'
fi

if [ -e "/etc/systemd/system/$unit" ]; then
  run systemctl disable --quiet --now "$unit"
fi
# What is no link there is somebody's folder.
for link in "$app" "$app.new"; do
  if [ -L "$link" ]; then run rm -- "$link"; fi
done
run rm -rf -- "/etc/systemd/system/$unit" /etc/polkit-1/rules.d/50-skull-orchestrator.rules \
  "$home/bin/skull-orchestrator.sh" "$home/apps/.orchestrator" "$home"/.settings.??????
run systemctl daemon-reload

if [ -z "$purge" ]; then
  echo "The orchestrator is removed. Settings, songs, data, logs and flows are kept in $home (--purge removes them)."
  exit
fi
run rm -rf -- "$home/config/orchestrator.env" "$home/flows" "/etc/systemd/system/$unit.d"
if others=$(others); then
  echo "The orchestrator is removed. The user skull and $home/{config,logs,songs,data} are kept for other services of the skull: $(paste -sd ' ' <<<"$others")."
  exit
fi
run rm -rf -- "$home"/{config,logs,songs,data}
for folder in "$home"/{apps,bin} "$home"; do
  if [ -d "$folder" ]; then run rmdir --ignore-fail-on-non-empty "$folder"; fi
done
if is_made_user; then
  run userdel skull
  if getent group skull >/dev/null; then run groupdel skull; fi
elif getent passwd skull >/dev/null; then
  echo 'The user skull is kept: install.sh did not make it.'
fi
echo 'The orchestrator and all of its files are removed.'
