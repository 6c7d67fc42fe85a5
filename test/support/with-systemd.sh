#!/usr/bin/env bash
# with-systemd.sh COMMAND [ARG...]
#
# Runs the command as root beside a real systemd, journald, D-Bus and polkit, which are PID 1 and its children in
# namespaces of their own: the machine's processes and network are out of reach, and of its files only the working
# directory can be written, which is /srv/skull inside. Everything else that is written goes into memory and is
# forgotten. Exits with the command's code; 77 without root, 70 when systemd does not come up.
set -euo pipefail
[ "$(id -u)" = 0 ] || { echo 'with-systemd: needs root' >&2; exit 77; }
work=$(mktemp -d /tmp/skull-systemd.XXXXXX)
outer='' init=''
groups=()

# systemd takes over the cgroup that it starts in with all below, so it must start in one of its own, in every hierarchy.
while IFS=: read -r _ controllers path; do
  case $controllers in
    cpuset) continue ;; # its children take no process before they are given processors
    '') mounted=/sys/fs/cgroup; [ ! -d $mounted/unified ] || mounted+=/unified ;;
    *) mounted=/sys/fs/cgroup/${controllers#name=} ;;
  esac
  [ ! -d "$mounted" ] || groups+=("$mounted${path%/}/${work##*/}")
done </proc/self/cgroup

clean() {
  trap - EXIT INT TERM
  # The end of a PID 1 is the end of its whole namespace.
  [ -z "$init" ] || kill -KILL "$init" 2>/dev/null || true
  [ -z "$outer" ] || { [ -n "$init" ] || kill -KILL "$outer" 2>/dev/null; wait "$outer" 2>/dev/null; } || true
  for group in "${groups[@]}"; do
    for _ in {1..40}; do
      find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
      [ -d "$group" ] || break
      sleep 0.05
    done
  done
  rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Runs in the new namespaces: builds a root of overlays, moves into it, becomes systemd.
boot() {
  set -euo pipefail
  local root=$work/box/root name
  mkdir "$work/box"
  mount -t tmpfs -o mode=755 box "$work/box"
  mkdir "$work/box/upper" "$work/box/scratch" "$root"
  mount -t overlay -o "lowerdir=/,upperdir=$work/box/upper,workdir=$work/box/scratch" root "$root"
  mount -t proc proc "$root/proc"
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,bind,ro "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"

  local cgroup=$root/sys/fs/cgroup
  mount -t tmpfs -o mode=755 cgroup "$cgroup"
  if [ -d /sys/fs/cgroup/unified ]; then
    for name in unified systemd blkio cpu cpuacct devices freezer memory pids; do
      [ -d "/sys/fs/cgroup/$name" ] || continue
      mkdir "$cgroup/$name"
      case $name in
        unified) mount -t cgroup2 cgroup "$cgroup/$name" ;;
        systemd) mount -t cgroup -o none,name=systemd cgroup "$cgroup/$name" ;;
        *) mount -t cgroup -o "$name" cgroup "$cgroup/$name" ;;
      esac
    done
  else
    mount -t cgroup2 cgroup "$cgroup"
  fi

  for name in run dev etc/systemd/system var/log/journal; do
    mkdir -p "$root/$name"
    mount -t tmpfs -o mode=755 "${name##*/}" "$root/$name"
  done
  mount -t tmpfs -o mode=1777 tmp "$root/tmp"
  for name in null zero full random urandom tty; do
    : >"$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
  done
  : >"$root/dev/console"
  mount --bind "$work/console" "$root/dev/console"
  mkdir "$root/dev/pts" "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$root/dev/pts"
  mount -t tmpfs -o mode=1777 shm "$root/dev/shm"
  ln -s pts/ptmx "$root/dev/ptmx"
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s fd/0 "$root/dev/stdin"
  ln -s fd/1 "$root/dev/stdout"
  ln -s fd/2 "$root/dev/stderr"

  # Away from folders that only root may enter.
  mkdir -p "$root/srv/skull" "$root/.old"
  mount --bind "$PWD" "$root/srv/skull"
  cd "$root"
  pivot_root . .old
  umount -l /.old
  exec /lib/systemd/systemd --system --unit=basic.target --log-target=console --show-status=no \
    </dev/null >/dev/null 2>>/dev/console
}

: >"$work/console"
(
  for group in "${groups[@]}"; do
    mkdir "$group"
    echo "$BASHPID" >"$group/cgroup.procs"
  done
  exec env -i container=skull-systemd PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
    work="$work" setpriv --pdeathsig KILL unshare --fork --kill-child=SIGKILL --propagation private \
    --pid --mount --cgroup --ipc --uts --net bash -c "$(declare -f boot); boot"
) 2>>"$work/console" &
outer=$!

for attempt in {1..500}; do
  init=$(pgrep -P "$outer" -x systemd || true)
  [ -z "$init" ] || ! nsenter -t "$init" -m -p systemctl is-active -q basic.target 2>/dev/null || break
  if [ "$attempt" = 500 ] || ! kill -0 "$outer" 2>/dev/null; then
    echo 'with-systemd: systemd did not come up' >&2
    cat "$work/console" >&2
    exit 70
  fi
  sleep 0.02
done

# In the background, so that a signal is heeded at once.
nsenter -t "$init" -a env -u DBUS_SESSION_BUS_ADDRESS -u XDG_RUNTIME_DIR container=skull-systemd \
  bash -c 'cd /srv/skull && exec "$@"' - "$@" <&0 &
wait $!
