# nginx with the web client. Build from the top of the repository: docker build -f infra/docker/edge.Dockerfile .

# Pin by digest with --build-arg NODE_IMAGE=… and --build-arg NGINX_IMAGE=… (docs/deployment.md tells how).
ARG NODE_IMAGE=node:22.17.0-bookworm-slim
ARG NGINX_IMAGE=nginx:1.28.0-alpine

FROM ${NODE_IMAGE} AS web
WORKDIR /build/web
COPY web/package.json web/package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY web/ ./
RUN npm run build

FROM ${NGINX_IMAGE}
LABEL org.opencontainers.image.title="OpsConductor edge" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY infra/nginx /opt/opsconductor/nginx
COPY --from=web /build/web/dist /opt/opsconductor/web
USER 101:101
ENTRYPOINT []
CMD ["/bin/sh", "/opt/opsconductor/nginx/start.sh"]
