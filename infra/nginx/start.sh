#!/bin/sh
# Writes the configuration of this start into a folder that may be written to, and becomes nginx.
set -eu

EDGE_CONF_DIR=${EDGE_CONF_DIR:-/opt/opsconductor/nginx}
EDGE_WEB_DIR=${EDGE_WEB_DIR:-/opt/opsconductor/web}
EDGE_TLS_DIR=${EDGE_TLS_DIR:-/run/secrets/certificate}
EDGE_RUN_DIR=${EDGE_RUN_DIR:-/tmp/nginx}
EDGE_GATEWAY=${EDGE_GATEWAY:-gateway:8080}
EDGE_HTTP_PORT=${EDGE_HTTP_PORT:-8080}
EDGE_HTTPS_PORT=${EDGE_HTTPS_PORT:-8443}
EDGE_HEALTH_PORT=${EDGE_HEALTH_PORT:-8081}
EDGE_PUBLIC_HTTPS_PORT=${EDGE_PUBLIC_HTTPS_PORT:-8443}
EDGE_UPLOAD_LIMIT=${EDGE_UPLOAD_LIMIT:-4g}
# Container engines write their own name server there.
EDGE_RESOLVER=${EDGE_RESOLVER:-$(sed -n 's/^nameserver[[:space:]]*\([0-9.]*\)$/\1/p' /etc/resolv.conf | head -n 1)}

for file in tls.crt tls.key; do
  if [ ! -r "$EDGE_TLS_DIR/$file" ]; then
    echo "There is no certificate: $EDGE_TLS_DIR/$file cannot be read by user $(id -u)." \
         "Mount a folder with tls.crt (with its chain) and tls.key, or leave the default volume in place." >&2
    exit 1
  fi
done

port=":$EDGE_PUBLIC_HTTPS_PORT"
if [ "$EDGE_PUBLIC_HTTPS_PORT" = 443 ]; then port=""; fi

mkdir -p "$EDGE_RUN_DIR/conf"
for file in "$EDGE_CONF_DIR"/*.conf "$EDGE_CONF_DIR"/*.template; do
  name=$(basename "$file" .template)
  sed -e "s|@CONF_DIR@|$EDGE_RUN_DIR/conf|g" \
      -e "s|@WEB_DIR@|$EDGE_WEB_DIR|g" \
      -e "s|@TLS_DIR@|$EDGE_TLS_DIR|g" \
      -e "s|@RUN_DIR@|$EDGE_RUN_DIR|g" \
      -e "s|@GATEWAY@|$EDGE_GATEWAY|g" \
      -e "s|@HTTP_PORT@|$EDGE_HTTP_PORT|g" \
      -e "s|@HTTPS_PORT@|$EDGE_HTTPS_PORT|g" \
      -e "s|@HEALTH_PORT@|$EDGE_HEALTH_PORT|g" \
      -e "s|@PUBLIC_PORT@|$port|g" \
      -e "s|@UPLOAD_LIMIT@|$EDGE_UPLOAD_LIMIT|g" \
      -e "s|@RESOLVER@|$EDGE_RESOLVER|g" \
      "$file" >"$EDGE_RUN_DIR/conf/$name"
done

exec nginx -c "$EDGE_RUN_DIR/conf/nginx.conf" -p "$EDGE_RUN_DIR" -e stderr
