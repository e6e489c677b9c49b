# Swerve as an image: `docker build -t swerve .`, `docker run -p 8080:8080 -e SWERVE_ORIGIN=http://host:3000 swerve`.
# tests/live/test_image.py does outside Docker what the RUN lines say here.

FROM python:3.13-slim AS build
WORKDIR /build
RUN python -m venv --without-pip /opt/swerve
COPY requirements.lock requirements-build.lock ./
RUN python -m pip --python /opt/swerve/bin/python install --no-cache-dir --require-hashes -r requirements.lock
RUN python -m pip install --no-cache-dir --require-hashes -r requirements-build.lock
COPY pyproject.toml LICENSE ./
COPY config config
COPY app app
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist .
RUN python -m pip --python /opt/swerve/bin/python install --no-deps dist/*.whl

FROM python:3.13-slim
LABEL org.opencontainers.image.title="Swerve" \
      org.opencontainers.image.description="A CDN edge cache that runs anywhere Python runs" \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="0.1.0"
COPY --from=build /opt/swerve /opt/swerve
ENV PATH=/opt/swerve/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    SWERVE_LISTEN=0.0.0.0:8080 \
    SWERVE_ADMIN=0.0.0.0:8081
USER 10001:10001
EXPOSE 8080 8081
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s CMD ["swerve", "health"]
ENTRYPOINT ["swerve"]
CMD ["serve"]
