#!/usr/bin/env bash
# Runs the installed orchestrator's command line, `skull`, on a Node.js that fits: skull-orchestrator.sh doctor
set -euo pipefail

app=/opt/Skull/apps/orchestrator
export ENV="${ENV:-production}" SKULL_HOME="${SKULL_HOME:-/opt/Skull}"

fits() { # whether the program of this path is a Node.js of 22.9 or newer
  local version
  version=$("$1" --version 2>/dev/null) && printf 'v22.9.0\n%s\n' "$version" | sort -V -C
}

for folder in "$app/node" /usr/local/bin /usr/bin; do
  if fits "$folder/node"; then
    PATH="$folder:$PATH" exec "$app/dist/runtime/cli.js" "$@"
  fi
done
echo "Node.js 22.9 or newer is needed in $app/node, /usr/local/bin or /usr/bin." >&2
exit 1
