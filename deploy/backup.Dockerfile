# docker build -f deploy/backup.Dockerfile --build-arg IMAGE=kefu:0.1.0 -t kefu-backup:0.1.0 deploy
# Kefu beside PostgreSQL's own programs, of the server's version: Debian 12 has those of 15 only.
ARG IMAGE=kefu:0.1.0
FROM ${IMAGE} AS kefu

FROM postgres:16.10-bookworm
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install -y --no-install-recommends ca-certificates fonts-wqy-microhei python3 tini \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin kefu \
    && install -d -o kefu -g kefu -m 0750 /data
COPY --from=kefu /opt/kefu /opt/kefu
ENV PATH=/opt/kefu/bin:/usr/lib/postgresql/16/bin:$PATH KEFU_DATA_DIR=/data PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /data
VOLUME /data
ENTRYPOINT ["tini", "--", "kefu"]
CMD ["worker"]
