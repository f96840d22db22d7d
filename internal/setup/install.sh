#!/bin/sh
# Installs the servers that lockbench measures and that this machine lacks: Redis, ZooKeeper with a headless Java,
# PostgreSQL. (etcd is compiled into lockbench.) With the argument "tests" also Chromium on Debian, in which the tests open
# the page of a report, and with "compiler" that and a C compiler, which Go's race detector needs. It starts no service,
# neither now nor at the next boot, and makes no database.
#
# usage: sh internal/setup/install.sh [tests|compiler]
# Exit: 0 everything is there; 1 the installation failed; 3 nothing can be installed from here, and standard
# error lists what is missing.
set -eu

# A tree to look at and to change instead of /, for the tests of this script.
root=${LOCKBENCH_SETUP_ROOT-}

policy=$root/usr/sbin/policy-rc.d
policy_saved=$policy.before-lockbench
policy_mark='# lockbench: no service starts while its packages are installed'
pg_config=$root/etc/postgresql-common
pg_dropin=$pg_config/createcluster.d/lockbench.conf

say() { printf 'setup: %s\n' "$*"; }

have() { command -v "$1" >/dev/null 2>&1; }

# have_file PATTERN...: some pattern, expanded by the caller, names a file.
have_file() {
	for file; do
		[ -e "$file" ] && return 0
	done
	return 1
}

# have_browser: one of those that internal/browser looks for. Elsewhere than on Debian the package is none, or a snap.
have_browser() {
	for name in chromium chromium-browser google-chrome google-chrome-stable chromium-headless-shell; do
		! have "$name" || return 0
	done
	! grep -qs '^ID=debian$' "$root/etc/os-release"
}

# missing_packages [tests|compiler]: the Debian packages to install, in one line.
missing_packages() {
	missing=
	have redis-server || missing="$missing redis-server"
	have_file "$root"/usr/share/java/zookeeper.jar || missing="$missing zookeeper"
	have java || missing="$missing default-jre-headless"
	have postgres || have_file "$root"/usr/lib/postgresql/*/bin/postgres || missing="$missing postgresql"
	[ -z "${1-}" ] || have_browser || missing="$missing chromium"
	if [ "${1-}" = compiler ]; then
		have gcc || missing="$missing gcc libc6-dev"
	fi
	printf '%s' "${missing# }"
}

# explain REASON PACKAGES...: what to do by hand.
explain() {
	{
		say "$1. Install by hand what is missing:"
		shift
		for package; do
			case $package in
			redis-server) say '  Redis 7 or later: redis-server on PATH' ;;
			zookeeper) say '  ZooKeeper 3.8 or later: zookeeper.jar in /usr/share/java (package zookeeper of Debian and Ubuntu)' ;;
			default-jre-headless) say '  Java 11 or later: java on PATH' ;;
			postgresql) say '  PostgreSQL 13 or later: postgres and initdb on PATH or in /usr/lib/postgresql/*/bin' ;;
			chromium) say '  Chromium or Chrome: chromium or google-chrome on PATH' ;;
			gcc) say '  a C compiler: gcc on PATH, with the headers of the C library' ;;
			esac
		done
		say "On Debian or Ubuntu, as root: apt-get install --no-install-recommends $*"
	} >&2
}

# as_root PACKAGES...: run this script again as root, where that is possible.
as_root() {
	if ! have sudo; then
		explain 'not root, and there is no sudo' "$@"
		exit 3
	fi
	if ! sudo -n true 2>/dev/null && ! [ -t 0 ]; then
		explain 'not root, and sudo asks for a password but there is no terminal to ask on' "$@"
		exit 3
	fi
	say "becoming root with sudo, to install: $*"
	# sudo drops the environment; apt-get may need the way to the network out of it.
	set -- sh "$script" ${script_argument:+"$script_argument"}
	for variable in http_proxy https_proxy no_proxy; do
		eval "value=\${$variable-}"
		[ -z "$value" ] || set -- "$variable=$value" "$@"
	done
	exec sudo env "$@"
}

# hold_services keeps package scripts from starting services (policy-rc.d is what they ask) and PostgreSQL's from
# making a database. restore_services undoes it, also for a run that was killed before it could.
hold_services() {
	mkdir -p "${policy%/*}"
	if [ -e "$policy" ] || [ -L "$policy" ]; then
		mv "$policy" "$policy_saved"
	fi
	printf '#!/bin/sh\n%s\nexit 101\n' "$policy_mark" >"$policy"
	chmod 755 "$policy"
	for dir in "$pg_config" "${pg_dropin%/*}"; do
		[ -d "$dir" ] || { mkdir -p "$dir" && made_dirs="$dir $made_dirs"; }
	done
	printf 'create_main_cluster = false\n' >"$pg_dropin"
}

restore_services() {
	if grep -qsF "$policy_mark" "$policy"; then
		rm -f "$policy"
	fi
	if [ -e "$policy_saved" ] || [ -L "$policy_saved" ]; then
		mv "$policy_saved" "$policy"
	fi
	rm -f "$pg_dropin"
	for dir in $made_dirs; do # those that PostgreSQL's packages own by now are not empty
		rmdir "$dir" 2>/dev/null || :
	done
	[ -z "${log-}" ] || rm -f "$log"
}

# logged COMMAND...: its output is shown only if it fails. It inherits no lock.
logged() {
	"$@" </dev/null >"$log" 2>&1 9<&- && return 0
	{
		say "failed: $*"
		sed 's/^/  | /' "$log"
	} >&2
	return 1
}

# install PACKAGES...
install() {
	# Two installations at once would restore each other's half.
	exec 9<"${policy%/*}"
	! have flock || flock 9
	made_dirs=
	trap restore_services EXIT
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
	restore_services # what a killed run left
	log=$(mktemp)
	hold_services
	export DEBIAN_FRONTEND=noninteractive PATH="$PATH:$root/usr/sbin:$root/sbin"
	say 'apt-get update'
	logged apt-get -q update || say 'going on with the package lists that are there'
	say "apt-get install $* (this takes a minute or two)"
	logged apt-get -q -y -o DPkg::Lock::Timeout=120 -o Dpkg::Options::=--force-confdef \
		-o Dpkg::Options::=--force-confold install --no-install-recommends "$@" || exit 1
	case " $* " in
	*' redis-server '*)
		# Its package asks for a start at every boot, of init and of systemd; this takes both back.
		if logged update-rc.d redis-server disable; then
			say 'redis-server is installed, and not enabled as a service'
		else
			say 'redis-server is installed, but may start as a service at the next boot'
		fi
		;;
	esac
	still=$(missing_packages ${script_argument:+"$script_argument"})
	if [ -n "$still" ]; then
		say "installed, and yet not found: $still" >&2
		exit 1
	fi
	say 'everything is installed; no service was started'
}

script=$0
script_argument=${1-}
case $script_argument in
'' | tests | compiler) ;;
*)
	say "unknown argument $script_argument; usage: install.sh [tests|compiler]" >&2
	exit 1
	;;
esac
packages=$(missing_packages ${script_argument:+"$script_argument"})
if [ -z "$packages" ]; then
	say 'nothing to install'
	exit 0
fi
# The names hold no blanks: split them.
# shellcheck disable=SC2086
set -- $packages
if ! have apt-get; then
	explain 'this system has no apt-get' "$@"
	exit 3
fi
[ "$(id -u)" = 0 ] || as_root "$@"
install "$@"
