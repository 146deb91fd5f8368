# One image, every role: worker, beat, console, migration, sandbox; without arguments all of them on one machine.
# The root file system may be read-only: only /data and /tmp are written to.
ARG PYTHON=python:3.12-slim-bookworm

FROM ${PYTHON} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /src
COPY pyproject.toml requirements.lock ./
COPY ops/docker/runtime_requirements.py ops/docker/
# Every distribution by hash; what only tests need stays out.
RUN python ops/docker/runtime_requirements.py > /runtime.lock \
 && python ops/docker/runtime_requirements.py hatchling > /build.lock \
 && python -m venv /opt/tierwise && /opt/tierwise/bin/pip install --require-hashes -r /runtime.lock \
 && python -m venv /build && /build/bin/pip install --require-hashes -r /build.lock
COPY README.md LICENSE ./
COPY worker worker
COPY connectors connectors
COPY rules rules
COPY prompts prompts
RUN /build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /wheel . \
 && /opt/tierwise/bin/pip install --no-deps --no-index /wheel/*.whl \
 && /opt/tierwise/bin/python -m compileall -q /opt/tierwise/lib \
 && /opt/tierwise/bin/pip uninstall --yes --quiet pip

FROM ${PYTHON}
RUN groupadd --gid 10001 tierwise \
 && useradd --uid 10001 --gid tierwise --home-dir /data --no-create-home --shell /usr/sbin/nologin tierwise \
 && install --directory --owner tierwise --group tierwise --mode 0700 /data
COPY --from=build /opt/tierwise /opt/tierwise
# The price table of the models comes with the package; nothing is fetched at import.
ENV PATH=/opt/tierwise/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    LITELLM_LOCAL_MODEL_COST_MAP=True \
    TIERWISE_HOME=/data \
    TIERWISE_CONSOLE__HOST=0.0.0.0
USER 10001:10001
WORKDIR /data
VOLUME ["/data"]
EXPOSE 8400
STOPSIGNAL SIGTERM
# Of `run` and `console`; the other roles of docker-compose.yml are asked by `tierwise heartbeat`.
HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8400/healthz', timeout=5)"]
ENTRYPOINT ["tierwise"]
CMD ["run"]
