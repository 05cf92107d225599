# Two images: `ohlora`, which computes with models, and `gateway`, which has no torch and talks to platforms only.
#
#   docker build -t ohlora:0.1.0 .
#   docker build -t ohlora-gateway:0.1.0 --target gateway .
#
# A tag can be moved, a digest cannot: `docker buildx imagetools inspect python:3.11.14-slim-bookworm` prints it, and
# python:3.11.14-slim-bookworm@sha256:… in the next line builds on exactly that image ever after.
FROM python:3.11.14-slim-bookworm AS python
ENV PATH=/opt/ohlora/bin:$PATH \
    PIP_NO_CACHE_DIR=1 \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PYTHONUNBUFFERED=1

FROM python AS wheel
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY bot bot
COPY core core
COPY models models
COPY storage storage
RUN ["pip", "wheel", "--no-deps", "--wheel-dir", "/wheel", "."]

# what is fetched changes with pyproject.toml only: here the package itself is still empty
FROM python AS light
WORKDIR /src
RUN ["python", "-m", "venv", "/opt/ohlora"]
COPY pyproject.toml README.md LICENSE ./
RUN ["pip", "install", ".[redis,postgres]"]

# torch first, from an index of its own: the one on PyPI brings gigabytes of CUDA along.
# With a GPU in the worker: --build-arg TORCH_INDEX=https://download.pytorch.org/whl/cu130
FROM light AS full
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
RUN pip install --index-url "$TORCH_INDEX" torch==2.13.0
RUN ["pip", "install", ".[local,redis,postgres]"]

FROM light AS light-installed
COPY --from=wheel /wheel /wheel
RUN ["pip", "install", "--no-deps", "--force-reinstall", "--no-index", "--find-links", "/wheel", "ohlora"]

FROM full AS full-installed
COPY --from=wheel /wheel /wheel
RUN ["pip", "install", "--no-deps", "--force-reinstall", "--no-index", "--find-links", "/wheel", "ohlora"]

FROM python AS runtime
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /cache --shell /usr/sbin/nologin ohlora \
    && install --directory --owner=ohlora --group=ohlora --mode=0700 /data /cache
ENV HOME=/cache \
    PYTHONDONTWRITEBYTECODE=1 \
    OHLORA_DATA_DIR=/data \
    OHLORA_CACHE_DIR=/cache \
    OHLORA_LOG_FORMAT=json \
    OHLORA_HTTP__PORT=9464
USER 10001:10001
WORKDIR /data
VOLUME ["/data", "/cache"]
STOPSIGNAL SIGTERM
# alive, not ready: whoever restarts what is unhealthy must not do so because Redis is away
HEALTHCHECK --interval=10s --timeout=5s --start-period=60s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener; build_opener(ProxyHandler({})).open('http://127.0.0.1:9464/healthz', timeout=4)"]
ENTRYPOINT ["ohlora"]

FROM runtime AS gateway
COPY --from=light-installed /opt/ohlora /opt/ohlora
CMD ["gateway"]

FROM runtime AS ohlora
COPY --from=full-installed /opt/ohlora /opt/ohlora
CMD ["run"]
