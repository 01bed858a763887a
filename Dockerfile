# One image for every service; docker-compose.yml says which command each runs.
FROM node:22-bookworm-slim AS assets
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY scripts/build-assets scripts/build-assets
COPY app/web/assets app/web/assets
RUN YINXU_NODE=system scripts/build-assets

FROM python:3.11-slim-bookworm AS python
RUN python -m venv /opt/yinxu
WORKDIR /src
COPY requirements.lock pyproject.toml README.md LICENSE ./
RUN /opt/yinxu/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY app app
COPY workflows workflows
COPY card_agent card_agent
COPY reports reports
COPY --from=assets /src/app/web/static/dist app/web/static/dist
RUN /opt/yinxu/bin/pip install --no-cache-dir --no-deps --no-build-isolation .

FROM python:3.11-slim-bookworm
RUN apt-get update \
 && apt-get install -y --no-install-recommends softhsm2 poppler-utils fonts-noto-cjk \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/yinxu --create-home yinxu \
 && install -d -o yinxu -g yinxu -m 700 /var/lib/yinxu/var /var/lib/yinxu/agent /var/lib/yinxu/agent/tokens \
 && install -d /etc/yinxu \
 && printf 'directories.tokendir = /var/lib/yinxu/agent/tokens\nobjectstore.backend = file\n' > /etc/yinxu/softhsm2.conf
COPY --from=python /opt/yinxu /opt/yinxu
ENV PATH=/opt/yinxu/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    YINXU_VAR_DIR=/var/lib/yinxu/var \
    YINXU_AGENT_STATE_DIR=/var/lib/yinxu/agent
USER yinxu
WORKDIR /var/lib/yinxu
EXPOSE 8080
CMD ["yinxu", "serve", "--listen", "0.0.0.0:8080"]
