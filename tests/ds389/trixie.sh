#!/bin/sh
# Puts the files of the server itself into the root that mmdebstrap makes: its package would want Python and systemd too.
set -eu
folder=$(mktemp -d)
cd "$folder"
APT_CONFIG=$MMDEBSTRAP_APT_CONFIG apt-get download 389-ds-base
dpkg-deb --fsys-tarfile 389-ds-base_*.deb | tar -C "$1" --keep-directory-symlink --wildcards -x \
    ./etc/dirsrv ./usr/sbin/ns-slapd ./usr/bin/pwdhash ./usr/bin/dbscan "./usr/lib/*/dirsrv" \
    "./usr/share/dirsrv/data/template*.ldif" ./usr/share/dirsrv/schema ./usr/share/dirsrv/inf
chmod -R go+rX "$1/etc/dirsrv"
rm -rf "$folder"
