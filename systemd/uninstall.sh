#!/usr/bin/env bash
# Removes what install.sh installed: see usage.
set -euo pipefail

home=/opt/Skull
unit=skull-orchestrator.service

usage() {
  cat <<EOF
Usage: sudo systemd/uninstall.sh [--purge] [--dry-run]

Stops the orchestrator and removes its program, unit and right. It can be run again at any time.
Settings, songs, data, logs and flows stay in $home, for a later installation.

  --purge     remove these too, and the user skull where nothing else of the skull is installed
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

run() {
  if [ -n "$dry_run" ]; then
    printf '  would run:%s\n' "$(printf ' %q' "$@")"
  else
    "$@"
  fi
}

# Other services of the skull, which may run as its user.
others() { systemctl list-unit-files --no-legend --plain 'skull-*.service' | grep -v "^$unit " | cut -d ' ' -f 1; }

if [ -z "$dry_run" ] && [ "$(id -u)" != 0 ]; then
  echo 'uninstall.sh: root is needed: run it with sudo. (--dry-run is for everybody.)' >&2
  exit 1
fi

if [ -e "/etc/systemd/system/$unit" ]; then
  run systemctl disable --quiet --now "$unit"
fi
run rm -rf -- "/etc/systemd/system/$unit" /etc/polkit-1/rules.d/50-skull-orchestrator.rules \
  "$home/bin/skull-orchestrator.sh" "$home/apps/orchestrator" "$home"/apps/orchestrator-*
run systemctl daemon-reload

if [ -z "$purge" ]; then
  echo "The orchestrator is removed. Settings, songs, data, logs and flows are kept in $home (--purge removes them)."
  exit
fi
run rm -rf -- "$home"/{config,logs,songs,data,flows} "/etc/systemd/system/$unit.d"
for folder in "$home"/{apps,bin} "$home"; do
  if [ -d "$folder" ]; then run rmdir --ignore-fail-on-non-empty "$folder"; fi
done
if others=$(others); then
  echo "The user skull is kept: there are other services of the skull ($(tr "\n" " " <<<"$others"))."
else
  if getent passwd skull >/dev/null; then run userdel skull; fi
  if getent group skull >/dev/null; then run groupdel skull; fi
fi
echo 'The orchestrator and all of its files are removed.'
