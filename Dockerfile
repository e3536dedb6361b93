# A tag, which its publisher may move. By digest: make image PYTHON_IMAGE=python@sha256:...
ARG PYTHON=python:3.11-slim

FROM ${PYTHON} AS build
ENV PYTHONDONTWRITEBYTECODE=1 \
    UV_COMPILE_BYTECODE=1 \
    UV_LINK_MODE=copy \
    UV_NO_CACHE=1 \
    UV_PYTHON_DOWNLOADS=never \
    UV_PROJECT_ENVIRONMENT=/opt/dnsalias
WORKDIR /src
# uv, pinned and by hash, as `make` takes it.
COPY requirements/uv.txt requirements/uv.txt
RUN python -m pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
    --require-hashes -r requirements/uv.txt
# Dependencies first: this layer is made again only when the lock changes. Each file is checked against its hash.
COPY pyproject.toml uv.lock README.md LICENSE ./
RUN uv sync --frozen --no-dev --no-install-project
# Then this project, as a wheel; what builds it is pinned and by hash, too.
COPY requirements/build.txt requirements/build.txt
COPY docs/findings.md docs/conditions.md docs/adopt.md docs/
COPY operator operator
RUN uv build --wheel --out-dir /wheel --build-constraints requirements/build.txt --require-hashes \
    && uv pip install --python /opt/dnsalias/bin/python --no-deps /wheel/*.whl

FROM ${PYTHON}
LABEL org.opencontainers.image.title="dnsalias-operator" \
      org.opencontainers.image.description="Extra DNS names for Kubernetes Services in an Istio mesh" \
      org.opencontainers.image.licenses="Apache-2.0"
# Bytecode was compiled above: nothing is written at run time, so the root file system can be read-only.
# LOGNAME, HOME: Kopf asks for the user's name at start, the Kubernetes library for the home folder, and no user has the
# number below (nor one that a cluster may choose).
ENV PATH=/opt/dnsalias/bin:$PATH \
    HOME=/ \
    LOGNAME=dnsalias \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/dnsalias /opt/dnsalias
# A number, so that the kubelet can tell that it is not root.
USER 65532:65532
EXPOSE 8080
ENTRYPOINT ["dnsalias"]
CMD ["run"]
